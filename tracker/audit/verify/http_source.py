"""A log below a web address.

A failed request means that the log is unavailable, not that it is invalid; only received data can be
rejected.
"""

import asyncio
import queue
import time
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from http.client import GONE, NOT_FOUND, OK, HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from tracker.audit.format.layout import (
    ANNEXES,
    CHECKPOINT,
    MAX_ENTRIES_BYTES,
    SNAPSHOTS,
    LogFiles,
    max_bytes,
)
from tracker.domain.basics.text_rules import address_without_query, is_address
from tracker.errors import InvalidInput, TrackerError, Unavailable
from tracker.http_client import ResponseTooLarge, read_content
from tracker.snapshots.digest import MAX_SNAPSHOT_BYTES
from tracker.snapshots.directory import relative_path

LOG_PATH = "/log"
"""End of the address of a tracker's log; its other data are at sibling paths."""
READ_TIMEOUT_SECONDS = 30.0
"""Seconds without a byte after which a server counts as silent."""
ANSWER_TIMEOUT_SECONDS = 120.0
"""Maximum seconds of a response that arrives slowly."""
RETRY_DELAYS_SECONDS = (0.2, 1.0, 5.0)
"""Seconds before each retry."""
TEXTS_POSITIONS = 10_000
"""Number of events whose texts are requested at a time."""
GZIP_WINDOW_BITS = 16 + zlib.MAX_WBITS
"""Window size of zlib for data with a gzip header."""
GZIP_FRAME_BYTES = 100
"""Overhead of gzip for incompressible data, in addition to one percent."""
RETRIED_STATUSES = (429, 500, 502, 503, 504)
"""Response statuses after which a retry may succeed."""


class HttpSource(LogFiles):
    """A log below an http or https address, over a few persistent connections."""

    ahead = 8

    def __init__(self, url: str, *, token: str | None = None, with_snapshots: bool = False):
        """Create the source; `with_snapshots` checks the snapshots too. Raises InvalidInput for an invalid
        address."""
        if not is_address(url) or "?" in url or "#" in url:
            raise InvalidInput(
                f"{address_without_query(url)}: expected an http or https address of a log,"
                " such as https://example.org/log, without a name, a password or a"
                " query"
            )
        self._parts = urlsplit(url.rstrip("/"))
        self.name = address_without_query(url.rstrip("/"))
        self.has_snapshots = with_snapshots and self._parts.path.endswith(LOG_PATH)
        self._headers = {"User-Agent": "tracker verify", "Accept-Encoding": "gzip, identity"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._idle: queue.SimpleQueue[HTTPConnection] = queue.SimpleQueue()

    async def read(self, path: str) -> bytes | None:
        """Return the content of a file, or None if there is none. Raises Unavailable."""
        return await asyncio.to_thread(self._read_below, path, max_bytes(path))

    async def next_head(self, size: int, seconds: float) -> bytes:
        """Return the newest head; a tracker waits up to some seconds for one above a size."""
        query = f"?after={size}&wait={seconds:g}" if seconds else ""
        return await self.read_required(f"{CHECKPOINT}{query}")

    def snapshot(self, sha256: str) -> Iterator[bytes] | None:
        """Return the bytes of a snapshot; None if there are none. Raises Unavailable.

        A tracker serves snapshots at a sibling path of its log, a mirror below it.
        """
        content = self._read_beside(f"{SNAPSHOTS}/{sha256}", MAX_SNAPSHOT_BYTES)
        if content is None:
            content = self._read_below(f"{SNAPSHOTS}/{relative_path(sha256)}", MAX_SNAPSHOT_BYTES)
        return None if content is None else iter((content,))

    async def redacts(self, sha256: str) -> bool:
        """Return whether a tracker reports, outside its log, that a snapshot was redacted. Raises
        Unavailable."""
        beside = self._beside(f"{SNAPSHOTS}/{sha256}")
        if beside is None:
            return False
        status, _ = await asyncio.to_thread(self._request, *beside, MAX_SNAPSHOT_BYTES)
        return status == GONE

    def texts(self, after: int, until: int) -> Iterator[bytes] | None:
        """Return the lines of texts; None if there are none. Raises Unavailable.

        A tracker serves texts at a sibling path of its log, a mirror below it.
        """
        first = self._texts_beside(after, min(after + TEXTS_POSITIONS, until))
        if first is None:
            content = self._read_below(ANNEXES, max_bytes(ANNEXES))
            return None if content is None else _lines(content)
        return self._all_texts(first, after + TEXTS_POSITIONS, until)

    def _all_texts(self, first: bytes, after: int, until: int) -> Iterator[bytes]:
        yield from _lines(first)
        for start in range(after, until, TEXTS_POSITIONS):
            yield from _lines(self._texts_beside(start, min(start + TEXTS_POSITIONS, until)) or b"")

    def _texts_beside(self, after: int, until: int) -> bytes | None:
        return self._read_beside(f"{ANNEXES}?after={after}&until={until}", max_bytes(ANNEXES))

    def _read_beside(self, path: str, limit: int) -> bytes | None:
        """Read a sibling path of the log of a tracker."""
        beside = self._beside(path)
        return None if beside is None else self._read(*beside, limit)

    def _beside(self, path: str) -> tuple[str, str] | None:
        """Return the sibling path of a log and its name in errors; None if the address is not of a
        tracker."""
        beside = self._parts.path.removesuffix(LOG_PATH)
        if beside == self._parts.path:
            return None
        return f"{beside}/{path}", f"{self.name.removesuffix(LOG_PATH)}/{path}"

    def _read_below(self, path: str, limit: int) -> bytes | None:
        """Read a path below the log of a bundle or a mirror."""
        return self._read(f"{self._parts.path}/{path}", f"{self.name}/{path}", limit)

    def _read(self, path: str, label: str, limit: int) -> bytes | None:
        """Return the content at a path; None if there is none."""
        status, content = self._request(path, label, limit)
        return content if status == OK else None

    def _request(self, path: str, label: str, limit: int) -> tuple[int, bytes]:
        """Return the status and the content of a response, with retries.

        Errors contain the path as `shown`, without possible secrets.
        """
        for pause in (*RETRY_DELAYS_SECONDS, None):
            try:
                status, content = self._exchange(path, limit)
                if status in (OK, NOT_FOUND, GONE):
                    return status, content
                reason = f"status {status}"
                if status not in RETRIED_STATUSES:
                    break
            except (OSError, HTTPException) as error:
                reason = str(error) or type(error).__name__
            if pause is not None:
                time.sleep(pause)
        raise Unavailable(f"{label}: {reason}")

    def missing_error(self, path: str, positions: range | None = None) -> TrackerError:
        """Return the error of a missing file: an address may have changed, so it is not a rejection."""
        return Unavailable(
            f"{self.name}/{path}: there is no such file. Is it the address of a log?"
        )

    async def checkpoints(self, after: int) -> AsyncIterator[tuple[int, bytes]]:
        """Return None: a website does not list its stored heads."""
        for checkpoint in list[tuple[int, bytes]]():
            yield checkpoint

    def close(self) -> None:
        """Close the connections."""
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    def _exchange(self, path: str, limit: int) -> tuple[int, bytes]:
        """Send a request and return the status and the content.

        A persistent connection may have been closed by the server, so the request is repeated once over a new
        one.
        """
        with suppress(queue.Empty):
            connection = self._idle.get_nowait()
            with suppress(OSError, HTTPException):
                return self._answer(connection, path, limit)
        return self._answer(self._connection(), path, limit)

    def _answer(self, connection: HTTPConnection, path: str, limit: int) -> tuple[int, bytes]:
        try:
            connection.request("GET", path, headers=self._headers)
            response = connection.getresponse()
            is_ok = response.status == OK  # the body of an error page may be long
            most = limit if is_ok else MAX_ENTRIES_BYTES
            deadline = time.monotonic() + ANSWER_TIMEOUT_SECONDS
            content = read_content(response, most + most // 100 + GZIP_FRAME_BYTES, deadline)
            content = _decompress(content, response.getheader("Content-Encoding"), most)
            response.close()  # before Python 3.13 the response counts as unread, and the connection as busy
        except BaseException:
            connection.close()
            raise
        if not response.will_close:
            self._idle.put(connection)
        return response.status, content

    def _connection(self) -> HTTPConnection:
        kind = HTTPSConnection if self._parts.scheme == "https" else HTTPConnection
        return kind(self._parts.netloc, timeout=READ_TIMEOUT_SECONDS)


def _lines(content: bytes) -> Iterator[bytes]:
    """Yield the lines of a file, each with its end."""
    return (line + b"\n" for line in content.split(b"\n") if line)


def _decompress(content: bytes, encoding: str | None, limit: int) -> bytes:
    """Decompress gzip data up to a number of bytes: logs may send gzip without being requested to (C2SP
    tlog-tiles).

    Raises HTTPException, and ResponseTooLarge.
    """
    whole, ended = content, True
    if encoding == "gzip":
        decoder = zlib.decompressobj(GZIP_WINDOW_BITS)
        try:
            whole = decoder.decompress(content, limit + 1)
        except zlib.error as error:
            raise HTTPException(f"invalid gzip data: {error}") from None
        ended = decoder.eof
    elif encoding not in (None, "", "identity"):
        raise HTTPException(f"its encoding is {encoding[:50]!r}: expected gzip")
    if len(whole) > limit:
        raise ResponseTooLarge(f"expected at most {limit:,} bytes")
    if not ended:
        raise HTTPException("what should be gzip is cut off")
    return whole
