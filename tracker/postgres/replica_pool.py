"""Pools of connections to standbys, which are used like the primary.

Events that a process has shown must stay visible, although standbys lag by different amounts and any may be
used next. So a connection is handed out only if its server has replayed them. If none has within
`REPLAY_TIMEOUT_SECONDS`, or none responds, the primary is used, if it is configured.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from tracker.postgres.database import CONNECTION_ERRORS, CheckedPool, Connection, Session

REPLAY_TIMEOUT_SECONDS = 1.0
"""Seconds that a standby has to replay the position shown before."""
REPLAY_TIMEOUT_BESIDE_PRIMARY_SECONDS = 0.25
"""Seconds that a standby has if the primary can be used instead."""
REPLAY_CHECK_SECONDS = 0.02
CONFLICT_ATTEMPTS = 4
"""Number of attempts of a query that the replay of the log interrupts."""
CONFLICT_WAIT_SECONDS = 0.1
"""Seconds before the first retry; doubled for each further retry."""
CONFLICTS = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
"""Errors of PostgreSQL in this case: 40001, and 40P01 if the replay waited for a lock of the query."""
GONE_ERRORS = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
)
"""Errors of an unavailable server; other errors would be the same on every server."""

logger = logging.getLogger(__name__)


class BehindReplica(ConnectionError):
    """A standby has not replayed the position shown before."""


class ReplicaSession(Session):
    """A connection to a standby, which retries queries that the replay of the log interrupts."""

    replayed = -1
    """Known replayed position of its server."""

    async def _execute(self, *arguments: Any, **options: Any) -> Any:
        """Execute like asyncpg, below `fetch` and similar methods."""
        for left in reversed(range(CONFLICT_ATTEMPTS)):
            try:
                return await super()._execute(*arguments, **options)  # type: ignore[misc]
            except CONFLICTS as error:
                if not left or self.is_closed() or self.is_in_transaction():
                    raise
                logger.info("a query is retried: %s", error)
            await asyncio.sleep(CONFLICT_WAIT_SECONDS * 2 ** (CONFLICT_ATTEMPTS - 1 - left))
        raise AssertionError("unreachable")


class ReplicaPool(CheckedPool):
    """A pool of connections to standbys that have replayed the position shown."""

    primary: CheckedPool | None = None
    """Pool of the primary, used if no standby responds."""
    available = True
    """Whether standbys are used; without a primary always."""

    def follow(
        self, shown: Callable[[], int], replayed: Callable[[Connection], Awaitable[int]]
    ) -> None:
        """Set the position shown, and the query for the replayed position of a server."""
        self._shown, self._replayed = shown, replayed

    async def fetch(self, *arguments: Any, **options: Any) -> Any:
        """Fetch as in asyncpg, with a retry if the standby was lost meanwhile."""
        return await self._with_retry(super().fetch, *arguments, **options)

    async def fetchrow(self, *arguments: Any, **options: Any) -> Any:
        """Fetch a row like `fetch`."""
        return await self._with_retry(super().fetchrow, *arguments, **options)

    async def fetchval(self, *arguments: Any, **options: Any) -> Any:
        """Fetch a value like `fetch`."""
        return await self._with_retry(super().fetchval, *arguments, **options)

    async def _with_retry(
        self, fetch: Callable[..., Awaitable[Any]], *arguments: Any, **options: Any
    ) -> Any:
        try:
            return await fetch(*arguments, **options)
        except GONE_ERRORS as error:
            if isinstance(error, TimeoutError):  # the query is too slow on any server
                raise
            self._note_away(error)
        return await fetch(*arguments, **options)

    def give_up(self, error: BaseException) -> None:
        """Stop using standbys if there is a primary, and end their queries."""
        self._note_away(error)
        for holder in self._holders:  # type: ignore[attr-defined]  # not in the stubs
            holder.terminate()

    def _note_away(self, error: BaseException) -> None:
        if self.primary is not None and self.available:
            logger.warning("no replica responds, so the primary is used: %s", error)
            self.available = False

    async def _acquire(self, timeout: float | None) -> Any:
        if self.primary is not None and not self.available:
            return await self.primary._acquire(timeout)
        try:
            if self.primary is None:
                connection = await super()._acquire(timeout)
            else:  # one silent standby is sufficient reason not to try another
                connection = await super(CheckedPool, self)._acquire(timeout)  # type: ignore[misc]
            await self._wait_replayed(connection)
            return connection
        except (*CONNECTION_ERRORS, TimeoutError) as error:
            if self.primary is None:
                raise
            self._note_away(error)
        return await self.primary._acquire(timeout)

    async def _wait_replayed(self, connection: Any) -> None:
        """Return once the server has replayed the position shown.

        Raises BehindReplica after returning the connection.
        """
        session, shown = connection._con, self._shown()
        if session.replayed >= shown:
            return
        seconds = REPLAY_TIMEOUT_BESIDE_PRIMARY_SECONDS if self.primary else REPLAY_TIMEOUT_SECONDS
        try:
            async with asyncio.timeout(seconds):
                while session.replayed < shown:
                    session.replayed = await self._replayed(session)
                    if session.replayed < shown:
                        await asyncio.sleep(REPLAY_CHECK_SECONDS)
        except TimeoutError:
            await super().release(connection)
            raise BehindReplica(
                f"the replica is at position {session.replayed}, and {shown} was shown before"
            ) from None
        except BaseException:
            await super().release(connection)
            raise

    async def release(self, connection: Any, *, timeout: float | None = None) -> None:
        """Return a connection to its pool."""
        holder = connection._holder
        if holder is not None and holder._pool is not self:
            await holder._pool.release(connection, timeout=timeout)
        else:
            await super().release(connection, timeout=timeout)
