"""Folds of entities, kept from one page of the log to the next."""

from __future__ import annotations

from projections.fold.timeline import EntityFold
from projections.lru_cache import SizedLruCache

MAX_CACHE_BYTES = 64 * 1024 * 1024
"""How much memory the folds of a projector may take, about."""
MEMORY_BYTES_PER_JSON_BYTE = 6
"""Bytes in memory for one of an entry or of a state as JSON: these, and what is made of them."""


class FoldCache:
    """The last entities that were folded, so that those with more events need not be read again.

    What it gives is a fold of the first events of an entity, and it gives it once: a fold that has
    learned more is another. One that has learned what was then not written, because of a crash or
    of another projector that came first, is of no use any more. Nothing is kept across a loss of
    the database, which may come back in an older state and then go on otherwise.
    """

    def __init__(self, most_bytes: int = MAX_CACHE_BYTES) -> None:
        self._kept: SizedLruCache[str, EntityFold] = SizedLruCache(most_bytes)

    def take(self, stream: str, version: int) -> EntityFold:
        """A fold of an entity at a version at most: that of no events where none is kept."""
        fold = self._kept.take(stream)
        return fold if fold and fold.version <= version else EntityFold(stream)

    def keep(self, stream: str, fold: EntityFold) -> None:
        """Keep the fold of an entity."""
        self._kept.put(stream, fold, MEMORY_BYTES_PER_JSON_BYTE * (fold.size + fold.written))

    def clear(self) -> None:
        """Keep none."""
        self._kept.clear()
