"""What another server answers: the document, where it has moved to, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
from yarl import URL

from tracker.web.failures import FetchError, failure_of, one_line
from tracker.web.request import WebRequest
from tracker.web.retry_after import read_retry_after

MAX_ERROR_BYTES = 1_000_000
"""How much of a refusal is kept."""
MAX_HEADER_CHARACTERS = 500
"""How much is kept of a header; no ETag is longer."""
CHUNK_BYTES = 1 << 16
STATUSES = range(100, 600)
"""Statuses of HTTP (RFC 9110, 15); some servers answer others, such as 999."""
REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class WebResponse:
    """A document as it came, or status 304 where it is the known one; `url` is where it came from in
    the end, `requests` how many it took."""

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
    """The document that an answer has, or the address where it has moved to. Raises FetchError."""
    status, url = response.status, request.url
    if status in REDIRECTS:
        return _target(request, response)
    if status == 304 and request.known_url == url:
        return WebResponse(url, 304, datetime.now(UTC))
    media_type = _media_type(response)
    if status != 200:  # others, such as 202, come without the document
        content = await _read_some(response, MAX_ERROR_BYTES)
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
        datetime.now(UTC),
        content,
        media_type,
        response.charset and _as_text(response.charset),
        _sent_back(response, "etag"),
        _sent_back(response, "last-modified"),
    )


async def _read_whole(request: WebRequest, response: aiohttp.ClientResponse) -> bytes:
    """A whole document. Raises FetchError, with what came, where it is too large or cut off."""
    declared = response.content_length
    too_large = FetchError(
        f"expected at most {request.max_bytes:,} bytes",
        code="TOO_LARGE",
        url=request.url,
        status=response.status,
    )
    if declared is not None and declared > request.max_bytes:
        raise too_large
    content = bytearray()
    try:
        while chunk := await response.content.read(CHUNK_BYTES):
            content += chunk
            if len(content) > request.max_bytes:
                raise too_large
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        failure = failure_of(error, request.url)
        if failure.code == "UNREACHABLE":
            failure.code = "CUT_OFF"
        failure.status, failure.media_type = response.status, _media_type(response)
        failure.content = bytes(content[:MAX_ERROR_BYTES])
        raise failure from None
    return bytes(content)


async def _read_some(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    """The beginning of a refusal, as far as it comes."""
    content = bytearray()
    try:
        while len(content) < max_bytes and (chunk := await response.content.read(CHUNK_BYTES)):
            content += chunk
    except (aiohttp.ClientError, TimeoutError, OSError):
        pass
    return bytes(content[:max_bytes])


def _target(request: WebRequest, response: aiohttp.ClientResponse) -> str:
    """Where a redirect leads. Raises FetchError (`REDIRECT`)."""
    here, status = URL(request.url, encoded=True), response.status

    def refuse(problem: str) -> FetchError:
        return FetchError(
            one_line(f"redirected {problem}"), code="REDIRECT", url=request.url, status=status
        )

    location = response.headers.get("location", "")
    if not location:
        raise refuse("to nowhere")
    try:
        target = here.join(URL(location)).with_fragment(None)
    except ValueError:
        raise refuse(f"to {location}, which is no address") from None
    if target.user is not None or target.password is not None:  # which nobody is to read of us
        raise refuse("to an address with a user name or password")
    if here.scheme == "https" and target.scheme == "http":
        raise refuse(f"from https to {target}")
    if request.body is not None and status == 303:  # forms here are questions, sent as they are
        raise refuse(f"with {status} to {target}, where a form can't be sent again")
    return str(target)


def _media_type(response: aiohttp.ClientResponse) -> str | None:
    """The declared media type without parameters, if one is declared."""
    return _as_text(response.content_type.lower()) if "content-type" in response.headers else None


def _as_text(declared: str) -> str:
    """What a header says as text that can be kept: its bytes may be anything, which aiohttp hands on
    as characters that no encoding has."""
    shown = declared.encode("ascii", "replace").decode()
    return "".join(letter if letter.isprintable() else "?" for letter in shown)[
        :MAX_HEADER_CHARACTERS
    ]


def _sent_back(response: aiohttp.ClientResponse, name: str) -> str | None:
    """A header that is sent back in the next request; None where it can't be, to the letter."""
    declared = response.headers.get(name)
    return declared if declared is not None and declared == _as_text(declared) else None
