"""A cache of decoded states.

Version rows are only added or closed, so a row is constant for the life of the projection
(`Progress.epoch`). The name of a row (entity, first day, first position) is small. States are sent and
decoded only on a cache miss.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeAlias, TypeVar

import asyncpg

from projections.lru_cache import SizedLruCache
from projections.query.figure_claims import FigureClaims, decode_figure_claims
from projections.query.stored_states import decode_all
from projections.runner.progress import ProgressTracker

MAX_CACHE_BYTES = 64 * 1024 * 1024
MEMORY_BYTES_PER_JSON_BYTE = 4
"""Bytes in memory per byte of JSON, for the state and the views made of it."""
NAMED = "version.first_day, version.since, version.entity"
"""Columns that identify a row, at the start; the state is the last column."""

T = TypeVar("T")
Name: TypeAlias = tuple[Any, ...]
Rows: TypeAlias = Sequence[asyncpg.Record]


class StateCache:
    """A cache of the states of version rows, with `FigureClaims` for lists of claims."""

    def __init__(self, progress: ProgressTracker | None, most_bytes: int = MAX_CACHE_BYTES):
        self._progress = progress
        self._known = set[type]()
        """Kinds whose last rows were all cached."""
        self.kept: SizedLruCache[tuple[int, type, Name], Any] = SizedLruCache(most_bytes)

    async def read(
        self, kind: type[T], fetch: Callable[[bool], Awaitable[Rows]]
    ) -> tuple[Rows, Sequence[T]]:
        """Return rows and the state of each; `fetch` reads rows with states (True) or without.

        If the last rows of a kind were all cached, only names are queried, and the whole rows on a
        miss. That is one round trip, or two on the first miss after a run of hits.
        """
        known = self._progress.known if self._progress else None
        epoch = known.epoch if known else None
        if epoch is not None and kind in self._known:
            rows = await fetch(False)
            names = [row[:3] for row in rows]
            distinct = dict.fromkeys(names)
            states: dict[Name, T] = self._cached(kind, epoch, distinct)
            if len(states) == len(distinct):
                return rows, [*map(states.__getitem__, names)]
        rows = await fetch(True)
        return rows, self._learn(kind, epoch, rows)

    def _learn(self, kind: type[T], epoch: int | None, rows: Rows) -> list[T]:
        """Return the states of whole rows, and cache them if the end of their epoch is notified."""
        names = [row[:3] for row in rows]
        texts = {name: row[-1] for name, row in zip(names, rows, strict=True)}
        states = self._cached(kind, epoch, texts) if epoch is not None else {}
        missing = [name for name in texts if name not in states]
        if rows:  # an empty result says nothing about the next
            (self._known.discard if missing else self._known.add)(kind)
        made = _decode_all(kind, [texts[name] for name in missing])
        for name, state in zip(missing, made, strict=True):
            states[name] = state
            if epoch is not None:
                size = MEMORY_BYTES_PER_JSON_BYTE * len(texts[name])
                self.kept.put((epoch, kind, name), state, size)
        return [*map(states.__getitem__, names)]

    def _cached(self, kind: type[T], epoch: int, names: Iterable[Name]) -> dict[Name, T]:
        cached = {name: self.kept.get((epoch, kind, name)) for name in names}
        return {name: state for name, state in cached.items() if state is not None}


_DECODERS: dict[type, Callable[[Sequence[str]], list[Any]]] = {FigureClaims: decode_figure_claims}
"""Decoders for kinds that are not plain states."""


def _decode_all(kind: type[T], texts: Sequence[str]) -> list[T]:
    of_kind: Callable[[Sequence[str]], list[T]] | None = _DECODERS.get(kind)
    return of_kind(texts) if of_kind else decode_all(kind, texts)
