"""Early days, for which lists are short because little was recorded yet."""

from datetime import date
from pathlib import Path

from projections.lru_cache import SizedLruCache
from projections.runner.progress import ProgressTracker
from tracker.postgres.database import Pool, named_queries

SQL = named_queries(Path(__file__).with_name("early_days.sql"))

MAX_EARLY_ENTITIES = 200
"""Maximum of entities that a list sorts. A longer list reads all entities in index order instead."""
MAX_CACHE_BYTES = 1024 * 1024
EVENTS_PER_READ = 10_000
"""Events after which a day is read again; it moves to an earlier day as facts are added."""


class EarlyDays:
    """A cache of the day up to which few entities were about a word.

    An outdated day costs time but does not change a list.
    """

    def __init__(self, pool: Pool, progress: ProgressTracker | None):
        self._pool = pool
        self._progress = progress
        self._ends: SizedLruCache[tuple[str, str], date] = SizedLruCache(MAX_CACHE_BYTES)
        """First day with many entities, by kind and word. The first of all days stands for "never"."""

    async def include(self, kind: str, word: str, day: date) -> bool:
        """Whether few entities of a kind were about a word by a day, and many are now."""
        known = self._progress.known if self._progress else None
        if known is None:
            return False
        age = known.epoch, known.position // EVENTS_PER_READ
        end = self._ends.get((kind, word), age)
        if end is None:
            end = await self._pool.fetchval(SQL.early_end, kind, word, MAX_EARLY_ENTITIES)
            end = end or date.min
            self._ends.put((kind, word), end, len(word), age)
        return day < end
