"""Results that many queries share, cached until the next event."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from projections.runner.progress import Progress, ProgressTracker

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MAX_CACHED_MOMENTS = 100
"""Maximum of moments whose publisher orders and licences are cached until the next event."""


class EventCache(Generic[K, V]):
    """A cache of the results of `read` by key, until the next event.

    It holds at most `max_keys` results, and none without a progress tracker. Use `Moment.alone` in
    keys: a series would stay in memory with all its reads.
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
        """Return the result for a key."""
        known = self._progress.known if self._progress else None
        if known is None:
            return await self._read(key)
        if self._kept_at != known or len(self._kept) >= self._max_keys:
            self._kept_at, self._kept = known, {}
        cached = self._kept  # an event may arrive during the read
        if key not in cached:
            cached[key] = await self._read(key)
        return cached[key]
