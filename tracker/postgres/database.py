"""Connections to PostgreSQL: pools, roles, named queries."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeAlias, TypeVar

import asyncpg

from tracker.postgres.hosts import address, connect_to_first
from tracker.postgres.session_settings import (
    SILENCE_TIMEOUT_SECONDS,
    TRANSPORT_SETTINGS,
    check_server,
    check_session,
    refused_settings,
    session_settings,
)

T = TypeVar("T")
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = (
    "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
)
Check: TypeAlias = "Callable[[Connection], Awaitable[None]]"
Target = dict[str, Any]
"""Keyword arguments of `asyncpg.connect` that select the database."""

CONNECTION_ERRORS = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""Errors of a lost or failing connection; the last one is that of a connection lost while idle."""

OWNER, PROJECTOR, API = "tracker_owner", "tracker_projector", "tracker_api"
PUBLISHER, DELIVERER, WATCHER = "tracker_publisher", "tracker_deliverer", "tracker_watcher"
MAILER = "tracker_mailer"
"""The roles; see migrations/0019_roles.sql and 0026_mail_role.sql."""

NO_SETTINGS: Mapping[str, str] = {}
CONNECT_TIMEOUT_SECONDS = 10
"""Default timeout of connecting, in seconds."""
HOST_TIMEOUT_SECONDS = 3
"""Default timeout of connecting to each of several hosts, in seconds."""
COMMAND_TIMEOUT_SECONDS = 60
"""Timeout of a query of a pool, in seconds. Then its connection is dropped."""
IDLE_CHECK_SECONDS = 1
"""Seconds of idleness after which a pooled connection is checked before use."""
CHECK_TIMEOUT_SECONDS = 2
"""Timeout of this check, in seconds."""
SILENCE_TIMEOUT_SETTING = f"{SILENCE_TIMEOUT_SECONDS}s"
"""The idle timeout as a setting, for transactions of the projector and the publisher."""
FIRST_OWN_TYPE = 10_000
"""PostgreSQL assigns smaller object ids by hand, and never again otherwise (`access/transam.h`)."""
BUILTIN_TYPES: dict[frozenset[int], Any] = {}
"""Types such as arrays, which asyncpg would read on each connection, in 20 ms. Only `Session` adds."""
QUERY_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


@cache
def named_queries(path: Path) -> SimpleNamespace:
    """Return the queries of a `.sql` file, by the names in its `-- name:` lines."""
    _, *parts = QUERY_NAME.split(path.read_text(encoding="utf-8"))
    names, bodies = parts[::2], parts[1::2]
    return SimpleNamespace(**dict(zip(names, map(str.strip, bodies), strict=True)))


class Session(asyncpg.Connection):
    """A connection that is dropped if asyncpg would cancel a commit.

    A cancelled commit that waits for a synchronous standby succeeds with a warning, on one server only. If
    its client disconnects, it continues to wait, while all other commands end
    (`client_connection_check_interval`). A query within a transaction commits nothing. It is cancelled, so
    that the transaction can be rolled back.
    """

    _committing = False

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self.used_at = time.monotonic()
        """Time when it was created or returned to its pool."""

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:
        """Execute a command as in asyncpg, whose transactions end through this method."""
        self._committing = query.startswith("COMMIT")
        return await self._leave_read_only(super().execute(query, *args, timeout=timeout))

    async def _do_execute(self, *arguments: Any, **options: Any) -> Any:
        return await self._leave_read_only(super()._do_execute(*arguments, **options))  # type: ignore[misc]

    async def _introspect_types(self, types: Collection[int], timeout: float | None) -> Any:
        """Read types of PostgreSQL itself once a process: they are equal in all databases."""
        key = frozenset(types)
        if key in BUILTIN_TYPES:
            return BUILTIN_TYPES[key], SimpleNamespace(name="nothing was sent")
        found, statement = await super()._introspect_types(types, timeout)  # type: ignore[misc]
        if max(types) < FIRST_OWN_TYPE:
            BUILTIN_TYPES[key] = found
        return found, statement

    async def _leave_read_only(self, command: Awaitable[T]) -> T:
        """Drop the connection if its server has become read-only: a new connection searches for the
        primary."""
        try:
            return await command
        except asyncpg.ReadOnlySQLTransactionError:
            self._drop_soon()
            raise

    def _cancel_current_command(self, *waiters: Any) -> None:
        loop = asyncio.get_running_loop()
        if self.is_in_transaction() and not self._committing:
            super()._cancel_current_command(*waiters)  # type: ignore[misc]  # not in the stubs
            loop.call_later(CHECK_TIMEOUT_SECONDS, self._drop_if_silent)
        else:
            self._drop_soon()

    def _drop_soon(self) -> None:
        """Drop the connection after the pool, which may receive it now, has processed a cancellation."""
        loop = asyncio.get_running_loop()
        loop.call_soon(loop.call_soon, self.terminate)

    def _drop_if_silent(self) -> None:
        """Do not wait for a rollback over a connection on which the cancellation has not finished."""
        if not self.is_closed() and self._protocol._is_cancelling():  # type: ignore[attr-defined]
            self.terminate()


class RewritingSession(Session):
    """A connection that prepares other statements than those of its callers."""

    def rewritten(self, query: str) -> str:
        """Return the statement for a query."""
        raise NotImplementedError

    async def _get_statement(self, query: str, *arguments: Any, **options: Any) -> Any:
        return await super()._get_statement(self.rewritten(query), *arguments, **options)  # type: ignore[misc]


class SilentConnection(ConnectionError):
    """A connection from a pool does not respond."""


class CheckedPool(asyncpg.Pool):
    """A pool that hands out no connection that became silent while idle.

    The kernel detects the loss of a host, but not a frozen process in between, such as a pooler. If one
    connection is silent, all are replaced, because they use the same route.
    """

    async def _acquire(self, timeout: float | None) -> Any:
        try:
            return await super()._acquire(timeout)  # type: ignore[misc]  # not in the stubs
        except SilentConnection:
            await self.expire_connections()
            return await super()._acquire(timeout)  # type: ignore[misc]


async def connect(target: Target, *, role: str | None = None) -> Session:
    """Open a separate connection, for listening or long transactions; as the login without a role."""
    settings = session_settings(role)
    connection: Session = await _connect(
        **_with_defaults(target),
        connection_class=Session,
        server_settings={**TRANSPORT_SETTINGS, **settings},
    )
    try:
        await _begin(connection, settings)
    except BaseException:
        connection.terminate()
        raise
    return connection


async def create_pool(
    target: Target,
    *,
    role: str | None = API,
    size: int = 10,
    settings: Mapping[str, str] = NO_SETTINGS,
    seconds: float = COMMAND_TIMEOUT_SECONDS,
    check: Check | None = None,
    pooled: bool = False,
    beside: Target | None = None,
    kind: Callable[..., CheckedPool] = CheckedPool,
    session: type[Session] = Session,
    least: int = 1,
) -> Pool:
    """Create a pool of up to `size` connections that work as a role, with their own settings.

    `check` examines each new connection before use, and raises an error for an unsuitable server. A command
    that takes longer than `seconds` raises TimeoutError.

    `pooled`: the connections go through a pooler, to which no settings are sent, because its login has them.
    `beside` is then the direct route, over which a change of the primary is detected. `least` connections are
    opened at once; with 0 no server needs to respond yet. Raises UnsuitableConnection.
    """
    needed = {**session_settings(role), **settings}

    async def begin(connection: Connection) -> None:
        await _begin(connection, needed, pooled)
        if check:
            await check(connection)

    return await kind(
        **_with_defaults(target),
        min_size=least,
        max_size=size,
        connection_class=session,
        server_settings={} if pooled else {**TRANSPORT_SETTINGS, **needed},
        command_timeout=seconds,
        connect=partial(_connect, beside=beside),  # called by name only
        init=begin,
        setup=_check_alive,
        reset=_no_reset,
        # the defaults of asyncpg.create_pool
        max_queries=50_000,
        max_inactive_connection_lifetime=300,
        record_class=asyncpg.Record,
        loop=None,
    )


def place(connection: Any) -> str:
    """Return the address of the database that a connection leads to, without its login."""
    of, database = connection._addr, connection._params.database
    return f"{of}/{database}" if isinstance(of, str) else address(of[0], of[1], database)


def pool_usage(pool: Pool) -> tuple[int, int]:
    """Return the number of busy connections of a pool, and its maximum."""
    return pool.get_size() - pool.get_idle_size(), pool.get_max_size()


async def _check_alive(connection: Any) -> None:
    """Check a connection that has been idle for a while; raises SilentConnection."""
    if time.monotonic() - connection.used_at < IDLE_CHECK_SECONDS:
        return
    try:
        await connection.execute("SELECT 1", timeout=CHECK_TIMEOUT_SECONDS)
    except CONNECTION_ERRORS as error:
        connection.terminate()
        raise SilentConnection("a connection does not respond") from error
    # asyncpg would hand out a closed connection, never get it back, and wait for it when the pool is closed.
    if connection.is_closed():
        raise SilentConnection("a connection was closed after its check")


async def _no_reset(connection: Any) -> None:
    """Return a connection without a reset: sessions have no changes beyond a transaction.

    The usual reset would cost one round trip per query.
    """
    connection.used_at = time.monotonic()


def _with_defaults(target: Target) -> Target:
    several = not isinstance(target.get("host", ""), str) and len(target["host"]) > 1
    return {"timeout": HOST_TIMEOUT_SECONDS if several else CONNECT_TIMEOUT_SECONDS} | target


async def _connect(**options: Any) -> Any:
    """Connect to the first suitable host. Raises UnsuitableConnection for a pooler that refuses our
    settings."""
    try:
        return await connect_to_first(**options)
    except asyncpg.ProtocolViolationError as error:
        raise refused_settings(error) or error from None


async def _begin(connection: Any, settings: Mapping[str, str], pooled: bool = False) -> None:
    """Prepare a new connection. Raises UnsuitableConnection."""
    check_server(connection, place(connection))
    await _watch_network(connection)
    await check_session(connection, settings, pooled=pooled)


async def _watch_network(connection: Connection) -> None:
    """Configure the kernel to end a TCP connection whose peer is lost."""
    transport = connection._transport  # type: ignore[union-attr]  # asyncpg has no other way to it
    sock = transport.get_extra_info("socket")
    if sock.family == socket.AF_UNIX:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", 4),
        ("TCP_KEEPINTVL", 2),
        ("TCP_KEEPCNT", 2),
        ("TCP_USER_TIMEOUT", SILENCE_TIMEOUT_SECONDS * 1000),
    ):
        if option := getattr(socket, name, None):  # not every system has all of them
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
