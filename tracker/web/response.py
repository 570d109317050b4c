"""Responses of other servers: a document, a redirect, or an error."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

import aiohttp
from yarl import URL

from tracker import clock
from tracker.web.content_encoding import Unpacker, UnpackError
from tracker.web.failures import FetchError, failure_of, one_line
from tracker.web.request import WebRequest
from tracker.web.retry_after import read_retry_after

MAX_ERROR_BYTES = 1_000_000
"""Number of bytes of an error response that are kept."""
MAX_HEADER_CHARACTERS = 500
"""Number of characters of a header that are kept; no ETag is longer."""
CHUNK_BYTES = 1 << 16
STATUSES = range(100, 600)
"""HTTP statuses (RFC 9110, 15); some servers return others, such as 999."""
REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class WebResponse:
    """A document as received, or status 304 if the known one is current.

    `url` is the address after redirects, `requests` the number of requests.
    """

    url: str
    status: int
    at: datetime
    content: bytes = b""
    media_type: str | None = None
    charset: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    requests: int = 1


async def read_response(request: WebRequest, response: aiohttp.ClientResponse) -> WebResponse | str:
    """Return the document of a response, or the target of a redirect. Raises FetchError."""
    status, url = response.status, request.url
    if status in REDIRECTS:
        return _target(request, response)
    _check_single(request, response)
    if status == 304 and request.known_url == url:
        return WebResponse(url, 304, clock.now())
    media_type = _media_type(response)
    if status != 200:  # others, such as 202, have no document
        content = await _read_some(request, response, MAX_ERROR_BYTES)
        raise FetchError(
            f"it answered {status}",
            code="RATE_LIMITED" if status in (429, 503) else "HTTP_STATUS",
            url=url,
            status=status if status in STATUSES else None,
            content=content,
            media_type=media_type,
            retry_after_seconds=read_retry_after(status, response.headers.get("retry-after")),
        )
    content = await _read_whole(request, response)
    return WebResponse(
        url,
        status,
        clock.now(),
        content,
        media_type,
        response.charset and _as_text(response.charset),
        _sent_back(response, "etag"),
        _sent_back(response, "last-modified"),
    )


async def _read_whole(request: WebRequest, response: aiohttp.ClientResponse) -> bytes:
    """Return a whole document, or a sufficient part of it.

    Raises FetchError with the received data if it is too large or cut off.
    """
    declared, content = response.content_length, bytearray()
    too_large = FetchError(
        f"expected at most {request.max_bytes:,} bytes",
        code="TOO_LARGE",
        url=request.url,
        status=response.status,
    )
    if declared is not None and declared > request.max_bytes and not request.beginning_only:
        raise too_large
    try:
        async for piece in _unpacked(request, response, request.max_bytes):
            content += piece
            if len(content) > request.max_bytes:
                break
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        failure = failure_of(error, request.url)
        if failure.code == "UNREACHABLE":
            failure.code = "CUT_OFF"
        raise _with_content(failure, response, content) from None
    except UnpackError as error:
        failure = FetchError(
            f"what came packed is not whole: {error}", code="CUT_OFF", url=request.url
        )
        raise _with_content(failure, response, content) from None
    if len(content) > request.max_bytes and not request.beginning_only:
        raise too_large
    return bytes(content[: request.max_bytes])


def _with_content(
    failure: FetchError, response: aiohttp.ClientResponse, content: bytearray
) -> FetchError:
    """Return a failure with the received content."""
    failure.status, failure.media_type = response.status, _media_type(response)
    failure.content = bytes(content[:MAX_ERROR_BYTES])
    return failure


async def _read_some(request: WebRequest, response: aiohttp.ClientResponse, most: int) -> bytes:
    """Return the beginning of an error response, as far as it arrives and can be decompressed."""
    content = bytearray()
    try:
        async for piece in _unpacked(request, response, most):
            content += piece
            if len(content) >= most:
                break
    except (aiohttp.ClientError, TimeoutError, OSError, UnpackError, FetchError):
        pass
    return bytes(content[:most])


async def _unpacked(
    request: WebRequest, response: aiohttp.ClientResponse, max_bytes: int
) -> AsyncIterator[bytes]:
    """Yield a document in pieces, without its content encoding.

    Raises FetchError (`ENCODING`), UnpackError, and connection errors.
    """
    coding = response.headers.get("content-encoding", "")
    try:
        unpacker = Unpacker(coding, max_bytes)
    except ValueError as error:
        raise FetchError(
            one_line(str(error)), code="ENCODING", url=request.url, status=response.status
        ) from None
    while packed := await response.content.read(CHUNK_BYTES):
        yield unpacker.feed(packed)
    unpacker.end()


def _check_single(request: WebRequest, response: aiohttp.ClientResponse) -> None:
    """Reject repeated, contradictory headers about the decoding of a document. Raises FetchError
    (`ENCODING`)."""
    for name in ("content-encoding", "content-type"):
        if len({*response.headers.getall(name, ())}) > 1:
            raise FetchError(
                f"its headers contradict each other: expected one {name}",
                code="ENCODING",
                url=request.url,
                status=response.status if response.status in STATUSES else None,
            )


def _target(request: WebRequest, response: aiohttp.ClientResponse) -> str:
    """Return the target of a redirect. Raises FetchError (`REDIRECT`)."""
    here, status = URL(request.url, encoded=True), response.status

    def refuse(problem: str) -> FetchError:
        return FetchError(
            one_line(f"redirected {problem}"), code="REDIRECT", url=request.url, status=status
        )

    locations = {*response.headers.getall("location", ())}
    if len(locations) > 1:
        raise refuse("to several addresses")
    location = "".join(locations)
    if not location:
        raise refuse("to nowhere")
    try:
        target = here.join(URL(location)).with_fragment(None)
    except ValueError:
        raise refuse(f"to {location}, which is not an address") from None
    if target.user is not None or target.password is not None:  # which must not be sent in our name
        raise refuse("to an address with a user name or password")
    if here.scheme == "https" and target.scheme == "http":
        raise refuse(f"from https to {target}")
    if (
        request.body is not None and status == 303
    ):  # forms are used here for queries, and sent unchanged
        raise refuse(f"with {status} to {target}, where a form can't be sent again")
    return str(target)


def _media_type(response: aiohttp.ClientResponse) -> str | None:
    """Return the declared media type without parameters, if there is one."""
    return _as_text(response.content_type.lower()) if "content-type" in response.headers else None


def _as_text(declared: str) -> str:
    """Return a header as storable text: its bytes may be anything, which aiohttp decodes as lone
    surrogates."""
    shown = declared.encode("ascii", "replace").decode()
    return "".join(letter if letter.isprintable() else "?" for letter in shown)[
        :MAX_HEADER_CHARACTERS
    ]


def _sent_back(response: aiohttp.ClientResponse, name: str) -> str | None:
    """Return a header for the next request; None if it cannot be sent unchanged, or is repeated."""
    all_declared = {*response.headers.getall(name, ())}
    declared = all_declared.pop() if len(all_declared) == 1 else None
    return declared if declared is not None and declared == _as_text(declared) else None
