"""Requests to other servers, within limits of time and size. They block: call them in a thread.

Errors are those of `http.client` and OSError, and do not contain the address, which may hold a secret.
"""

import time
import urllib.request
from collections.abc import Iterator, Mapping
from http.client import HTTPException, HTTPResponse
from typing import Any

CHUNK_BYTES = 1 << 20


class ResponseTooLarge(HTTPException):
    """A server sends more than permitted."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Converts a redirect to an error with its status."""

    def redirect_request(self, *_: Any) -> None:
        """Follow no redirect."""


def open_url(
    url: str,
    *,
    timeout_seconds: float,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    follow_redirects: bool = False,
) -> HTTPResponse:
    """Return the response to a GET, or to a POST if there is a body; close it after reading.

    `timeout_seconds` limits the time without a byte. Raises HTTPError for an error status.
    """
    opener = urllib.request.build_opener(*(() if follow_redirects else (_NoRedirects,)))
    request = urllib.request.Request(url, body, dict(headers or {}))
    response: HTTPResponse = opener.open(request, timeout=timeout_seconds)
    return response


def read_chunks(
    response: HTTPResponse, max_bytes: int, deadline: float | None = None
) -> Iterator[bytes]:
    """Yield the content of a response in pieces, received before `time.monotonic() == deadline`.

    Raises ResponseTooLarge, TimeoutError, and HTTPException for incomplete content.
    """
    size = 0
    while chunk := response.read1(CHUNK_BYTES):
        size += len(chunk)
        if size > max_bytes:
            raise ResponseTooLarge(f"expected at most {max_bytes:,} bytes")
        if deadline is not None and time.monotonic() > deadline:
            raise TimeoutError("the response does not end in time")
        yield chunk
    if response.length:
        raise HTTPException(f"cut off {response.length:,} bytes before the end")


def read_content(response: HTTPResponse, max_bytes: int, deadline: float) -> bytes:
    """Return the whole content of a response. Raises as `read_chunks`."""
    return b"".join(read_chunks(response, max_bytes, deadline))
