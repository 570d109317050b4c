"""How far the projection has come, known without asking.

Whoever projects notifies the channel `projected` in the transaction of a page; so every process
soon knows what is committed, and its own projector's pages at once. While nobody listens, the
database is asked every time. What is known is never ahead of what is committed. It may be behind
another process's projector for as long as a notification takes, but never goes back.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from tracker.log.follower import Follower
from tracker.postgres.database import CONNECTION_ERRORS, Pool, named_queries

SQL = named_queries(Path(__file__).with_name("progress.sql"))
CHANNEL = "projected"


@dataclass(frozen=True, slots=True)
class Progress:
    """A position that the projection has come to, and in which of its lives.

    Another epoch begins when other code has made the rows, or when the database came back with
    fewer of them: then what was answered at a position may be answered otherwise.
    """

    position: int
    epoch: int = 0


class ProgressTracker:
    """Knows the position of the live projection."""

    def __init__(self, pool: Pool, follower: Follower):
        self._pool = pool
        self._follower = follower
        self._latest: Progress | None = None
        self._fold = ""
        self._session = 0
        self._notified_again = False
        self._refreshing: asyncio.Task[None] | None = None
        follower.listen_to(CHANNEL, self._on_notification)

    @property
    def known(self) -> Progress | None:
        """What is known without asking; None while nobody would tell of what is new."""
        told = self._follower.listening and self._follower.session == self._session
        return self._latest if told else None

    async def position(self) -> int:
        """How far the projection has come."""
        known = self.known
        return known.position if known else await self.query()

    async def query(self) -> int:
        """The same, from the database."""
        before, session = self._latest, self._follower.session
        row = await self._pool.fetchrow(SQL.tracking)
        assert row is not None  # it is made with the tables
        self._learn(before, int(row["position"]), str(row["fold"]))
        self._session = session
        assert self._latest is not None
        return self._latest.position

    def advance(self, position: int) -> None:
        """Our own projector has committed a page."""
        if self._latest and self._latest.position < position:
            self._latest = Progress(position, self._latest.epoch)

    def _learn(self, before: Progress | None, position: int, fold: str) -> None:
        """Take over what the database said. It may be old news by now: only where nothing was
        heard since it was asked does less than before mean that there is less."""
        now = self._latest
        if now is None:
            self._latest, self._fold = Progress(position), fold
        elif fold != self._fold or (position < now.position and now is before):
            self._latest, self._fold = Progress(position, now.epoch + 1), fold
        else:
            self.advance(position)

    def _on_notification(self, payload: str) -> None:
        """Somebody has committed a page, perhaps of other tables, or put others in their place."""
        if self._latest and payload == str(self._latest.position):
            return
        self._notified_again = True
        if self._refreshing is None:
            self._refreshing = asyncio.create_task(self._refresh())

    async def _refresh(self) -> None:
        """Ask until nothing was told since."""
        try:
            while self._notified_again:
                self._notified_again = False
                await self.query()
        except (*CONNECTION_ERRORS, TimeoutError):
            self._session = 0  # the next question asks again
        finally:
            self._refreshing = None
