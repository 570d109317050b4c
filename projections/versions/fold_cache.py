"""Folds of entities, cached from one page of the log to the next."""

from __future__ import annotations

from projections.fold.timeline import EntityFold
from projections.lru_cache import SizedLruCache
from tracker.domain.registry import entity_type

MAX_CACHE_BYTES = 64 * 1024 * 1024
"""About how much memory the folds of a projector may take."""
MEMORY_BYTES_PER_JSON_BYTE = 6
"""Bytes in memory for one of an entry or of a state as JSON: these, and what is made of them."""
MEMORY_BYTES_PER_PLAIN_BYTE = 2
"""The same of entities whose states do not grow with their facts, such as watched sources."""


class FoldCache:
    """The entities that were folded last, so that their events need not be read again.

    A fold is given out once: after more facts it is another one. A fold with facts whose rows were
    then not written, because of a crash or because another projector came first, is of no use any
    more. Nothing is kept when the database was lost, which may come back in an older state and
    then go on otherwise.
    """

    def __init__(self, max_bytes: int = MAX_CACHE_BYTES) -> None:
        self._folds: SizedLruCache[str, EntityFold] = SizedLruCache(max_bytes)

    def take(self, stream: str, version: int) -> EntityFold:
        """Remove and return the fold of an entity at a version at most: an empty one if there is
        none."""
        fold = self._folds.take(stream)
        return fold if fold and fold.version <= version else EntityFold(stream)

    def put(self, stream: str, fold: EntityFold) -> None:
        """Keep the fold of an entity."""
        plain = entity_type(stream).RECENT_EVENTS is not None
        each = MEMORY_BYTES_PER_PLAIN_BYTE if plain else MEMORY_BYTES_PER_JSON_BYTE
        self._folds.put(stream, fold, each * (fold.size + fold.written))

    def clear(self) -> None:
        """Forget all."""
        self._folds.clear()
