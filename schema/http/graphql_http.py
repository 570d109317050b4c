"""GraphQL over HTTP: GET for queries, POST for queries and mutations; answers are JSON, or come
piece by piece where a client asks for that.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from projections.lru_cache import lru_cache_short_keys
from schema.base.errors import masked_error, plain_error
from schema.execution.admission import max_body_bytes
from schema.execution.execute import QUERIES, QUERIES_AND_MUTATIONS
from schema.execution.persisted_queries import Persisted
from schema.execution.response_cache import Answer, Answers, Question
from schema.http.authentication import Gate
from schema.http.compression import MIN_COMPRESSED_BYTES, takes_gzip
from schema.http.endpoint import first_code
from schema.http.graphql_streams import Streams, form_asked
from schema.http.request import Incoming
from schema.http.responses import Header, Ready
from schema.telemetry.operation import current_operation
from tracker.errors import InvalidInput, RateLimited, TrackerError

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
MEDIA_TYPES = tuple(
    (b"content-type", f"{name}; charset=utf-8".encode()) for name in (JSON, GRAPHQL_JSON)
)
"""As clients have it that do not know the media type of GraphQL, and those that do."""

VARY = b"vary", b"Accept, Accept-Encoding, Authorization"
GZIP = b"content-encoding", b"gzip"
MAX_LOOP_COMPRESSION_BYTES = 64 * 1024
NO_STORE = b"cache-control", b"no-store"
STAYS = "max-age=3600, immutable"
"""For questions that pin every moment. Their answers stay, unless a law forces out a text or a
release mends how answers are computed: an hour is how long copies elsewhere outlive that."""
CHECKED = "no-cache"
"""For others: a copy may be kept, and has to be asked about (If-None-Match)."""
KEEPING = {
    (shared, stays): (b"cache-control", f"{who}, {STAYS if stays else CHECKED}".encode())
    for shared, who in ((True, "public"), (False, "private"))
    for stays in (True, False)
}
"""By whether others may share a copy, and whether the answer stays."""

STATUS = {
    "BAD_REQUEST": 400,
    "INVALID_JSON": 400,
    "TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "OPERATION_NOT_ALLOWED": 405,
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "RATE_LIMITED": 429,
    "TOO_MANY_OPERATIONS": 429,
    "PERSISTED_QUERY_NOT_FOUND": 200,
}
"""Statuses of requests that are not GraphQL, not for this method, or not let in; and of hashes that
are not known, which clients take for a part of the protocol only with 200."""

REQUEST_STATUS = {"INTERNAL": 500, "TIMEOUT": 503, "UNAVAILABLE": 503}
"""Statuses, for clients that know `application/graphql-response+json`, of answers without data."""


class View:
    """Answers GraphQL requests."""

    def __init__(self, gate: Gate, answers: Answers, persisted: Persisted, streams: Streams):
        self._gate = gate
        self._answers = answers
        self._persisted = persisted
        self._streams = streams

    async def respond(self, request: Incoming) -> Response:
        """The answer to a request; whatever goes wrong, it is JSON."""
        try:
            return await self._answer(request)
        except TrackerError as error:
            answer = plain_error(error.code, error.message, error.path)
            status = STATUS.get(error.code) or REQUEST_STATUS.get(error.code, 400)
            return _response(request, answer, status, _advice(error))
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:
            return _response(request, {"errors": [masked_error(error)]}, 500)

    async def _answer(self, request: Incoming) -> Response:
        visitor = await self._gate.enter(request.header(b"authorization"), request.address)
        current_operation().actor = visitor.caller.name
        posted = request.method == "POST"
        most = max_body_bytes(visitor.caller)
        asked = await _asked_by_post(request, most) if posted else _asked_by_get(request)
        operation = _of_type(asked, "operationName", str)
        current_operation().note_name(operation)
        extensions = _of_type(asked, "extensions", dict)
        document = self._persisted.document(_of_type(asked, "query", str), extensions) or ""
        variables = _of_type(asked, "variables", dict)
        if form := form_asked(request.header(b"accept")):
            return self._streams.respond(
                request.request, form, visitor, document, variables, operation
            )
        answer = await self._answers.answer(
            Question(document, variables or {}, operation, visitor.caller),
            QUERIES_AND_MUTATIONS if posted else QUERIES,
            self._gate.turn(visitor),
        )
        if isinstance(answer, Answer):
            return await self._found(request, answer)
        return _response(request, answer)

    async def _found(self, request: Incoming, answer: Answer) -> Response:
        """An answer without errors; none to a GET whose client has it already."""
        current_operation().outcome = "ok"
        if request.method == "POST":
            headers = [VARY, NO_STORE]
        else:
            shared = self._gate.access.read_open and b"authorization" not in request
            headers = [VARY, KEEPING[shared, answer.stays], (b"etag", answer.tag.encode())]
            if _has(request.header(b"if-none-match"), answer.tag.removeprefix("W/")):
                return Ready(b"", headers, 304)
        return _json_of(request, await _encoded(request, answer, headers), headers)


async def _encoded(request: Incoming, answer: Answer, headers: list[Header]) -> bytes:
    """The bytes of an answer as the client takes them. Making many of them short is not for the
    loop, on which all others wait."""
    if len(answer.body) < MIN_COMPRESSED_BYTES or not takes_gzip(
        request.header(b"accept-encoding")
    ):
        return answer.body
    headers.append(GZIP)
    if len(answer.body) > MAX_LOOP_COMPRESSION_BYTES:
        return await asyncio.to_thread(getattr, answer, "gzipped")
    return answer.gzipped


def _has(given: str, tag: str) -> bool:
    """Whether a client has the content of a tag, by its If-None-Match (RFC 9110, 13.1.2)."""
    return given.strip() == "*" or tag in given


def _asked_by_get(request: Incoming) -> dict[str, Any]:
    asked: dict[str, Any] = {**PARAMETERS(request.scope["query_string"])}
    for name in ("variables", "extensions"):
        if given := asked.pop(name, None):
            asked[name] = _json(given.encode("utf-8", "replace"), name)
    return asked


def _parameters(query: bytes) -> Mapping[str, str]:
    """What stands in an address behind the question mark."""
    return dict(QueryParams(query))


PARAMETERS = lru_cache_short_keys(_parameters, 256, 8192)
"""Reading them takes as long as all else that a kept answer costs."""


async def _asked_by_post(request: Incoming, most: int) -> dict[str, Any]:
    media_type = request.header(b"content-type").partition(";")[0].strip().lower()
    if media_type != JSON:
        raise InvalidInput(f"expected Content-Type {JSON}", code="UNSUPPORTED_MEDIA_TYPE")
    asked = _json(await request.body(most))
    if not isinstance(asked, dict):
        raise InvalidInput("expected an object with a query", code="BAD_REQUEST")
    return asked


def _json(text: bytes, *path: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"expected JSON: {error}", code="INVALID_JSON", path=path) from None


def _of_type(asked: Mapping[str, Any], name: str, kind: type) -> Any:
    value = asked.get(name)
    if value is not None and not isinstance(value, kind):
        raise InvalidInput(
            f"expected {'an object' if kind is dict else 'text'}", code="BAD_REQUEST", path=(name,)
        )
    return value


def _advice(error: TrackerError) -> list[Header]:
    """What headers say of an error."""
    if isinstance(error, RateLimited):
        return [(b"retry-after", b"%d" % math.ceil(error.seconds))]
    return [(b"www-authenticate", b"Bearer")] if error.code == "UNAUTHENTICATED" else []


def _response(
    request: Incoming, answer: dict[str, Any], status: int = 200, advice: Iterable[Header] = ()
) -> Response:
    """An answer with errors, or that of a mutation."""
    current_operation().outcome = first_code(answer)
    modern = _modern(request)
    if status == 200 and "data" not in answer:
        code = answer["errors"][0]["extensions"]["code"]
        status = STATUS.get(code) or (REQUEST_STATUS.get(code, 400) if modern else 200)
    allowed = [(b"allow", b"POST")] if status == 405 else []
    headers = [VARY, NO_STORE, *allowed, *advice]
    return _json_of(request, orjson.dumps(answer), headers, status)


def _json_of(request: Incoming, body: bytes, headers: list[Header], status: int = 200) -> Response:
    """JSON, of the media type that the client knows."""
    media_type = MEDIA_TYPES[_modern(request)]
    return Ready(body, [*headers, (b"content-length", b"%d" % len(body)), media_type], status)


def _modern(request: Incoming) -> bool:
    """Whether the client knows the media type of GraphQL."""
    return GRAPHQL_JSON in request.header(b"accept")
