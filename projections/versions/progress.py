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
class Reached:
    """A position that the projection has come to, and in which of its lives.

    Another life begins when other code has made the rows, or when the database came back with
    fewer of them: then what was answered at a position may be answered otherwise.
    """

    position: int
    life: int = 0


class Tracked:
    """Knows the position of the live projection."""

    def __init__(self, pool: Pool, follower: Follower):
        self._pool = pool
        self._follower = follower
        self._reached: Reached | None = None
        self._fold = ""
        self._session = 0
        self._told_again = False
        self._looking: asyncio.Task[None] | None = None
        follower.listen_to(CHANNEL, self._told)

    @property
    def known(self) -> Reached | None:
        """What is known without asking; None while nobody would tell of what is new."""
        told = self._follower.listening and self._follower.session == self._session
        return self._reached if told else None

    async def position(self) -> int:
        """How far the projection has come."""
        known = self.known
        return known.position if known else await self.ask()

    async def ask(self) -> int:
        """The same, from the database."""
        before, session = self._reached, self._follower.session
        row = await self._pool.fetchrow(SQL.tracking)
        assert row is not None  # it is made with the tables
        self._learn(before, int(row["position"]), str(row["fold"]))
        self._session = session
        assert self._reached is not None
        return self._reached.position

    def come(self, position: int) -> None:
        """Our own projector has committed a page."""
        if self._reached and self._reached.position < position:
            self._reached = Reached(position, self._reached.life)

    def _learn(self, before: Reached | None, position: int, fold: str) -> None:
        """Take over what the database said. It may be old news by now: only where nothing was
        heard since it was asked does less than before mean that there is less."""
        now = self._reached
        if now is None:
            self._reached, self._fold = Reached(position), fold
        elif fold != self._fold or (position < now.position and now is before):
            self._reached, self._fold = Reached(position, now.life + 1), fold
        else:
            self.come(position)

    def _told(self, payload: str) -> None:
        """Somebody has committed a page, perhaps of other tables, or put others in their place."""
        if self._reached and payload == str(self._reached.position):
            return
        self._told_again = True
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        """Ask until nothing was told since."""
        try:
            while self._told_again:
                self._told_again = False
                await self.ask()
        except (*CONNECTION_ERRORS, TimeoutError):
            self._session = 0  # the next question asks again
        finally:
            self._looking = None
