"""Requests to other servers, within limits of time and size. They block: call them in a thread.

Errors are those of `http.client` and OSError, and say nothing of the address: it may hold a secret.
"""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterator, Mapping
from http.client import HTTPException, HTTPResponse
from typing import Any

CHUNK_BYTES = 1 << 20


class ResponseTooLarge(HTTPException):
    """A server sends more than it may."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Makes a redirect an error of its status."""

    def redirect_request(self, *_: Any) -> None:
        """Follow nothing."""


def open_url(
    url: str,
    *,
    timeout_seconds: float,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    follow_redirects: bool = False,
) -> HTTPResponse:
    """The response to a GET, or to a POST where there is a body; close it when it is read.

    `timeout_seconds` are those without a byte. Raises HTTPError for a status that is an error.
    """
    opener = urllib.request.build_opener(*(() if follow_redirects else (_NoRedirects,)))
    request = urllib.request.Request(url, body, dict(headers or {}))
    response: HTTPResponse = opener.open(request, timeout=timeout_seconds)
    return response


def read_chunks(
    response: HTTPResponse, max_bytes: int, deadline: float | None = None
) -> Iterator[bytes]:
    """The content of a response in pieces, had by `time.monotonic() == deadline`.

    Raises ResponseTooLarge, TimeoutError, and HTTPException for what is cut off.
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
    """The whole content of a response. Raises as `read_chunks`."""
    return b"".join(read_chunks(response, max_bytes, deadline))
