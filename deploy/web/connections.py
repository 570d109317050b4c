"""Connection limits: number, speed, and memory for pending data.

A connected client costs a descriptor and memory even without requests. So slow clients are
disconnected. If there is no room, the client that has been waited for longest is disconnected. So
clients that send requests at once always connect.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from uvicorn.server import ServerState

from schema.http.limits import client_network

BODY_CHECK_SECONDS = 10.0
"""Interval in seconds in which a body must arrive at the minimum rate, or be complete."""
ANSWER_CHECK_SECONDS = 30.0
"""Interval in seconds in which a pending response must be received at the minimum rate."""
MIN_BYTES_PER_SECOND = 4096
MAX_RECEIVED_BYTES = 128 * 1024 * 1024
"""Maximum bytes of all unfinished bodies together."""
MAX_UNSENT_BYTES = 128 * 1024 * 1024
"""Maximum bytes of all responses that clients have not received."""
SPARE_CONNECTIONS = 16
"""Connections beyond the limit, which only serve health checks."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits per server and client."""

    connections: int = 10_000
    """Maximum number of connections."""
    client_connections: int = 200
    """Maximum number of connections of one address (IPv6: its /64), except trusted proxies."""
    head_bytes: int = 64 * 1024
    """Maximum bytes of the address and headers of a request."""
    head_seconds: float = 10.0
    """Seconds from the connection, or from the previous response, to the end of the headers."""


class Connection(Protocol):
    """A connection with its resources."""

    @property
    def wire(self) -> asyncio.BaseTransport:
        """Return the transport, which stays the same after an upgrade to WebSocket."""

    @property
    def unsent(self) -> int:
        """Return the number of bytes that the client has not received."""

    @property
    def is_paused(self) -> bool:
        """Whether the server has paused the reading."""

    def cut(self) -> None:
        """Close the connection immediately."""

    def finish(self) -> None:
        """Close the connection after the client has received all data."""


@dataclass(slots=True)
class Transfer:
    """The bytes of a transfer in total and in the current interval."""

    bytes: int
    since: float
    moved: int = 0

    def is_too_slow(self, now: float, seconds: float) -> bool:
        """Whether fewer bytes than required were transferred in an interval; success begins a new one."""
        if now - self.since < seconds:
            return False
        enough = self.moved >= seconds * MIN_BYTES_PER_SECOND
        self.since, self.moved = now, 0
        return not enough


class Connections(ServerState):
    """All connections of a server, within its limits."""

    def __init__(self, limits: Limits, is_proxy: Callable[[str], bool]):
        super().__init__()
        self.limits = limits
        self._is_proxy = is_proxy
        self._clients: dict[asyncio.BaseTransport, str] = {}
        self._of_client: Counter[str] = Counter()
        self._waiting: OrderedDict[Connection, float] = OrderedDict()
        self._receiving: OrderedDict[Connection, Transfer] = OrderedDict()
        self._stalled: OrderedDict[Connection, Transfer] = OrderedDict()
        self._received = self._unsent = 0

    def __len__(self) -> int:
        return len(self._clients)

    def begin(self, connection: Connection, address: str) -> int | None:
        """Count a new connection, and return the status of its refusal, or None."""
        client = client_network(address)
        if (
            not self._is_proxy(address)
            and self._of_client[client] >= self.limits.client_connections
        ):
            return 429
        full = len(self) >= self.limits.connections and not self._make_room()
        self._clients[connection.wire] = client
        self._of_client[client] += 1
        return 503 if full else None

    @property
    def has_spare(self) -> bool:
        """Whether a connection beyond the limit may stay for a health check."""
        return len(self) <= self.limits.connections + SPARE_CONNECTIONS

    def end(self, connection: Connection) -> None:
        """Remove a closed connection."""
        self._waiting.pop(connection, None)
        self.received_all(connection)
        self.flows(connection)
        client = self._clients.pop(connection.wire, None)
        if client is not None:
            self._of_client[client] -= 1
            if not self._of_client[client]:
                del self._of_client[client]

    def wait(self, connection: Connection, now: float) -> None:
        """Record that a connection waits for the head of a request."""
        self._waiting[connection] = now

    def has_head(self, connection: Connection) -> None:
        """Record that the head is complete."""
        self._waiting.pop(connection, None)

    def receive(self, connection: Connection, now: float, size: int) -> None:
        """Record a part of an incomplete body."""
        body = self._receiving.setdefault(connection, Transfer(0, now))
        body.bytes += size
        body.moved += size
        self._received += size
        while self._received > MAX_RECEIVED_BYTES and self._cut_first(self._receiving):
            pass

    def received_all(self, connection: Connection) -> None:
        """Record that the body is complete."""
        if body := self._receiving.pop(connection, None):
            self._received -= body.bytes

    def stall(self, connection: Connection, now: float) -> None:
        """Record that the client's socket buffer is full."""
        self.flows(connection)
        answer = self._stalled[connection] = Transfer(connection.unsent, now)
        self._unsent += answer.bytes
        while self._unsent > MAX_UNSENT_BYTES and self._cut_first(self._stalled):
            pass

    def flows(self, connection: Connection) -> None:
        """Record that the client has received most data."""
        if answer := self._stalled.pop(connection, None):
            self._unsent -= answer.bytes

    def cut_slow(self, now: float) -> None:
        """Close the connections below the minimum rate."""
        late = now - self.limits.head_seconds
        while self._waiting and next(iter(self._waiting.values())) < late:
            self._waiting.popitem(last=False)[0].finish()
        for connection, body in list(self._receiving.items()):
            if body.is_too_slow(now, BODY_CHECK_SECONDS) and not connection.is_paused:
                self._cut(connection)
        for connection, answer in list(self._stalled.items()):
            taken = answer.bytes - connection.unsent
            answer.moved += taken
            answer.bytes -= taken
            self._unsent -= taken
            if answer.is_too_slow(now, ANSWER_CHECK_SECONDS):
                self._cut(connection)

    def _make_room(self) -> bool:
        """Close the connection that has been waited for longest; False without one."""
        return any(
            self._cut_first(slow) for slow in (self._waiting, self._receiving, self._stalled)
        )

    def _cut_first(self, slow: Mapping[Connection, object]) -> bool:
        connection = next(iter(slow), None)
        if connection is None:
            return False
        self._cut(connection)
        return True

    def _cut(self, connection: Connection) -> None:
        self.end(connection)
        connection.cut()
