"""Pages of the log, read and folded ahead of the projector.

In an import of many events that is the most work by far. Then a helper does it, so that it costs
those who ask questions of this process no more than sending the rows on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Self

from projections.folds import Folds
from projections.helper import Helper, HelperFailed, answer, help_with
from projections.page import Page, read_page
from tracker.errors import Unavailable
from tracker.log.database import PROJECTOR, Pool, Target, connect
from tracker.log.recorder import head

MUCH = 50_000
"""Events for which a helper is worth its start: about three seconds of work."""

logger = logging.getLogger(__name__)


class Ahead:
    """Reads and folds pages of at most `limit` events one after the other, the next one meanwhile.
    """

    def __init__(self, pool: Pool, limit: int, stack: AsyncExitStack, target: Target | None):
        self._pool = pool
        self._limit = limit
        self._stack = stack
        self._target = target
        self._folds = Folds()
        self._helper: Helper | None = None
        self._begun = False
        self._next: tuple[int, asyncio.Task[Page | None]] | None = None

    @classmethod
    @asynccontextmanager
    async def reading(
        cls, pool: Pool, limit: int, target: Target | None
    ) -> AsyncIterator[Self]:
        """One that reads for the length of a block; without a `target` it has no helper."""
        async with AsyncExitStack() as stack:
            ahead = cls(pool, limit, stack, target)
            try:
                yield ahead
            finally:
                await ahead._stop()

    async def page(self, after: int) -> Page | None:
        """The page after a position; None when there are no more events."""
        page = await self._coming(after)
        if page and page.full:
            self._next = page.until, asyncio.create_task(self._read(page.until))
        return page

    async def _coming(self, after: int) -> Page | None:
        """The page that is being read already, if it is the right one."""
        if self._next:
            (position, reading), self._next = self._next, None
            page = await reading  # also if it is not wanted: one page at a time
            if position == after:
                return page
        return await self._read(after)

    async def _stop(self) -> None:
        if self._next:
            self._next[1].cancel()
            await asyncio.gather(self._next[1], return_exceptions=True)

    async def _read(self, after: int) -> Page | None:
        """The same, by the helper or here."""
        try:
            if self._helper is None:
                await self._look_for_help(after)
            if self._helper is not None:
                self._helper.ask((after, self._limit))
                page: Page | None = await self._helper.answer()
                return page
        except (HelperFailed, Unavailable) as error:
            logger.warning("events are folded here: %s", error)
            self._helper = self._target = None
        async with self._pool.acquire() as connection:
            return await read_page(connection, after, limit=self._limit, folds=self._folds)

    async def _look_for_help(self, after: int) -> None:
        """Begin a helper if much is left behind the first page."""
        begun, self._begun = self._begun, True
        if self._target is None or not begun:
            return
        async with self._pool.acquire() as connection:
            waiting = await head(connection) - after
        if waiting >= MUCH:
            self._helper = await self._stack.enter_async_context(
                Helper.begun("projections.ahead", self._target))


async def _help(target: Target, asked: Iterator[Any]) -> None:
    """Answer with the page after each position that is asked for."""
    folds, connection = Folds(), await connect(target, role=PROJECTOR)
    for after, limit in asked:
        answer(await read_page(connection, after, limit=limit, folds=folds))
    await connection.close()


if __name__ == "__main__":
    help_with(_help)
