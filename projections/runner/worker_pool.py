"""A crew: helpers that read and fold pages of the log together, each a part of the entities."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Self

from projections.runner.batch import RowBatch, joined, read_part
from projections.runner.fold_cache import FoldCache
from projections.runner.worker import Helper, HelperFailed, answer, help_with
from tracker.postgres.database import PROJECTOR, Target, connect

HELPERS = min(os.cpu_count() or 1, 2)
"""How many there are: PostgreSQL writes about as fast as two of them fold."""


class Crew:
    """Gives pages in the order in which they are asked for; the next may be asked for meanwhile."""

    def __init__(self, helpers: list[Helper]):
        self._helpers = helpers
        self._turn = asyncio.Lock()
        self._failed: Exception | None = None

    @classmethod
    @asynccontextmanager
    async def begun(cls, target: Target) -> AsyncIterator[Self]:
        """Helpers for the length of a block. Raises HelperFailed."""
        async with AsyncExitStack() as stack:
            yield cls(
                [
                    await stack.enter_async_context(
                        Helper.begun("projections.runner.worker_pool", target)
                    )
                    for _ in range(HELPERS)
                ]
            )

    async def page(self, after: int, until: int) -> RowBatch:
        """The page of the events from one position up to another, which are all in the log.

        Raises HelperFailed or Unavailable, and does so ever after: who has answered what is not
        known any more.
        """
        parts = len(self._helpers)
        for part, helper in enumerate(self._helpers):
            helper.ask((after, until, part, parts))
        async with self._turn:
            if self._failed:
                raise self._failed
            try:
                return _whole(joined([await helper.answer() for helper in self._helpers]))
            except Exception as error:
                self._failed = error
                raise


def _whole(page: RowBatch) -> RowBatch:
    """A page, if all of its events are there."""
    if page.count != page.until - page.after:
        raise HelperFailed(f"helpers gave {page.count} events from {page.after} to {page.until}")
    return page


async def _help(target: Target, asked: Iterator[Any]) -> None:
    """Answer with the part of each page that is asked for."""
    folds, connection = FoldCache(), await connect(target, role=PROJECTOR)
    for after, until, part, parts in asked:
        answer(await read_part(connection, after, until, part, parts, folds))
    await connection.close()


if __name__ == "__main__":
    help_with(_help)
