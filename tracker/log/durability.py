"""The durable position: up to where no failover takes the log back. Nothing above it leaves us.

Where PostgreSQL has synchronous standbys a commit is seen by others when they have it, but for two
cases: somebody cancelled the wait, or PostgreSQL crashed and recovered in place, after which all that
it had written is seen. So an event that is seen counts only when a commit that began later was
confirmed. Without synchronous standbys whatever is seen counts, and nothing is asked.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from tracker.errors import TrackerError
from tracker.postgres.batching import Batcher
from tracker.postgres.commits import UnconfirmedCommit
from tracker.postgres.database import CONNECTION_ERRORS, Connection, named_queries

CONFIRMATION_TIMEOUT_SECONDS = 1.0
"""Seconds for which whoever reads waits for a confirmation; then what is newer is not shown yet."""

SQL = named_queries(Path(__file__).with_name("durability.sql"))

logger = logging.getLogger(__name__)


class Durability:
    """Knows how much of one log may be shown. `confirm` returns once all that is seen is durable."""

    def __init__(self, confirm: Callable[[], Awaitable[None]]):
        self._confirm = confirm
        self._confirming = Batcher(self._confirm_all)
        self._since: float | None = None
        """Since when a confirmation has been waited for."""
        self._position: int | None = None
        """The last position that may be shown; None before anything is known of it."""
        self.synchronous = False
        """Whether commits wait for standbys, as the database last said."""

    async def head(self, connection: Connection) -> int:
        """The last position that may be shown, of a log as a connection sees it; 0 where there is
        none. Raises UnconfirmedCommit."""
        row = await connection.fetchrow(SQL.head)
        assert row is not None
        self.synchronous = row["synchronous"]
        return await self.release(row["position"])

    async def release(self, seen: int) -> int:
        """How far a log may be shown that we see up to a position: that far, or less while no standby
        confirms. Raises UnconfirmedCommit before anything has been confirmed."""
        if not self.synchronous:
            self.note_durable(seen)  # nothing that was shown is taken back when there are standbys
        if self._position is not None and seen <= self._position:
            return seen
        waited = 0.0 if self._since is None else time.monotonic() - self._since
        try:
            async with asyncio.timeout(max(CONFIRMATION_TIMEOUT_SECONDS - waited, 0)):
                await self._confirming.submit(seen)
            return seen
        except (TimeoutError, TrackerError, *CONNECTION_ERRORS) as error:
            if self._position is None:
                raise UnconfirmedCommit("no synchronous standby confirms what is seen") from error
            return min(seen, self._position)

    def note_durable(self, position: int) -> None:
        """All up to a position is durable, as after an append that was confirmed."""
        if self._position is None or position > self._position:
            self._position = position

    async def _confirm_all(self, positions: Sequence[int]) -> Sequence[int | Exception]:
        """Confirm all that was seen when this began."""
        self._since = time.monotonic()
        try:
            await self._confirm()
        except Exception as error:
            logger.warning("what was recorded is not shown: no standby confirms it (%s)", error)
            return [error] * len(positions)
        finally:
            self._since = None
        self.note_durable(max(positions))
        return positions


async def head(connection: Connection) -> int:
    """The last position that a connection sees, durable or not; 0 when nothing is recorded."""
    return int(await connection.fetchval(SQL.head))
