"""Pages of the log, read and folded ahead of the projector.

In an import of many events that is the most work by far. Then a helper does it, so that it costs
those who ask questions of this process no more than sending the rows on.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Self, TypeAlias

from projections.folds import Folds
from projections.helper import Helper, HelperFailed, answer, help_with
from projections.page import Page, read_page
from tracker.errors import Unavailable
from tracker.log.database import PROJECTOR, Pool, Target, connect
from tracker.log.recorder import head

MUCH = 50_000
"""Events for which a helper is worth its start: about three seconds of work."""
LEAD = 2
"""Pages to be ahead of who asks for them: so the helper has the next one to do at any time."""

Reading: TypeAlias = "asyncio.Task[Page | None]"

logger = logging.getLogger(__name__)


class Ahead:
    """Reads and folds pages of at most `limit` events, and the next ones before they are asked for.
    """

    def __init__(self, pool: Pool, limit: int, stack: AsyncExitStack, target: Target | None):
        self._pool = pool
        self._limit = limit
        self._stack = stack
        self._target = target
        self._folds = Folds()
        self._helper: Helper | None = None
        self._coming: deque[Reading] = deque()
        """The next pages; each is begun when the one before is there."""

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
                for reading in ahead._coming:
                    reading.cancel()
                await ahead._forget()

    async def page(self, after: int) -> Page | None:
        """The page after a position; None when there are no more events."""
        page = await self._coming.popleft() if self._coming else None
        if page is None or page.after != after:  # none is coming, or somebody else had a turn
            await self._forget()
            page = await self._read(after)
        if page and page.full:
            self._go_on(page)
        return page

    async def come(self) -> None:
        """Wait for the next page, if one is coming."""
        if self._coming:
            await asyncio.wait([self._coming[0]])

    def _go_on(self, page: Page) -> None:
        """Have the pages behind one come."""
        while len(self._coming) < LEAD:
            last = self._coming[-1] if self._coming else None
            self._coming.append(asyncio.create_task(self._behind(page, last)))

    async def _behind(self, page: Page | None, reading: Reading | None) -> Page | None:
        """The page behind one that is there, or is being read."""
        if reading is not None:
            page = await reading
        if page is None or not page.full:
            return None
        if self._helper is None and self._target is not None:
            await self._look_for_help(page.until, self._target)
        return await self._read(page.until)

    async def _forget(self) -> None:
        """Have no pages coming. A helper is waited for: it does one after the other."""
        await asyncio.gather(*self._coming, return_exceptions=True)
        self._coming.clear()

    async def _read(self, after: int) -> Page | None:
        """The page after a position, read by the helper or here."""
        if self._helper is not None:
            try:
                self._helper.ask((after, self._limit))
                page: Page | None = await self._helper.answer()
                return page
            except (HelperFailed, Unavailable) as error:
                self._do_without(error)
        async with self._pool.acquire() as connection:
            return await read_page(connection, after, limit=self._limit, folds=self._folds)

    async def _look_for_help(self, after: int, target: Target) -> None:
        """Begin a helper if there is much to do."""
        async with self._pool.acquire() as connection:
            waiting = await head(connection) - after
        if waiting >= MUCH:
            try:
                self._helper = await self._stack.enter_async_context(
                    Helper.begun("projections.ahead", target))
            except HelperFailed as error:
                self._do_without(error)

    def _do_without(self, error: Exception) -> None:
        logger.warning("events are folded here: %s", error)
        self._helper = self._target = None


async def _help(target: Target, asked: Iterator[Any]) -> None:
    """Answer with the page after each position that is asked for."""
    folds, connection = Folds(), await connect(target, role=PROJECTOR)
    for after, limit in asked:
        answer(await read_page(connection, after, limit=limit, folds=folds))
    await connection.close()


if __name__ == "__main__":
    help_with(_help)
