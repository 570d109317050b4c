"""Progress of a projection, known without a query.

Each page notifies a channel in its transaction, so every process soon knows the committed position. The
own projector's pages are known at once. Without a listener, each call queries the database. The known
position is never ahead of the durable one. It may lag by a notification but never decreases.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

from projections.runner.folds import AnotherRelease, OwnFolds
from projections.runner.projection import Projection
from tracker.errors import Unavailable
from tracker.log.follower import Follower
from tracker.postgres.database import CONNECTION_ERRORS, Connection, Pool

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """A position that a projection has reached, and an epoch.

    The epoch changes when other code rebuilt the rows or the database was restored to an older state.
    Results at a position may then differ.
    """

    position: int
    epoch: int = 0


class ProgressTracker:
    """A tracker of the position of a projection's live tables, and of the code that made all rows."""

    def __init__(
        self,
        pool: Pool,
        follower: Follower,
        projection: Projection[Any],
        folds: OwnFolds | None = None,
    ):
        self._pool = pool
        self._follower = follower
        self._name = projection.name
        self.folds = folds or OwnFolds([projection])
        """The folds of all projections of this process."""
        self._latest: Progress | None = None
        self._folds_of_latest: list[str] = []
        self._session = 0
        self._expected = 0
        """The position of the page that this process committed last, or is about to commit."""
        self._notified_again = False
        self._refreshing: asyncio.Task[None] | None = None
        follower.listen_to(f"projected_{projection.name}", self._on_notification)

    @property
    def another_release(self) -> AnotherRelease | None:
        """The error if another release is known to maintain rows, of this projection or another."""
        return self.folds.error

    def require_own_rows(self) -> None:
        """Raise AnotherRelease if another release is known to maintain rows."""
        self.folds.require()

    @property
    def known(self) -> Progress | None:
        """The progress known without a query.

        It is None while notifications are off, and while another release maintains rows.
        """
        if self.folds.error:
            return None
        is_listening = self._follower.listening and self._follower.session == self._session
        return self._latest if is_listening else None

    async def position(self) -> int:
        """Return the position of the projection. Raises AnotherRelease."""
        known = self.known
        return known.position if known else await self.query()

    async def query(self) -> int:
        """Return the position from the database. Raises AnotherRelease."""
        await self.stored_position(self._pool)
        assert self._latest is not None
        return self._latest.position

    async def stored_position(self, connection: Connection | Pool) -> int:
        """Return the position as stored in the database, which may not be durable yet.

        A database that was restored to an older state sends no notification, so a projector queries
        before each page. Raises AnotherRelease.
        """
        before, session = self._latest, self._follower.session
        rows = await self.folds.read(connection)
        error = self.folds.error  # before waiting: another task may read later rows meanwhile
        if row := rows.get(self._name):  # else an older release tracks it elsewhere
            durability = self._follower.durability
            durability.synchronous = row["synchronous"]
            position = await durability.release(row["position"])
            self._learn(before, position, [rows[name]["fold"] for name in sorted(rows)])
            self._session = session
        if error:
            raise error
        return int(rows[self._name]["position"])

    def advance(self, position: int) -> None:
        """Record a page that this process has committed."""
        if self._latest and self._latest.position < position:
            self._latest = Progress(position, self._latest.epoch)

    def expect(self, position: int) -> None:
        """Ignore the notification of a page that this process commits next; 0 if it does not."""
        self._expected = position

    def _learn(self, before: Progress | None, position: int, folds: list[str]) -> None:
        """Record a result of the database, which may be outdated.

        A smaller position means a reset only if nothing else was recorded since the query.
        """
        now = self._latest
        if now is None:
            self._latest, self._folds_of_latest = Progress(position), folds
        elif folds != self._folds_of_latest or (position < now.position and now is before):
            self._latest, self._folds_of_latest = Progress(position, now.epoch + 1), folds
        else:
            self.advance(position)

    def _on_notification(self, payload: str) -> None:
        """Handle a notification of a committed page or of replaced tables, or of a replacement."""
        fold, _, release = payload.partition(" ")
        if release:
            self.folds.announce(self._name, fold, release)
        if self._latest and payload in (str(self._latest.position), str(self._expected)):
            return
        self._notified_again = True
        if self._refreshing is None:
            self._refreshing = asyncio.create_task(self._refresh())

    async def _refresh(self) -> None:
        """Query until no notification arrived in between."""
        try:
            while self._notified_again:
                self._notified_again = False
                await self.query()
        except (*CONNECTION_ERRORS, TimeoutError, Unavailable):
            self._session = 0  # the next call queries again
        finally:
            self._refreshing = None
