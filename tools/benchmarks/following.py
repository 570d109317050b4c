"""Many followers in one process, for `fanout.py`, with a check of order and completeness.

    python -m tools.benchmarks.following WAY PORT CONNECTIONS

It prints `ready` when all follow. Then it reads one line of JSON with recording times by position, and prints
the result. The connections come from a hundred addresses of this machine (Linux has all of 127.0.0.0/8),
because the number per client is limited.
"""

from __future__ import annotations

import json
import re
import select
import socket
import sys
import time
import zlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from tests.support.websocket_client import framed

CLIENTS = 100
MAX_BEGINNING = 100
"""Maximum number of connections being opened."""
READ_BYTES = 256 * 1024
POSITION = re.compile(rb'"position":"(\d+)"')
PING, COMPRESSED = 0x89, 0x40
"""First byte of a ping, and the bit of a compressed message (RFC 6455, RFC 7692)."""
EVENTS = "subscription Follow { events { position type entity recordedAt } }"
STATES = (
    "subscription Watch { worldChanged(places: [CN], kinds: [EXPORT_CONTROL]) { position"
    ' exportControls(issuer: "CN", first: 20) { totalCount nodes { key title } } } }'
).replace("[CN]", '["CN"]')


def get(path: str, *headers: str) -> bytes:
    """Return a GET request."""
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", *headers]
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"


def upgrade(*headers: str) -> bytes:
    """Return the handshake of a WebSocket."""
    return get(
        "/graphql",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: graphql-transport-ws",
        *headers,
    )


def subscription(document: str, number: int) -> bytes:
    """Return a subscription on a WebSocket. Clients choose their own ids."""
    message = framed(type="subscribe", id=f"follower-{number}", payload={"query": document})
    return framed(type="connection_init") + message


class Reader(Protocol):
    """A reader of the positions on one connection."""

    pongs: bytes
    """Bytes to send to the server."""

    def begun(self, data: bytes) -> bool:
        """Process the first data, and return whether the connection is accepted."""

    def positions(self, data: bytes) -> Iterator[int]:
        """Yield the positions that are complete now."""


class PlainReader:
    """A reader of positions in text, split at any byte."""

    __slots__ = ("_rest", "_welcome", "pongs")

    def __init__(self, welcome: bytes):
        self.pongs = b""
        self._welcome = welcome
        self._rest = b""

    def begun(self, data: bytes) -> bool:
        """Search for the welcome message."""
        self._rest += data
        has_begun = self._welcome in self._rest
        if has_begun:
            self._rest = b""
        return has_begun

    def positions(self, data: bytes) -> Iterator[int]:
        """Yield positions, and keep an incomplete one."""
        data, end = self._rest + data, 0
        for match in POSITION.finditer(data):
            end = match.end()
            yield int(match[1])
        self._rest = data[end:][-40:]


class GzipReader(PlainReader):
    """A reader of positions in a compressed and chunked body."""

    __slots__ = ("_chunks", "_unpack")

    def __init__(self, welcome: bytes):
        super().__init__(welcome)
        self._unpack = zlib.decompressobj(31)
        self._chunks = b""

    def begun(self, data: bytes) -> bool:
        """Return whether any data arrived: it is the start of the body."""
        list(self.positions(data))
        return True

    def positions(self, data: bytes) -> Iterator[int]:
        """Decompress the complete chunks and yield their positions."""
        self._chunks += data
        while b"\r\n" in self._chunks:
            size, _, rest = self._chunks.partition(b"\r\n")
            length = int(size, 16)
            if len(rest) < length + 2:
                return
            self._chunks = rest[length + 2 :]
            yield from super().positions(self._unpack.decompress(rest[:length]))


class WebSocketReader:
    """A reader of positions in WebSocket messages of one frame each, with pongs."""

    __slots__ = ("_frames", "_unpack", "pongs")

    def __init__(self, welcome: bytes):
        self._frames = b""
        self._unpack: Any = None
        self.pongs = b""
        """Pongs to send to the server."""

    def begun(self, data: bytes) -> bool:
        """Return whether the first message is the acknowledgement."""
        return b"connection_ack" in b"".join(self._messages(data))

    def positions(self, data: bytes) -> Iterator[int]:
        """Yield the positions in complete messages."""
        for message in self._messages(data):
            yield from (int(position) for position in POSITION.findall(message))

    def _messages(self, data: bytes) -> Iterator[bytes]:
        frames, begin = self._frames + data, 0
        while len(frames) - begin > 3:
            short = frames[begin + 1]
            body = begin + (4 if short == 126 else 2)
            size = int.from_bytes(frames[begin + 2 : body], "big") if short == 126 else short
            if len(frames) < body + size:
                break
            if frames[begin] == PING:
                self.pongs += b"\x8a\x84" + bytes(4) + frames[body : body + size]
            else:
                yield self._text(frames[begin], frames[body : body + size])
            begin = body + size
        self._frames = frames[begin:]

    def _text(self, first: int, body: bytes) -> bytes:
        if not first & COMPRESSED:
            return body
        self._unpack = self._unpack or zlib.decompressobj(-15)
        return bytes(self._unpack.decompress(body + b"\0\0\xff\xff"))


@dataclass(frozen=True)
class Way:
    """A method of following: its request, and the response that accepts it."""

    request: bytes
    welcome: bytes
    document: str = ""
    """Document of the subscription after the response head."""
    reader: Callable[[bytes], Reader] = PlainReader
    every: bool = True
    """Whether every event arrives; otherwise only the last one must."""


DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate"
WAYS = {
    "websocket": Way(upgrade(), b"", EVENTS, WebSocketReader),
    "websocket-deflate": Way(upgrade(DEFLATE), b"", EVENTS, WebSocketReader),
    "world-changed": Way(upgrade(), b"", STATES, WebSocketReader, every=False),
    "events": Way(get("/events"), b"retry:"),
    "events-gzip": Way(get("/events", "Accept-Encoding: gzip"), b"", reader=GzipReader),
}


@dataclass(frozen=True, slots=True)
class Followed:
    """Results of all followers: lag in milliseconds, and violations."""

    p50: float
    p99: float
    worst: float
    delivered: int
    missed: int
    doubled: int
    ended: int


@dataclass
class Followers:
    """Following connections, read by one thread."""

    way: Way
    port: int
    last: dict[int, int] = field(default_factory=dict)
    """Last position by descriptor."""
    times: dict[int, array[float]] = field(default_factory=dict)
    """Arrival times of each position, at all followers."""
    doubled: int = 0
    skipped: int = 0
    ended: int = 0

    def __post_init__(self) -> None:
        self.poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._readers: dict[int, Reader] = {}
        self._heads: dict[int, bytes] = {}
        self._begun: set[int] = set()

    def open(self, connections: int) -> None:
        """Open connections, a hundred at a time, until all are accepted."""
        until = time.monotonic() + 600
        for number in range(connections):
            self._connect(number)
            self._wait(number + 1 - MAX_BEGINNING, until)
        self._wait(connections, until)

    def _wait(self, connections: int, until: float) -> None:
        while len(self._begun) < connections:
            if time.monotonic() > until or self.ended:
                sys.exit(f"{len(self._begun)} of {connections} were let in")
            self.read(1)

    def _connect(self, number: int) -> None:
        connection = socket.socket()
        connection.bind((f"127.0.1.{1 + number % CLIENTS}", 0))
        connection.connect(("127.0.0.1", self.port))
        connection.setblocking(False)
        connection.send(self.way.request)
        descriptor = connection.fileno()
        self._sockets[descriptor] = connection
        self._heads[descriptor] = b""
        self._readers[descriptor] = self.way.reader(self.way.welcome)
        self.poll.register(descriptor, select.EPOLLIN)

    def read(self, seconds: float) -> None:
        """Read available data, waiting at most `seconds`."""
        for descriptor, _ in self.poll.poll(seconds):
            try:
                data = self._sockets[descriptor].recv(READ_BYTES)
            except BlockingIOError:
                continue
            except ConnectionError:
                data = b""
            if data:
                self._take(descriptor, data)
            else:
                self.ended += 1
                self.poll.unregister(descriptor)
                self._sockets.pop(descriptor).close()

    def _take(self, descriptor: int, data: bytes) -> None:
        reader = self._readers[descriptor]
        if descriptor in self._heads:
            head, end, data = (self._heads[descriptor] + data).partition(b"\r\n\r\n")
            if not end:
                self._heads[descriptor] = head
                return
            del self._heads[descriptor]
            if self.way.document:
                self._sockets[descriptor].send(subscription(self.way.document, descriptor))
        if descriptor not in self._begun:
            if data and reader.begun(data):
                self._begun.add(descriptor)
            return
        now = time.time()
        for position in reader.positions(data):
            last = self.last.get(descriptor)
            if last is not None:
                self.doubled += position <= last
                self.skipped += max(0, position - last - 1)
            self.last[descriptor] = position
            self.times.setdefault(position, array("d")).append(now)
        if reader.pongs:
            self._sockets[descriptor].send(reader.pongs)
            reader.pongs = b""

    def result(self, recorded: dict[int, float], connections: int) -> Followed:
        """Return the results for events by recording time."""
        delays = sorted(
            1000 * (came - since)
            for position, since in recorded.items()
            for came in self.times.get(position, ())
        ) or [0.0]
        final = max(recorded)
        missed = sum(self.last.get(each, 0) < final for each in self._readers)
        if self.way.every:
            missed += self.skipped
            missed += sum(
                max(0, connections - len(self.times.get(first, ()))) for first in [min(recorded)]
            )
        at = len(delays) - 1
        return Followed(
            delays[at // 2],
            delays[at * 99 // 100],
            delays[at],
            len(delays),
            missed,
            self.doubled,
            self.ended,
        )

    def complete(self, recorded: dict[int, float]) -> bool:
        """Whether every follower has the last event."""
        return Counter(self.last.values())[max(recorded)] >= len(self._readers)


def main() -> None:
    """Follow until a line gives the recorded events, and then until all have arrived."""
    way, port, connections = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    followers = Followers(WAYS[way], port)
    followers.open(connections)
    print("ready", flush=True)
    poller = select.epoll()
    poller.register(sys.stdin.fileno(), select.EPOLLIN)
    while not poller.poll(0):
        followers.read(0.02)
    recorded = {int(position): since for position, since in json.loads(input()).items()}
    until = time.monotonic() + 60
    while time.monotonic() < until and not followers.complete(recorded):
        followers.read(0.1)
    print(json.dumps(asdict(followers.result(recorded, connections))), flush=True)


if __name__ == "__main__":
    main()
