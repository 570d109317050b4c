"""Folds of the entities of a page, read from a cache or from the log."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import date

from projections.fold.entity_rows import RowDelta
from projections.fold.timeline import EntityFold
from projections.lru_cache import SizedLruCache
from tracker.clock import Pauses
from tracker.domain.entities.entity import EntityState, RecordedFact
from tracker.domain.events.registry import entity_type
from tracker.log.fact_reader import StreamFacts, read_facts_of
from tracker.postgres.database import Connection

MAX_CACHE_BYTES = 64 * 1024 * 1024
"""Approximate memory limit for the folds of a projector."""
MEMORY_BYTES_PER_JSON_BYTE = 6
"""Bytes in memory per byte of JSON of an entry or state, with derived objects."""
MEMORY_BYTES_PER_PLAIN_BYTE = 2
"""Bytes in memory per byte for entities whose states do not grow, such as watched sources."""
MAX_PAGE_ROW_BYTES = 16 * 1024 * 1024
"""Approximate maximum of row bytes per page; an entity with many events has a large row for each."""
ROW_BYTES_PER_ENTRY_BYTE = 4
"""Row bytes per entry byte, for entities whose states do not grow with their facts."""

SearchKeys = Callable[[date, EntityState], dict[object, date]]
"""The keys under which an entity with a state is known already, with their first day."""


class FoldCache:
    """A cache of recently folded entities, so that their events need not be read again.

    A fold is removed when it is taken, because more facts change it. If its rows were not written,
    because of a crash or another projector, it is useless. The cache is cleared when the database is
    lost, which may return in an older state.
    """

    def __init__(self, max_bytes: int = MAX_CACHE_BYTES) -> None:
        self._folds: SizedLruCache[str, EntityFold] = SizedLruCache(max_bytes)

    def take(self, stream: str, version: int) -> EntityFold:
        """Remove and return the fold of an entity up to a version, or an empty one."""
        fold = self._folds.take(stream)
        return fold if fold and fold.version <= version else EntityFold(stream)

    def put(self, stream: str, fold: EntityFold) -> None:
        """Cache the fold of an entity."""
        plain = entity_type(stream).RECENT_EVENTS is not None
        each = MEMORY_BYTES_PER_PLAIN_BYTE if plain else MEMORY_BYTES_PER_JSON_BYTE
        self._folds.put(stream, fold, each * (fold.size + fold.written))

    def clear(self) -> None:
        """Clear the cache."""
        self._folds.clear()


def smaller_limit(limit: int, streams: Mapping[str, StreamFacts]) -> int | None:
    """Return a smaller number of events for a page whose rows would be too large, or None."""
    if limit > 1 and (size := estimate_row_bytes(streams)) > MAX_PAGE_ROW_BYTES:
        return max(1, limit * MAX_PAGE_ROW_BYTES // size)
    return None


def estimate_row_bytes(streams: Mapping[str, StreamFacts]) -> int:
    """Return the approximate size of the rows of some facts.

    Each fact has a row with all facts up to it, or of constant size if states do not grow.
    """
    return sum(
        ROW_BYTES_PER_ENTRY_BYTE * stream.size
        if entity_type(name).RECENT_EVENTS
        else (stream.version + len(stream.facts)) * stream.size
        for name, stream in streams.items()
    )


async def fold_entities(
    connection: Connection,
    after: int,
    streams: Mapping[str, StreamFacts],
    folds: FoldCache,
    search_keys: SearchKeys,
) -> AsyncIterator[tuple[str, RowDelta]]:
    """Yield the row changes of each entity by its facts after a position.

    Facts before it are read if needed.
    """
    taken = {name: folds.take(name, stream.version - 1) for name, stream in streams.items()}
    outdated = {
        name: fold.version
        for name, fold in taken.items()
        if fold.version < streams[name].version - 1
    }
    missing = await read_facts_of(connection, outdated, after)
    for name, stream in streams.items():
        fold = taken[name]
        if name in missing:
            fold = _catch_up(fold, name, missing[name], search_keys)
        delta = await apply_facts(fold, stream.facts)
        fold.size += stream.size
        folds.put(name, fold)
        yield name, delta


def _catch_up(
    fold: EntityFold, name: str, stream: StreamFacts, search_keys: SearchKeys
) -> EntityFold:
    """Return the fold of an entity after facts whose rows exist already."""
    size = fold.size + stream.size
    if fold.version:
        fold.apply(stream.facts)
    else:
        fold = EntityFold(name, stream.facts)
        if latest := fold.latest():
            fold.search_keys |= search_keys(*latest)
    fold.size = size
    return fold


async def apply_facts(fold: EntityFold, facts: Sequence[RecordedFact]) -> RowDelta:
    """Return the row changes of an entity by new facts, with pauses for other tasks."""
    delta, pauses = fold.empty_delta(), Pauses()
    for _ in fold.apply_one_by_one(facts, delta):
        await pauses.pause()
    return delta
