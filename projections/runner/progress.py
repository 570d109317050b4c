"""How far a projection has come, known without asking.

Whichever process projects notifies a channel of the projection's in the transaction of a page; so every
process soon knows what is committed, and its own projector's pages at once. While nothing listens, the
database is asked every time. What is known is never ahead of what is committed and durable. It may be behind
another process's projector for as long as a notification takes, but never goes back.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

from projections.runner.fingerprint import fingerprint
from projections.runner.projection import Projection
from projections.runner.release import AnotherRelease
from projections.runner.tables import SQL
from tracker.errors import Unavailable
from tracker.log.follower import Follower
from tracker.postgres.database import CONNECTION_ERRORS, Pool

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """A position that a projection has reached, and an epoch.

    The epoch changes when other code rebuilt the rows or the database was restored to an older state:
    what was answered at a position may then be answered otherwise.
    """

    position: int
    epoch: int = 0


class ProgressTracker:
    """Knows the position of the live tables of a projection, and whether this code made their rows."""

    def __init__(self, pool: Pool, follower: Follower, projection: Projection[Any]):
        self._pool = pool
        self._follower = follower
        self._name = projection.name
        self._own_fold = fingerprint(projection)
        self._foreign: tuple[str, str] | None = None
        """The fold of the rows and its release, where that is not this code."""
        self._latest: Progress | None = None
        self._fold = ""
        self._session = 0
        self._notified_again = False
        self._refreshing: asyncio.Task[None] | None = None
        follower.listen_to(f"projected_{projection.name}", self._on_notification)

    @property
    def another_release(self) -> AnotherRelease | None:
        """Why the rows can't be read, where another release maintains them, as far as is known."""
        return AnotherRelease(*self._foreign, self._own_fold) if self._foreign else None

    def require_own_rows(self) -> None:
        """Raise AnotherRelease where it is known to maintain the rows."""
        if error := self.another_release:
            raise error

    @property
    def known(self) -> Progress | None:
        """The progress that is known without a query; None while no notification would tell of anything
        new, and while another release maintains the rows."""
        if self._foreign:
            return None
        is_listening = self._follower.listening and self._follower.session == self._session
        return self._latest if is_listening else None

    async def position(self) -> int:
        """Return the position of the projection. Raises AnotherRelease."""
        known = self.known
        return known.position if known else await self.query()

    async def query(self) -> int:
        """The same, from the database. Raises AnotherRelease."""
        before, session = self._latest, self._follower.session
        row = await self._pool.fetchrow(SQL.tracking, self._name)
        assert row is not None  # it is made with the tables
        durability = self._follower.durability
        durability.synchronous = row["synchronous"]
        position = await durability.release(row["position"])
        self._learn(before, position, row["fold"])
        self._session = session
        self.check_fold(row["fold"], row["release"])
        assert self._latest is not None
        return self._latest.position

    def check_fold(self, fold: str, release: str) -> None:
        """Note which code made the rows. Raises AnotherRelease where it is not this code."""
        before, self._foreign = self._foreign, None
        if fold != self._own_fold:
            self._foreign = fold, release
            if before != self._foreign:
                logger.error("%s", self.another_release)
            self.require_own_rows()

    def advance(self, position: int) -> None:
        """Our own projector has committed a page."""
        if self._latest and self._latest.position < position:
            self._latest = Progress(position, self._latest.epoch)

    def _learn(self, before: Progress | None, position: int, fold: str) -> None:
        """Take over what the database said, which may be outdated by now: a smaller position only
        means that there are fewer rows if nothing else was learned since it was asked."""
        now = self._latest
        if now is None:
            self._latest, self._fold = Progress(position), fold
        elif fold != self._fold or (position < now.position and now is before):
            self._latest, self._fold = Progress(position, now.epoch + 1), fold
        else:
            self.advance(position)

    def _on_notification(self, payload: str) -> None:
        """A process has committed a page, or has put other tables in place of the live ones."""
        if self._latest and payload == str(self._latest.position):
            return
        self._notified_again = True
        if self._refreshing is None:
            self._refreshing = asyncio.create_task(self._refresh())

    async def _refresh(self) -> None:
        """Ask until there was no notification since."""
        try:
            while self._notified_again:
                self._notified_again = False
                await self.query()
        except (*CONNECTION_ERRORS, TimeoutError, Unavailable):
            self._session = 0  # the next question asks again
        finally:
            self._refreshing = None
