"""A cache of decoded states.

Version rows are only added or closed, so what a row says stays so for as long as the projection
lives (`Progress.epoch`). What names a row, its entity and where it begins on both axes, takes little
to send; the state itself is only sent and decoded where somebody has not seen it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias, TypeVar

import asyncpg

from projections.lru_cache import SizedLruCache
from projections.query.figure_claims import FigureClaims
from projections.runner.progress import ProgressTracker
from tracker.domain.codec import decode

MAX_CACHE_BYTES = 64 * 1024 * 1024
MEMORY_BYTES_PER_JSON_BYTE = 4
"""Bytes in memory for one of JSON: the state, and what is made of it to be shown."""
NAMED = "version.first_day, version.since, version.entity"
"""The columns that identify a row, which come first; the state is the last column."""

T = TypeVar("T")
Name: TypeAlias = tuple[Any, ...]
Rows: TypeAlias = Sequence[asyncpg.Record]


class StateCache:
    """The states of version rows, and of figures in lists of claims their `FigureClaims`."""

    def __init__(self, progress: ProgressTracker | None, most_bytes: int = MAX_CACHE_BYTES):
        self._progress = progress
        self._known = set[type]()
        """The kinds of which the last rows read were all cached."""
        self.kept: SizedLruCache[tuple[int, type, Name], Any] = SizedLruCache(most_bytes)

    async def read(
        self, kind: type[T], fetch: Callable[[bool], Awaitable[Rows]]
    ) -> tuple[Rows, Sequence[T]]:
        """Rows, as `fetch` gets them with their states (True) or without, and the states of each.

        Where the last rows of a kind were all cached, only names are queried, and the whole rows if
        one of them is not cached: one round trip, or two on the first miss after a run of hits.
        """
        known = self._progress.known if self._progress else None
        epoch = known.epoch if known else None
        if epoch is not None and kind in self._known:
            rows = await fetch(False)
            names = [row[:3] for row in rows]
            found = {name: self.kept.get((epoch, kind, name)) for name in dict.fromkeys(names)}
            states = [state for name in names if (state := found[name]) is not None]
            if len(states) == len(rows):
                return rows, states
        rows = await fetch(True)
        return rows, self._learn(kind, epoch, rows)

    def _learn(self, kind: type[T], epoch: int | None, rows: Rows) -> list[T]:
        """The states of whole rows, cached if we are notified when their epoch ends."""
        if rows:  # no rows say nothing about the next ones
            self._known.add(kind)
        names = [row[:3] for row in rows]
        texts = {name: row[-1] for name, row in zip(names, rows, strict=True)}
        states = {name: self._state(kind, epoch, name, text) for name, text in texts.items()}
        return [*map(states.__getitem__, names)]

    def _state(self, kind: type[T], epoch: int | None, name: Name, text: str) -> T:
        if epoch is None:
            return _decode(kind, text)
        state: T | None = self.kept.get((epoch, kind, name))
        if state is None:
            self._known.discard(kind)
            state = _decode(kind, text)
            self.kept.put((epoch, kind, name), state, MEMORY_BYTES_PER_JSON_BYTE * len(text))
        return state


_MAKERS: dict[type, Callable[[str], Any]] = {FigureClaims: FigureClaims}
"""What is made of the JSON of a state by itself, and not decoded as it stands."""


def _decode(kind: type[T], text: str) -> T:
    make: Callable[[str], T] | None = _MAKERS.get(kind)
    return make(text) if make else decode(kind, text)
