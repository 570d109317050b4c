"""Requests to a tracker, with retries."""

import http.client
import json
import random
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

RETRIED = {429, 502, 503, 504}
FIRST_PAUSE_SECONDS = 0.5
MAX_PAUSE_SECONDS = 30.0
BROKEN = (urllib.error.URLError, ConnectionError, TimeoutError, http.client.HTTPException)
"""Errors of the network, after which a request is sent again."""


class TrackerError(Exception):
    """A refusal by the server."""

    def __init__(self, message: str, code: str = "", path: str = "", status: int = 200):
        super().__init__(message)
        self.message = message
        self.code = code
        self.path = path
        """The field or parameter that was refused."""
        self.status = status


class Connection:
    """The address of a server, with the token and the limits of a client."""

    def __init__(self, url: str, token: str | None, timeout: float, retries: int):
        self.url = url.rstrip("/")
        self.timeout = timeout
        self.retries = retries
        self._headers = {"User-Agent": "minerals-tracker-client-python"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def open(
        self,
        path: str,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> http.client.HTTPResponse:
        """Return the response of one request. Raises TrackerError or an error of the network."""
        content = None if body is None else json.dumps(body).encode()
        sent = {**self._headers, **(headers or {})}
        if content is not None:
            sent["Content-Type"] = "application/json"
        request = urllib.request.Request(f"{self.url}{path}", content, sent)
        try:
            response = urllib.request.urlopen(request, timeout=timeout or self.timeout)
        except urllib.error.HTTPError as error:
            with error:
                raise refusal(error.code, error.read(), error.headers.get("Retry-After")) from None
        assert isinstance(response, http.client.HTTPResponse)
        return response

    def read(
        self, path: str, *, body: object = None, headers: Mapping[str, str] | None = None
    ) -> bytes:
        """Return the content at a path; failures of the network and overload are tried again."""
        attempt = 0
        while True:
            try:
                with self.open(path, body=body, headers=headers) as response:
                    return response.read()
            except TrackerError as error:
                if error.status not in RETRIED or attempt >= self.retries:
                    raise
                self.pause(attempt, getattr(error, "retry_after", 0.0))
            except BROKEN:
                if attempt >= self.retries:
                    raise
                self.pause(attempt)
            attempt += 1

    def pause(self, attempt: int, at_least: float = 0.0) -> None:
        """Wait before another attempt, longer after each one."""
        longest = min(MAX_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**attempt)
        time.sleep(max(at_least, longest * random.uniform(0.5, 1)))


def refusal(status: int, content: bytes, retry_after: str | None) -> TrackerError:
    """Return the error of a response."""
    try:
        error = first_error(json.loads(content)["errors"], status)
    except (ValueError, KeyError, TypeError, IndexError):
        error = TrackerError(f"the server returned status {status}", status=status)
    if retry_after and retry_after.isdecimal():
        error.retry_after = float(retry_after)  # type: ignore[attr-defined]
    return error


def first_error(errors: list[dict[str, Any]], status: int = 200) -> TrackerError:
    """Return the first error of a response as an exception."""
    first = errors[0]
    path = ".".join(map(str, first.get("path") or ()))
    code = str((first.get("extensions") or {}).get("code", ""))
    return TrackerError(str(first["message"]), code, path, status)
