"""A background check of stored rows, one entity at a time."""

import asyncio
import logging

from projections.checks.row_check import RowsDiffer, check_random_entity
from tracker.errors import LogSetBack, Unavailable
from tracker.postgres.background import BackgroundTask, end_if_cancelled
from tracker.postgres.database import CONNECTION_ERRORS, Pool

CHECK_INTERVAL_SECONDS = 5.0
"""Seconds between two entities: each of 10,000 is compared about twice a day."""

logger = logging.getLogger(__name__)


class SampleCheck(BackgroundTask):
    """A check of the rows of one random entity after another."""

    def __init__(self, pool: Pool, interval_seconds: float = CHECK_INTERVAL_SECONDS):
        self._pool = pool
        self._interval_seconds = interval_seconds
        self.difference: RowsDiffer | None = None
        """The entity with different rows, until they are rebuilt."""

    async def run(self) -> None:
        """Compare rows until cancelled."""
        while True:
            await asyncio.sleep(self._interval_seconds)
            end_if_cancelled()
            try:
                await self.check()
            except LogSetBack:
                return  # the server stops
            except (*CONNECTION_ERRORS, TimeoutError, Unavailable) as error:
                logger.debug(
                    "rows could not be compared: %s", error
                )  # other tasks report the cause
            except Exception:
                logger.exception("rows can't be compared")

    async def check(self) -> None:
        """Compare one entity; after a difference, the same one again."""
        before = self.difference
        try:
            await check_random_entity(self._pool, before.entity if before else None)
            self.difference = None
        except RowsDiffer as found:
            self.difference = found
            if before is None:
                logger.error("%s", found)
