"""A check of stored rows that goes on beside the answers, an entity at a time."""

from __future__ import annotations

import asyncio
import logging

from projections.versions.row_check import RowsDiffer, check_random_entity
from tracker.errors import LogSetBack, Unavailable
from tracker.postgres.background import BackgroundTask, end_if_cancelled
from tracker.postgres.database import CONNECTION_ERRORS, Pool

CHECK_INTERVAL_SECONDS = 5.0
"""Seconds between two entities: of 10,000 each is compared about twice a day."""

logger = logging.getLogger(__name__)


class SampleCheck(BackgroundTask):
    """Compares the rows of one random entity after another with a fresh fold of its events."""

    def __init__(self, pool: Pool, interval_seconds: float = CHECK_INTERVAL_SECONDS):
        self._pool = pool
        self._interval_seconds = interval_seconds
        self.difference: RowsDiffer | None = None
        """The entity whose rows differ, until they are made anew."""

    async def run(self) -> None:
        """Compare, for ever."""
        while True:
            await asyncio.sleep(self._interval_seconds)
            end_if_cancelled()
            try:
                await self.check()
            except LogSetBack:
                return  # the server ends
            except (*CONNECTION_ERRORS, TimeoutError, Unavailable) as error:
                logger.debug("rows could not be compared: %s", error)  # others say what is wrong
            except Exception:
                logger.exception("rows can't be compared")

    async def check(self) -> None:
        """Compare one entity; where one differed, that one again."""
        before = self.difference
        try:
            await check_random_entity(self._pool, before.entity if before else None)
            self.difference = None
        except RowsDiffer as found:
            self.difference = found
            if before is None:
                logger.error("%s", found)
