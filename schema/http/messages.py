"""Requests, read within limits, and responses: JSON, errors with GraphQL codes, gzip, request ids."""

import functools
import math
import re
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, TypeAlias

import orjson
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from projections.lru_cache import lru_cache_short_keys
from schema.base.compression import GZIP_LEVEL
from schema.base.errors import DATABASE_ERRORS, plain_error, tracker_error
from schema.http.limits import PushPriority
from schema.telemetry.observer import Observer, request_id
from tracker.domain.basics.toml_files import read_toml
from tracker.errors import InvalidInput, RateLimited, TooLarge, TrackerError

MAX_CACHED_HEADERS = 256
"""Maximum number of cached header values with their meaning; most clients send the same ones."""
MAX_CACHED_CHARACTERS = 300


def header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str:
    """Return the first header of a name; empty without one."""
    for named, value in headers:
        if named == name:
            return value.decode("latin-1")
    return ""


def check_parameters(request: Request, known: Sequence[str], lists: Sequence[str] = ()) -> None:
    """Refuse an address with an unknown parameter, or a repeated one that is not a list.

    Raises InvalidInput.
    """
    for name in request.query_params:
        if name not in known:
            one_of = "one of " if len(known) > 1 else ""
            expected = f"{one_of}{', '.join(known)}" if known else "none"
            raise InvalidInput(
                f"{name[:50]!r} is not a parameter: expected {expected}",
                code="BAD_REQUEST",
                path=(name[:50],),
            )
        if name not in lists and len(request.query_params.getlist(name)) > 1:
            raise InvalidInput("expected one value", code="BAD_REQUEST", path=(name,))


async def read_body(request: Request, max_bytes: int) -> bytes:
    """Return the body, up to the limit. Raises TooLarge, and ClientDisconnect."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > max_bytes:
            raise TooLarge(f"expected a body of at most {max_bytes} bytes")
    return bytes(body)


Answering: TypeAlias = Callable[[Request], Awaitable[Response]]
Header: TypeAlias = tuple[bytes, bytes]
STATUSES: Mapping[str, Mapping[str, int]] = read_toml(__file__, "statuses.toml")
STATUS = STATUSES["routes"]
WEIGHT = re.compile(r"q=(0(?:\.\d*)?|1(?:\.0*)?)", re.ASCII)
GZIP_WINDOW = 16 + zlib.MAX_WBITS
"""Window setting of zlib for gzip."""
MIN_COMPRESSED_BYTES = 1024
"""Minimum size for compression; smaller bodies fit into one packet."""


def json_response(answer: Any, status: int = 200, **headers: str) -> Response:
    """Return a response as JSON, with headers named as in Python (`Cache_Control`)."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(orjson.dumps(answer), status, named, "application/json; charset=utf-8")


def errors_as_json(answer: Callable[[Any, Request], Awaitable[Response]]) -> Any:
    """Decorate a method so that its errors are returned in the format of GraphQL."""

    @functools.wraps(answer)
    async def answering(self: Any, request: Request) -> Response:
        return await _answered(answer(self, request))

    return answering


def function_errors_as_json(answer: Answering) -> Answering:
    """Decorate a function so that its errors are returned in the format of GraphQL."""

    @functools.wraps(answer)
    async def answering(request: Request) -> Response:
        return await _answered(answer(request))

    return answering


async def _answered(answer: Awaitable[Response]) -> Response:
    try:
        return await answer
    except (TrackerError, *DATABASE_ERRORS) as error:
        return error_response(tracker_error(error))


def has_tag(tags: str, tag: str) -> bool:
    """Return whether a client has the content of a tag, by its If-None-Match (RFC 9110, 13.1.2)."""
    return tags.strip() == "*" or tag in tags


def error_response(error: TrackerError) -> Response:
    """Return an error as JSON, in the format of GraphQL."""
    problem = plain_error(error.code, error.message, error.path)
    return json_response(
        problem, STATUS.get(error.code, 400), Cache_Control="no-store", **advice(error)
    )


def advice(error: TrackerError) -> dict[str, str]:
    """Return the headers for an error."""
    if isinstance(error, RateLimited):
        return {"Retry-After": str(math.ceil(error.seconds))}
    return {"WWW-Authenticate": "Bearer"} if error.code == "UNAUTHENTICATED" else {}


def accepted_words(header: str) -> Sequence[str]:
    """Return the words of a header such as Accept, by preference (RFC 9110, 12.4.2).

    Words with `q=0` are left out.
    """
    parts = [part.replace(" ", "").lower().split(";") for part in header.split(",")]
    weights = [(word, _weight(options)) for word, *options in parts]
    return [word for word, weight in sorted(weights, key=lambda one: -one[1]) if weight > 0]


def _weight(options: Sequence[str]) -> float:
    """Return the weight `q`; 1 if it is missing or invalid."""
    for option in options:
        if match := WEIGHT.fullmatch(option):
            return float(match[1])
    return 1


def _takes_gzip(accept_encoding: str) -> bool:
    return "gzip" in accepted_words(accept_encoding)


takes_gzip = lru_cache_short_keys(_takes_gzip, MAX_CACHED_HEADERS, MAX_CACHED_CHARACTERS)
"""Return whether an Accept-Encoding header accepts gzip."""


class CompressionMiddleware(GZipMiddleware):
    """Starlette's middleware, limited to clients that accept gzip: Starlette ignores `q=0`."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond, with gzip if it is accepted."""
        if not takes_gzip(header(scope["headers"], b"accept-encoding")):
            others = [each for each in scope["headers"] if each[0] != b"accept-encoding"]
            scope = {**scope, "headers": others}
        await super().__call__(scope, receive, send)


SHORTER = Middleware(
    CompressionMiddleware, minimum_size=MIN_COMPRESSED_BYTES, compresslevel=GZIP_LEVEL
)
"""Middleware for routes with complete responses."""


async def gzip_chunks(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Compress a stream with gzip. The first chunk is sent at once."""
    packer, begun = zlib.compressobj(GZIP_LEVEL, wbits=GZIP_WINDOW), False
    async with aclosing(chunks):
        async for chunk in chunks:
            part = packer.compress(chunk)
            if not begun:
                part, begun = part + packer.flush(zlib.Z_SYNC_FLUSH), True
            if part:
                yield part
        yield packer.flush()


async def observe(
    observer: Observer,
    pacing: PushPriority,
    transport: str,
    request: Request,
    answer: Awaitable[Response],
) -> Response:
    """Return the response to a request, with the id of the request."""
    id = request_id(header(request.scope["headers"], b"x-request-id"))
    with observer.operation(id, transport, request.headers) as operation:
        with pacing.answering():
            response = await answer
        operation.status = response.status_code
    response.headers["X-Request-ID"] = id
    return response
