"""Which connections stay: how many, how slow, and how much may wait in memory for all of them.

A client costs a descriptor and some memory for as long as it is connected, whether or not it ever
asks for anything. So whoever is slow is cut off, and when no room is left the one that has kept us
waiting longest makes room for the next: those who ask at once always get in.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from uvicorn.server import ServerState

from schema.http.authentication import client_network

BODY_CHECK_SECONDS = 10.0
"""In each so many seconds a body has to come at the least pace, or be complete."""
ANSWER_CHECK_SECONDS = 30.0
"""In each so many seconds an answer that waits has to be taken at the least pace."""
MIN_BYTES_PER_SECOND = 4096
MAX_RECEIVED_BYTES = 128 * 1024 * 1024
"""What all unfinished bodies may be together."""
MAX_UNSENT_BYTES = 128 * 1024 * 1024
"""What all answers that their clients do not take may be together."""
SPARE_CONNECTIONS = 16
"""Connections beyond the limit, on which only the health of the server can be asked for."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What clients may take of the server."""

    connections: int = 10_000
    """Connections in all."""
    client_connections: int = 200
    """Connections of one address (IPv6: its /64), unless it is that of a trusted proxy."""
    head_bytes: int = 64 * 1024
    """The address and the headers of a request together."""
    head_seconds: float = 10.0
    """Seconds from the connection, or from the answer before, to the end of the headers."""


class Connection(Protocol):
    """A connection, as far as its room is concerned."""

    @property
    def wire(self) -> asyncio.BaseTransport:
        """The transport, which stays the same when a WebSocket begins on it."""

    @property
    def unsent(self) -> int:
        """How many bytes wait for the client to take them."""

    def cut(self) -> None:
        """End it at once."""

    def finish(self) -> None:
        """End it when the client has taken what it was sent."""


@dataclass(slots=True)
class Transfer:
    """How many bytes there are of what comes or goes, and how many moved lately."""

    bytes: int
    since: float
    moved: int = 0

    def is_too_slow(self, now: float, seconds: float) -> bool:
        """Whether less moved within so many seconds than has to; each time it did, they begin anew."""
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
        """Count a new connection: the status of its refusal, or None where it may be served."""
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
        """Whether a connection beyond the limit may stay to ask for the health of the server."""
        return len(self) <= self.limits.connections + SPARE_CONNECTIONS

    def end(self, connection: Connection) -> None:
        """Forget a connection that has ended."""
        self._waiting.pop(connection, None)
        self.received_all(connection)
        self.flows(connection)
        client = self._clients.pop(connection.wire, None)
        if client is not None:
            self._of_client[client] -= 1
            if not self._of_client[client]:
                del self._of_client[client]

    def wait(self, connection: Connection, now: float) -> None:
        """From now on a connection owes the head of a request."""
        self._waiting[connection] = now

    def has_head(self, connection: Connection) -> None:
        """The head has come."""
        self._waiting.pop(connection, None)

    def receive(self, connection: Connection, now: float, size: int) -> None:
        """A part of a body that is not complete has come."""
        body = self._receiving.setdefault(connection, Transfer(0, now))
        body.bytes += size
        body.moved += size
        self._received += size
        while self._received > MAX_RECEIVED_BYTES and self._cut_first(self._receiving):
            pass

    def received_all(self, connection: Connection) -> None:
        """The body is complete."""
        if body := self._receiving.pop(connection, None):
            self._received -= body.bytes

    def stall(self, connection: Connection, now: float) -> None:
        """More waits for the client than its socket takes."""
        self.flows(connection)
        answer = self._stalled[connection] = Transfer(connection.unsent, now)
        self._unsent += answer.bytes
        while self._unsent > MAX_UNSENT_BYTES and self._cut_first(self._stalled):
            pass

    def flows(self, connection: Connection) -> None:
        """The client has taken most of it."""
        if answer := self._stalled.pop(connection, None):
            self._unsent -= answer.bytes

    def cut_slow(self, now: float) -> None:
        """End the connections that are slower than anyone has to be."""
        late = now - self.limits.head_seconds
        while self._waiting and next(iter(self._waiting.values())) < late:
            self._waiting.popitem(last=False)[0].finish()
        for connection, body in list(self._receiving.items()):
            if body.is_too_slow(now, BODY_CHECK_SECONDS):
                self._cut(connection)
        for connection, answer in list(self._stalled.items()):
            taken = answer.bytes - connection.unsent
            answer.moved += taken
            answer.bytes -= taken
            self._unsent -= taken
            if answer.is_too_slow(now, ANSWER_CHECK_SECONDS):
                self._cut(connection)

    def _make_room(self) -> bool:
        """End the connection that has kept us waiting longest; False if none does."""
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
