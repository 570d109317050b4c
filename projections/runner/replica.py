"""A replica: a standby that is read from, and how far it has come."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from projections.runner.fingerprint import fingerprint
from projections.runner.projection import Projection
from projections.runner.tables import SQL as TRACKING
from tracker.postgres.database import Connection, Pool, named_queries
from tracker.postgres.migrate import NotMigrated, pending
from tracker.postgres.replica_pool import ReplicaPool

SQL = named_queries(Path(__file__).with_name("replica.sql"))
PROMOTED = (
    "the database that is read from is a primary now: this server goes on reading from it, and records"
    " nothing before it is started again"
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """What a replica last said of itself."""

    standby: bool
    """Whether it is one: no more after it was promoted."""
    receiving: bool
    """Whether it is connected to its primary, and gets what is recorded as it comes."""
    unreplayed_bytes: int
    """Of the write-ahead log: received, and not shown yet."""
    lag_seconds: float
    """For how long it has not shown all that its primary had, at most."""


class Replica:
    """Knows how far the replica has come that a process reads from."""

    def __init__(self, projections: Sequence[Projection[Any]], name: str):
        self._projections = projections
        self._name = name
        self._pools: list[ReplicaPool] = []
        self._current_at: float | None = None
        self._fits = False
        self.state: ReplicaState | None = None
        """None while it does not answer."""
        self.trouble: str | None = None
        """Why it is not read from, where it is not."""

    async def position(self, connection: Connection | Pool) -> int:
        """How far the projection has come that a server has."""
        return int(await connection.fetchval(TRACKING.position, self._name))

    def serve(self, pool: ReplicaPool) -> None:
        """From now on tell a pool whether the replica is to be asked."""
        pool.available = pool.primary is None
        self._pools.append(pool)

    async def check_fits(self, connection: Connection) -> None:
        """Raises NotMigrated where the tables are not those of this version: a standby has them from
        its primary."""
        if missing := await pending(connection):
            raise NotMigrated(
                f"The replica lacks migration {missing[0].number} ({missing[0].name}): it gets them"
                " from its primary, so bring that to this version first (`tracker migrate`)"
            )
        folds = {row["projection"]: row["fold"] for row in await connection.fetch(SQL.projections)}
        for projection in self._projections:
            if folds.get(projection.name) != fingerprint(projection):
                raise NotMigrated(
                    f"The rows of {projection.name} on the replica are not of this version: a tracker"
                    " of this version that writes to its primary makes them anew (`tracker migrate`)"
                )

    async def ask(self, connection: Connection) -> dict[str, str]:
        """What is new on the replica, by the channels on which a primary tells it."""
        if not self._fits:
            await self.check_fits(connection)
            self._fits = True
        state = await connection.fetchrow(SQL.state)
        assert state is not None
        rows = await connection.fetch(SQL.projections)
        self._note(state)
        told = {
            f"projected_{row['projection']}": f"{row['position']} {row['fold']}" for row in rows
        }
        return told | {"log": told[f"projected_{self._name}"]}

    def _note(self, row: Any) -> None:
        """Take over what a replica says, and have it read from."""
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
        self.trouble = None
        for pool in self._pools:
            pool.available = True

    def lose(self, error: BaseException) -> None:
        """It does not answer."""
        self.state, self._fits = None, False
        self.trouble = str(error) or type(error).__name__
        for pool in self._pools:
            pool.give_up(error)
