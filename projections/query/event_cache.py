"""Answers that many questions need, kept until the next event."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from projections.runner.progress import Progress, ProgressTracker

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MAX_CACHED_MOMENTS = 100
"""Moments whose orders of publishers, and whose licences, are kept until the next event."""


class EventCache(Generic[K, V]):
    """What `read` answers to a key, asked for once until the next event.

    It keeps at most `max_keys` answers, and none where nobody tells how far the projection is.
    Moments in keys stand alone: their series would be kept too, with all that it has read.
    """

    def __init__(
        self, progress: ProgressTracker | None, max_keys: int, read: Callable[[K], Awaitable[V]]
    ):
        self._progress = progress
        self._max_keys = max_keys
        self._read = read
        self._kept_at: Progress | None = None
        self._kept: dict[K, V] = {}

    async def get(self, key: K) -> V:
        """The answer to a key."""
        known = self._progress.known if self._progress else None
        if known is None:
            return await self._read(key)
        if self._kept_at != known or len(self._kept) >= self._max_keys:
            self._kept_at, self._kept = known, {}
        kept = self._kept  # an event may come while the answer is being read
        if key not in kept:
            kept[key] = await self._read(key)
        return kept[key]
