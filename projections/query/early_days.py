"""Days on which lists are short because little was known yet."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from projections.lru_cache import SizedLruCache
from projections.runner.progress import ProgressTracker
from tracker.postgres.database import Pool, named_queries

SQL = named_queries(Path(__file__).with_name("early_days.sql"))

MAX_EARLY_ENTITIES = 200
"""Entities that a list puts in order by itself; of more it walks those of all days in their order."""
MAX_CACHE_BYTES = 1024 * 1024
EVENTS_PER_LOOK = 10_000
"""Events after which a day is looked up again: it is an earlier one once more is known."""


class EarlyDays:
    """Knows up to which day few entities were about a word.

    What is known may be outdated: a list has the same entities either way, and only takes longer.
    """

    def __init__(self, pool: Pool, progress: ProgressTracker | None):
        self._pool = pool
        self._progress = progress
        self._ends: SizedLruCache[tuple[str, str], date] = SizedLruCache(MAX_CACHE_BYTES)
        """By kind and word, the day by which they are not few any more; the first of all where they
        never are many: then all are looked through as soon."""

    async def include(self, kind: str, word: str, day: date) -> bool:
        """Whether few entities of a kind were about a word by a day, and many are by now."""
        known = self._progress.known if self._progress else None
        if known is None:
            return False
        age = known.epoch, known.position // EVENTS_PER_LOOK
        end = self._ends.get((kind, word), age)
        if end is None:
            end = await self._pool.fetchval(SQL.early_end, kind, word, MAX_EARLY_ENTITIES)
            end = end or date.min
            self._ends.put((kind, word), end, len(word), age)
        return day < end
