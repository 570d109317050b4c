"""Connection to the first suitable one of several hosts.

A frozen host accepts connections without responding. So the next host is tried too if one has not responded
for a moment, and the first response wins. While one host is silent, unsuitable hosts are retried, because one
of them may be promoted. The host of the last connection is tried first.
Servers of older timelines are refused.
"""

import asyncio
import logging
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

import asyncpg

TIMELINE = Path(__file__).with_name("timeline.sql").read_text(encoding="utf-8")

OLD_TIMELINE_SECONDS = 60.0
"""Seconds after the last connection to a newer timeline in which no older one is accepted."""


class OldTimeline(ConnectionError):
    """A server is writable, but another one has been promoted since."""


@dataclass(slots=True)
class Cluster:
    """Servers that replicate one another, as known to this process for a list of hosts."""

    timeline: int = 0
    """The newest timeline seen."""
    seen_at: float = 0.0
    """Time of the last connection to it, by the monotonic clock."""
    connections: WeakKeyDictionary[Any, int] = field(default_factory=WeakKeyDictionary)
    """Connections to writable servers, with their timelines."""

    def admit(self, connection: Any, timeline: int) -> None:
        """Register a connection, and drop all connections to older timelines. Raises OldTimeline."""
        now = time.monotonic()
        if timeline < self.timeline and self._has_newest(now):
            raise OldTimeline(
                f"the server writes timeline {timeline}, but {self.timeline} was begun by another"
            )
        is_newer = timeline > self.timeline
        self.connections[connection], self.timeline, self.seen_at = timeline, timeline, now
        if is_newer:
            self._drop_older()

    def _has_newest(self, now: float) -> bool:
        """Return whether a writer of the newest timeline was connected recently."""
        return now - self.seen_at < OLD_TIMELINE_SECONDS or any(
            timeline == self.timeline and not connection.is_closed()
            for connection, timeline in list(self.connections.items())
        )

    def _drop_older(self) -> None:
        older = [
            connection
            for connection, timeline in list(self.connections.items())
            if timeline < self.timeline and not connection.is_closed()
        ]
        if older:
            logger.warning("another server is the primary now: %d connections end", len(older))
        for connection in older:
            with suppress(RuntimeError):  # the loop of another thread may be closed
                connection._loop.call_soon_threadsafe(connection.terminate)


CLUSTERS: dict[Hashable, Cluster] = defaultdict(Cluster)
"""The clusters known to this process, by their hosts and their identifiers. A copy restored elsewhere has
the same identifier, but its own timelines."""


async def admit(hosts: Hashable, connection: Any) -> None:
    """Register the server of a new connection, by a list of hosts, and drop connections to its
    predecessors.

    Raises OldTimeline if the server itself is a predecessor, and connection errors.
    """
    try:
        row = await connection.fetchrow(TIMELINE)
    except (asyncpg.InsufficientPrivilegeError, asyncpg.FeatureNotSupportedError):
        return  # a service that does not report it: only its own address leads to the primary
    if row["timeline"] is not None:
        CLUSTERS[hosts, row["cluster"]].admit(connection, row["timeline"])


PREFER_STANDBY = "prefer-standby"
DEFAULT_PORT = 5432
HEAD_START_SECONDS = 0.3
"""Seconds without a response after which the next host is tried too."""

Address: TypeAlias = "tuple[str | None, int | None]"
Addresses: TypeAlias = "tuple[Address, ...]"

PASSED_OVER = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InternalClientError,
)
"""Errors after which another host is tried; a refused login is not one."""

logger = logging.getLogger(__name__)

_last_taken: dict[tuple[Addresses, str | None], Address] = {}
"""The last connected host of each list, by session attributes."""


async def connect_to_first(
    *,
    host: str | Sequence[str] | None = None,
    port: int | Sequence[int] | None = None,
    timeout: float,
    target_session_attrs: str | None = None,
    beside: Mapping[str, Any] | None = None,
    **options: Any,
) -> Any:
    """Connect to a suitable host, trying each for `timeout` seconds at most.

    `beside` has the hosts of the servers themselves if the given ones are poolers. With `prefer-standby` any
    host is accepted if no standby responds. Raises the last error of a host, with a note of the address.
    """
    addresses = _addresses(host, port)
    servers = _addresses(beside.get("host"), beside.get("port")) if beside else addresses

    async def connect(address: Address, attributes: str | None) -> Any:
        async with asyncio.timeout(timeout):
            connection = await asyncpg.connect(
                host=address[0],
                port=address[1],
                timeout=timeout,
                target_session_attrs=attributes,  # type: ignore[arg-type]  # text will do
                **options,
            )
            try:
                await admit(servers, connection)
            except BaseException:
                connection.terminate()
                raise
        return connection

    failure: Exception | None = None
    try:
        for attributes in _attributes(target_session_attrs):
            try:
                return await _race(addresses, attributes, connect, timeout)
            except PASSED_OVER as error:
                failure = error
        assert failure is not None
        raise failure
    except Exception as error:
        error.add_note(address(host, port, options.get("database")))
        raise


def address(
    host: str | Sequence[str] | None, port: int | Sequence[int] | None, database: str | None = None
) -> str:
    """Return the address of a target for people: hosts, ports and database, without login and password."""
    hosts = ",".join(
        f"{f'[{name}]' if ':' in name else name}:{number or DEFAULT_PORT}" if name else "localhost"
        for name, number in _addresses(host, port)
    )
    return f"{hosts}/{database}" if database else hosts


async def _race(
    addresses: Addresses,
    attributes: str | None,
    connect: Callable[[Address, str | None], Awaitable[Any]],
    seconds: float,
) -> Any:
    """Return the connection of the first host that succeeds.

    Each host is tried for a number of seconds, and none is retried after the same time.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    last = _last_taken.get((addresses, attributes))
    waiting = deque(sorted(addresses, key=lambda address: address != last))
    pending: dict[asyncio.Future[Any], Address] = {}
    refused: list[Address] = []
    failure: Exception | None = None
    try:
        while waiting or pending:
            if waiting:
                address = waiting.popleft()
                pending[asyncio.ensure_future(connect(address, attributes))] = address
            done, _ = await asyncio.wait(
                pending, timeout=HEAD_START_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            while answered := next((task for task in pending if task.done()), None):
                address = pending.pop(answered)
                try:
                    connection = answered.result()
                except PASSED_OVER as error:
                    failure = error
                    refused.append(address)
                    logger.info("%s:%s is passed over: %s", *address, type(error).__name__)
                else:
                    _last_taken[addresses, attributes] = address
                    return connection
            if not done and not waiting and loop.time() < deadline:
                waiting.extend(refused)
                refused.clear()
    finally:
        for task in pending:
            task.cancel()
            task.add_done_callback(_discard)
    assert failure is not None
    raise failure


def _discard(late: asyncio.Future[Any]) -> None:
    """Close a connection that was made too late."""
    if not late.cancelled() and not late.exception():
        late.result().terminate()


def _attributes(session_attributes: str | None) -> Sequence[str | None]:
    """Return the session attributes to try, in order."""
    return ("standby", "any") if session_attributes == PREFER_STANDBY else (session_attributes,)


def _addresses(host: str | Sequence[str] | None, port: int | Sequence[int] | None) -> Addresses:
    """Return each host with its port; a single port applies to all."""
    hosts = [host] if host is None or isinstance(host, str) else list(host)
    ports = [port] if port is None or isinstance(port, int) else list(port)
    return tuple(zip(hosts, ports if len(ports) == len(hosts) else ports * len(hosts), strict=True))
