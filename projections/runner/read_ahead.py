"""The next page of the log, read and folded while the last one is written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Generic, Self

from projections.runner.projection import PageT, Projection
from tracker.postgres.database import Pool


class ReadAhead(Generic[PageT]):
    """Folds pages of `limit` events, and behind a full one the next before somebody asks for it."""

    def __init__(self, pool: Pool, projection: Projection[PageT], limit: int):
        self._pool = pool
        self._projection = projection
        self._limit = limit
        self._next: asyncio.Task[PageT | None] | None = None

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, pool: Pool, projection: Projection[PageT], limit: int
    ) -> AsyncIterator[Self]:
        """Read ahead for the length of a block."""
        ahead = cls(pool, projection, limit)
        try:
            yield ahead
        finally:
            await ahead._cancel()

    async def set_limit(self, limit: int) -> None:
        """Read pages of so many events from now on."""
        if limit != self._limit:
            await self._cancel()
            self._limit = limit

    async def page(self, after: int) -> PageT | None:
        """The page after a position; None when there are no more events."""
        task, self._next = self._next, None
        page = await task if task else None
        if page is None or page.after != after:  # none was read, or another process had a turn
            page = await self._fold(after)
        if page is not None and page.count == self._limit:
            self._next = asyncio.create_task(self._fold(page.until))
        return page

    async def wait_next(self) -> None:
        """Wait for the next page, if one is being read."""
        if self._next:
            await asyncio.wait([self._next])

    async def _fold(self, after: int) -> PageT | None:
        async with self._pool.acquire() as connection:
            return await self._projection.fold_page(connection, after, limit=self._limit)

    async def _cancel(self) -> None:
        task, self._next = self._next, None
        if task:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
