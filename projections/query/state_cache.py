"""A cache of decoded states.

Version rows are only added or closed, so what a row says stays so for as long as the projection
lives (`Progress.epoch`). What names a row, its entity and where it begins on both axes, takes little
to send; the state itself is only sent and decoded where somebody has not seen it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

import asyncpg

from projections.lru_cache import SizedLruCache
from projections.query.moment import S
from projections.runner.progress import ProgressTracker
from tracker.domain.codec import decode

MAX_CACHE_BYTES = 64 * 1024 * 1024
MEMORY_BYTES_PER_JSON_BYTE = 4
"""Bytes in memory for one of JSON: the state, and what is made of it to be shown."""
NAMED = "version.first_day, version.since, version.entity"
"""The columns that identify a row, which come first; the state is the last column."""

Name: TypeAlias = tuple[Any, ...]
Rows: TypeAlias = Sequence[asyncpg.Record]


class StateCache:
    """The states of version rows."""

    def __init__(self, progress: ProgressTracker | None, most_bytes: int = MAX_CACHE_BYTES):
        self._progress = progress
        self._known = set[type]()
        """The kinds of which the last rows read were all cached."""
        self.kept: SizedLruCache[tuple[int, Name], Any] = SizedLruCache(most_bytes)

    async def read(
        self, kind: type[S], fetch: Callable[[bool], Awaitable[Rows]]
    ) -> tuple[Rows, Sequence[S]]:
        """Rows, as `fetch` gets them with their states (True) or without, and the states of each.

        Where the last rows of a kind were all cached, only names are queried, and the whole rows if
        one of them is not cached: one round trip, or two on the first miss after a run of hits.
        """
        known = self._progress.known if self._progress else None
        epoch = known.epoch if known else None
        if epoch is not None and kind in self._known:
            rows = await fetch(False)
            states = [state for row in rows if (state := self.kept.get((epoch, row[:3])))]
            if len(states) == len(rows):
                return rows, states
        rows = await fetch(True)
        return rows, self._learn(kind, epoch, rows)

    def _learn(self, kind: type[S], epoch: int | None, rows: Rows) -> list[S]:
        """The states of whole rows, cached if we are notified when their epoch ends."""
        states: dict[Name, S] = {}
        if rows:  # no rows say nothing about the next ones
            self._known.add(kind)
        for row in rows:
            name = row[:3]
            if name not in states:
                states[name] = self._state(kind, epoch, name, row["state"])
        return [states[row[:3]] for row in rows]

    def _state(self, kind: type[S], epoch: int | None, name: Name, text: str) -> S:
        if epoch is None:
            return decode(kind, text)
        state: S | None = self.kept.get((epoch, name))
        if state is None:
            self._known.discard(kind)
            state = decode(kind, text)
            self.kept.put((epoch, name), state, MEMORY_BYTES_PER_JSON_BYTE * len(text))
        return state
