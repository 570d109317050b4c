"""Pools of connections to standbys, which are read from as if they were the primary.

What a process has shown once it shows for ever, though standbys are not equally far and any may answer
next: a connection is given out only where its server has replayed that. Where none has within
`REPLAY_TIMEOUT_SECONDS`, or none answers, the primary is asked instead, if there is a way to it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from tracker.postgres.database import CONNECTION_ERRORS, CheckedPool, Connection, Session

REPLAY_TIMEOUT_SECONDS = 1.0
"""Seconds that a standby gets to replay what was shown before."""
REPLAY_TIMEOUT_BESIDE_PRIMARY_SECONDS = 0.25
"""The same where the primary can be asked instead."""
REPLAY_CHECK_SECONDS = 0.02
CONFLICT_ATTEMPTS = 4
"""How often a question is asked that the replay of the log interrupts."""
CONFLICT_WAIT_SECONDS = 0.1
"""Seconds before it is asked again, twice as many each time."""
CONFLICTS = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
"""What PostgreSQL calls it: 40001, and 40P01 where the replay waited for a lock of the question."""
GONE_ERRORS = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
)
"""Errors of a server that has gone; others would be the same anywhere."""

logger = logging.getLogger(__name__)


class BehindReplica(ConnectionError):
    """A standby has not replayed what was shown before."""


class ReplicaSession(Session):
    """A connection to a standby, which asks again what the replay of the log interrupts."""

    replayed = -1
    """Up to where its server is known to have come."""

    async def _execute(self, *arguments: Any, **options: Any) -> Any:
        """As asyncpg has it, below `fetch` and what is like it."""
        for left in reversed(range(CONFLICT_ATTEMPTS)):
            try:
                return await super()._execute(*arguments, **options)  # type: ignore[misc]
            except CONFLICTS as error:
                if not left or self.is_closed() or self.is_in_transaction():
                    raise
                logger.info("a question is asked again: %s", error)
            await asyncio.sleep(CONFLICT_WAIT_SECONDS * 2 ** (CONFLICT_ATTEMPTS - 1 - left))
        raise AssertionError("unreachable")


class ReplicaPool(CheckedPool):
    """A pool of connections to standbys, none of which is behind what was shown."""

    primary: CheckedPool | None = None
    """Who is asked where no standby answers."""
    available = True
    """Whether a standby is asked; nobody else is where there is no primary."""

    def follow(
        self, shown: Callable[[], int], replayed: Callable[[Connection], Awaitable[int]]
    ) -> None:
        """Say up to where the log was shown, and how a server is asked how far it has come."""
        self._shown, self._replayed = shown, replayed

    async def fetch(self, *arguments: Any, **options: Any) -> Any:
        """As in asyncpg; asked once more where the standby has gone meanwhile."""
        return await self._again(super().fetch, *arguments, **options)

    async def fetchrow(self, *arguments: Any, **options: Any) -> Any:
        """The same."""
        return await self._again(super().fetchrow, *arguments, **options)

    async def fetchval(self, *arguments: Any, **options: Any) -> Any:
        """The same."""
        return await self._again(super().fetchval, *arguments, **options)

    async def _again(
        self, ask: Callable[..., Awaitable[Any]], *arguments: Any, **options: Any
    ) -> Any:
        try:
            return await ask(*arguments, **options)
        except GONE_ERRORS as error:
            if isinstance(error, TimeoutError):  # the question takes too long, wherever it is asked
                raise
            self._note_away(error)
        return await ask(*arguments, **options)

    def give_up(self, error: BaseException) -> None:
        """Ask no standby from now on, where there is a primary; end what they are asked."""
        self._note_away(error)
        for holder in self._holders:  # type: ignore[attr-defined]  # not in the stubs
            holder.terminate()

    def _note_away(self, error: BaseException) -> None:
        if self.primary is not None and self.available:
            logger.warning("no replica answers, so the primary is read from: %s", error)
            self.available = False

    async def _acquire(self, timeout: float | None) -> Any:
        if self.primary is not None and not self.available:
            return await self.primary._acquire(timeout)
        try:
            if self.primary is None:
                connection = await super()._acquire(timeout)
            else:  # one that is silent is reason enough not to try another
                connection = await super(CheckedPool, self)._acquire(timeout)  # type: ignore[misc]
            await self._wait_replayed(connection)
            return connection
        except (*CONNECTION_ERRORS, TimeoutError) as error:
            if self.primary is None:
                raise
            self._note_away(error)
        return await self.primary._acquire(timeout)

    async def _wait_replayed(self, connection: Any) -> None:
        """Return once the server has what was shown. Raises BehindReplica, with the connection given
        back."""
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
        """Give a connection back to the pool that it is of."""
        holder = connection._holder
        if holder is not None and holder._pool is not self:
            await holder._pool.release(connection, timeout=timeout)
        else:
            await super().release(connection, timeout=timeout)
