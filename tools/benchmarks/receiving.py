"""A low-overhead receiver for `deliveries.py`.

    python -m tools.benchmarks.receiving

It prints its port. It accepts posts to any address at once, but never responds below `/hang/`. For each input
line it prints the data received since the last one, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import NamedTuple, cast

import uvloop

ACCEPTED = b"HTTP/1.1 204 No Content\r\n\r\n"
UNKNOWN = b"HTTP/1.1 405 Method Not Allowed\r\nAllow: POST\r\nContent-Length: 0\r\n\r\n"
"""Response to a handshake, which this receiver does not support."""
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
ENTRY = re.compile(
    rb'"specversion":"1.0","position":"(\d+)","time":"([^"]+)".*?"previousposition":"(\d+)"'
)


@dataclass(frozen=True, slots=True)
class Received:
    """Received events; lags are milliseconds since recording."""

    events: int
    endpoints: int
    seconds: float
    """Seconds from the first acceptance to the last."""
    p50: float
    p99: float
    worst: float
    missed: int
    """Gaps: events whose previous position did not arrive before."""
    doubled: int
    hanging: int
    """Requests without a response."""


class Post(NamedTuple):
    """An accepted request."""

    path: bytes
    body: bytes
    at: float


class Posts:
    """Requests since the last report."""

    def __init__(self) -> None:
        self.accepted: list[Post] = []
        self.hanging = 0
        self._last: dict[bytes, int] = {}

    def report(self) -> Received:
        """Return the events received since the last report."""
        posts, self.accepted = self.accepted, []
        lags: list[float] = []
        missed = doubled = 0
        for path, body, at in posts:
            for position, previous, recorded in _events(body):
                last = self._last.get(path)
                doubled += last is not None and position <= last
                missed += last is not None and position > last != previous
                self._last[path] = max(position, last or 0)
                lags.append(1000 * (at - recorded))
        centiles = statistics.quantiles(lags or [0, 0], n=100, method="inclusive")
        return Received(
            len(lags),
            len({post.path for post in posts}),
            posts[-1].at - posts[0].at if posts else 0,
            centiles[49],
            centiles[98],
            max(lags, default=0),
            missed,
            doubled,
            self.hanging,
        )


def _events(body: bytes) -> Iterator[tuple[int, int, float]]:
    """Yield position, previous position and recording time of each event."""
    for match in ENTRY.finditer(body):
        recorded = datetime.fromisoformat(match[2].decode()).timestamp()
        yield int(match[1]), int(match[3]), recorded


class Connection(asyncio.Protocol):
    """A connection that handles requests sequentially."""

    def __init__(self, posts: Posts):
        self._posts = posts
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Respond to each complete request."""
        self._received += data
        while (head := self._received.find(b"\r\n\r\n")) >= 0:
            length = LENGTH.search(self._received, 0, head)
            end = head + 4 + (int(length[1]) if length else 0)
            if len(self._received) < end:
                return
            method, path, _ = self._received[:head].split(b" ", 2)
            body, self._received = self._received[head + 4 : end], self._received[end:]
            if path.startswith(b"/hang/"):
                self._posts.hanging += 1
            elif method != b"POST":
                self._transport.write(UNKNOWN)
            else:
                self._posts.accepted.append(Post(path, body, time.time()))
                self._transport.write(ACCEPTED)


async def receive() -> None:
    """Receive until the end of the input."""
    loop, posts = asyncio.get_running_loop(), Posts()
    server = await loop.create_server(lambda: Connection(posts), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(asdict(posts.report())), flush=True)


if __name__ == "__main__":
    uvloop.run(receive())
