"""A replica: a standby for reads, and its progress."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import asyncpg
from msgspec import Struct

from projections.runner.folds import Fold, foreign_folds, read_folds
from projections.runner.projection import Projection
from projections.runner.tables import SQL as TRACKING
from tracker.postgres.database import API, Connection, Pool, Target, connect, named_queries
from tracker.postgres.hosts import PREFER_STANDBY
from tracker.postgres.migrate import pending
from tracker.postgres.replica_pool import ReplicaPool
from tracker.postgres.roles import NotMigrated

SQL = named_queries(Path(__file__).with_name("replica.sql"))
MAX_LAG_SECONDS = 30
"""Maximum seconds for which a receiving replica may lag behind its primary."""
STANDBY_SEARCH_SECONDS = 5.0
"""Seconds between two searches for a standby while a primary is read from."""
OTHER_ROWS = (
    "The rows on the replica are not of this version: a server of this version that writes to its primary"
    " rebuilds them (`tracker serve`)"
)
PROMOTED = (
    "the database that is read from is a primary now: this server goes on reading from it, and"
    " records nothing before it is started again"
)

logger = logging.getLogger(__name__)


class ReplicaState(Struct, frozen=True):
    """The last reported state of a replica."""

    standby: bool
    """Whether it is a standby; false after a promotion."""
    receiving: bool
    """Whether it is connected to its primary and receives new records."""
    unreplayed_bytes: int
    """Bytes of the write-ahead log that are received but not replayed."""
    lag_seconds: float
    """Upper bound of the replication lag in seconds."""

    @property
    def is_late(self) -> bool:
        """Whether the replica lags too far behind its received log."""
        return self.receiving and self.lag_seconds > MAX_LAG_SECONDS


class StandbyReturned(ConnectionError):
    """A standby responds again, which is preferred to the primary that is read from."""


class Replica:
    """The state of the replica that a process reads from."""

    def __init__(self, projections: Sequence[Projection[Any]], name: str, target: Target):
        self._projections = projections
        self._name = name
        self._target = target
        self._search: asyncio.Task[None] | None = None
        """The search for a standby while a primary is read from, if standbys are preferred."""
        self._pools: list[ReplicaPool] = []
        self._shown: Callable[[], int] = lambda: 0
        self._current_at: float | None = None
        self._fits = False
        self.state: ReplicaState | None = None
        """None while the replica is unreachable."""
        self.trouble: str | None = None
        """The reason why it is not used for reads, or None."""

    async def position(self, connection: Connection | Pool) -> int:
        """Return the position of the projection on a server."""
        return int(await connection.fetchval(TRACKING.position, self._name))

    def serve(self, pool: ReplicaPool, shown: Callable[[], int]) -> None:
        """Add a pool that reads from the replica while it is usable.

        `shown` returns the highest position shown so far. The primary serves reads until the replica
        has reached it.
        """
        self._shown = shown
        pool.available = pool.primary is None
        self._pools.append(pool)

    async def check_fits(self, connection: Connection) -> None:
        """Check that the tables are of this version. Raises NotMigrated.

        A standby gets its tables from its primary.
        """
        if missing := await pending(connection):
            raise NotMigrated(
                f"The replica lacks migration {missing[0].number} ({missing[0].name}): it gets them"
                " from its primary, so bring that to this version first (`tracker migrate`)"
            )
        try:
            self._check_folds(await read_folds(connection, self._projections))
        except asyncpg.UndefinedTableError:  # an older release maintains the rows
            raise NotMigrated(OTHER_ROWS) from None

    def _check_folds(self, folds: Iterable[Fold]) -> None:
        """Check that this code made the rows of each projection. Raises NotMigrated."""
        if foreign := foreign_folds(folds):
            raise NotMigrated(f"{OTHER_ROWS} ({'; '.join(map(str, foreign))})")

    async def ask(self, connection: Connection) -> dict[str, str]:
        """Return the news of the replica by the notification channels of a primary."""
        if not self._fits:
            await self.check_fits(connection)
            self._fits = True
        state = await connection.fetchrow(SQL.state)
        assert state is not None
        folds = await read_folds(connection, self._projections)
        self._check_folds(folds)
        positions = {fold.projection: fold.position for fold in folds}
        self._note(state, positions[self._name])
        await self._prefer_standby()
        news = {f"projected_{of}": str(position) for of, position in positions.items()}
        return news | {"log": news[f"projected_{self._name}"]}

    def _note(self, row: Any, position: int) -> None:
        """Record the state of the replica, and use it for reads unless it lags too far behind."""
        now, before = time.monotonic(), self.state
        if not row["standby"] or (row["receiving"] and not row["unreplayed"]):
            self._current_at = now
        ages = [row["age"]] if row["age"] is not None else []
        ages += [now - self._current_at] if self._current_at is not None else []
        self.state = ReplicaState(
            row["standby"], row["receiving"], row["unreplayed"] or 0, max(min(ages, default=0), 0)
        )
        if before and before.standby and not row["standby"]:
            logger.warning(PROMOTED)
        self.trouble = self._describe_lag(self.state, position)
        for pool in self._pools:
            pool.available = pool.primary is None or self.trouble is None

    async def _prefer_standby(self) -> None:
        """Leave a primary, such as a promoted standby, once a standby responds.

        Raises StandbyReturned. No query is interrupted: connections end when they are returned.
        """
        if self._target.get("target_session_attrs") != PREFER_STANDBY or self.state is None:
            return
        if self.state.standby:
            self._search = None
        elif self._search is None:
            self._search = asyncio.create_task(self._find_standby())
        elif self._search.done():
            search, self._search = self._search, None
            if not search.cancelled() and search.exception() is None:
                for pool in self._pools:
                    await pool.expire_connections()
                raise StandbyReturned("a standby responds, and replaces the primary")

    async def _find_standby(self) -> None:
        await asyncio.sleep(STANDBY_SEARCH_SECONDS)
        standby = await connect({**self._target, "target_session_attrs": "standby"}, role=API)
        await standby.close()

    def _describe_lag(self, state: ReplicaState, position: int) -> str | None:
        """Return the reason why a reachable replica is not used if there is a primary, or None."""
        if state.is_late:
            return (
                f"the replica is {state.lag_seconds:.0f} seconds behind its primary: expected at most"
                f" {MAX_LAG_SECONDS}"
            )
        if position < (shown := self._shown()):
            return f"the replica is at position {position}, and {shown} was shown before"
        return None

    def lose(self, error: BaseException) -> None:
        """Record that the replica is unreachable, unless it was left for a standby."""
        if isinstance(error, StandbyReturned):
            return
        self.state, self._fits = None, False
        self.trouble = str(error) or type(error).__name__
        for pool in self._pools:
            pool.give_up(error)
