"""Pages of the log, read and folded ahead of the projector.

In an import of many events that is the most work by far. Then helpers do it, so that it costs
those who ask questions of this process no more than sending the rows on.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Self, TypeAlias

from projections.runner.batch import RowBatch, read_page
from projections.runner.fold_cache import FoldCache
from projections.runner.worker import HelperFailed
from projections.runner.worker_pool import Crew
from tracker.errors import Unavailable
from tracker.log.recorder import head
from tracker.postgres.database import Pool, Target

MUCH = 50_000
"""Events for which helpers are worth their start: about three seconds of work."""
LEAD = 2
"""Pages to be ahead of who asks for them: so the helpers have the next one to do at any time."""

Reading: TypeAlias = "asyncio.Task[RowBatch | None]"

logger = logging.getLogger(__name__)


class Ahead:
    """Reads and folds pages of `limit` events, and the next ones before they are asked for.

    Positions have no gaps, so it is known where the pages behind a full one begin and end.
    """

    def __init__(
        self, pool: Pool, limit: int, folds: FoldCache, stack: AsyncExitStack, target: Target | None
    ):
        self._pool = pool
        self._limit = limit
        self._stack = stack
        self._target = target
        self._folds = folds
        self._crew: Crew | None = None
        self._head = 0
        """The last position that there is, as far as is known."""
        self._coming: deque[Reading] = deque()
        """The next pages; where there is no crew, each is begun when the one before is there."""

    @classmethod
    @asynccontextmanager
    async def reading(
        cls, pool: Pool, limit: int, folds: FoldCache, target: Target | None
    ) -> AsyncIterator[Self]:
        """One that reads for the length of a block; without a `target` it has no helpers."""
        async with AsyncExitStack() as stack:
            ahead = cls(pool, limit, folds, stack, target)
            try:
                yield ahead
            finally:
                for reading in ahead._coming:
                    reading.cancel()
                await ahead._forget()

    async def set_limit(self, limit: int) -> None:
        """Read pages of so many events from now on."""
        if limit != self._limit:
            await self._forget()
            self._limit = limit

    async def page(self, after: int) -> RowBatch | None:
        """The page after a position; None when there are no more events."""
        page = await self._coming.popleft() if self._coming else None
        if page is None or page.after != after:  # none is coming, or somebody else had a turn
            await self._forget()
            page = await self._read(after)
        if self._full(page):
            self._go_on(after + self._limit)
        return page

    async def come(self) -> None:
        """Wait for the next page, if one is coming."""
        if self._coming:
            await asyncio.wait([self._coming[0]])

    def _full(self, page: RowBatch | None) -> bool:
        """Whether there may be more events behind a page."""
        return page is not None and page.count == self._limit

    def _go_on(self, after: int) -> None:
        """Have the pages after a position come."""
        while len(self._coming) < LEAD:
            last = self._coming[-1] if self._coming else None
            self._coming.append(
                asyncio.create_task(self._behind(last, after + len(self._coming) * self._limit))
            )

    async def _behind(self, last: Reading | None, after: int) -> RowBatch | None:
        """The page after a position, at which the last one that is coming will end if it is full."""
        if not self._has_crew_for(after) and last and not self._full(await last):
            return None
        if not self._has_crew_for(after) and self._target is not None:
            await self._look_for_help(after, self._target)
        return await self._read(after)

    async def _forget(self) -> None:
        """Have no pages coming. Helpers are waited for: they do one after the other."""
        await asyncio.gather(*self._coming, return_exceptions=True)
        self._coming.clear()

    def _has_crew_for(self, after: int) -> bool:
        """Whether helpers can do the page after a position: all of it has to be there."""
        return self._crew is not None and after + self._limit <= self._head

    async def _read(self, after: int) -> RowBatch | None:
        """The page after a position, read by the crew or here."""
        if self._crew and self._has_crew_for(after):
            try:
                return await self._crew.page(after, after + self._limit)
            except (HelperFailed, Unavailable) as error:
                self._do_without(error)
        async with self._pool.acquire() as connection:
            return await read_page(connection, after, limit=self._limit, folds=self._folds)

    async def _look_for_help(self, after: int, target: Target) -> None:
        """See how long the log is now, and begin a crew if there is much to do."""
        async with self._pool.acquire() as connection:
            self._head = await head(connection)
        if self._crew is None and self._head - after >= MUCH:
            try:
                self._crew = await self._stack.enter_async_context(Crew.begun(target))
            except HelperFailed as error:
                self._do_without(error)

    def _do_without(self, error: Exception) -> None:
        if self._target is not None:
            logger.warning("events are folded here: %s", error)
        self._crew = self._target = None
