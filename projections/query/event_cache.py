"""Results that many queries share, cached until the next event."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from projections.runner.progress import Progress, ProgressTracker

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MAX_CACHED_MOMENTS = 100
"""Maximum of moments whose publisher orders and licences are cached until the next event."""


class EventCache(Generic[K, V]):
    """A cache of the results of `read` by key, until the next event.

    Concurrent queries share one read, which ends with the last of them. It holds at most `max_keys` results,
    and none without a progress tracker. Use `Moment.alone` in keys: a series would stay in memory with all
    its reads.
    """

    def __init__(
        self, progress: ProgressTracker | None, max_keys: int, read: Callable[[K], Awaitable[V]]
    ):
        self._progress = progress
        self._max_keys = max_keys
        self._read = read
        self._kept_at: Progress | None = None
        self._kept: dict[K, _Read[V]] = {}

    async def get(self, key: K) -> V:
        """Return the result for a key."""
        known = self._progress.known if self._progress else None
        if known is None:
            return await self._read(key)
        if self._kept_at != known or len(self._kept) >= self._max_keys:
            self._kept_at, self._kept = known, {}
        kept = self._kept  # an event may arrive during the read
        read = kept.get(key)
        if read is None:
            read = kept[key] = _Read(self._read(key))
        try:
            return await read.result()
        except BaseException:
            if not read.waiting and kept.get(key) is read:
                del kept[key]
            raise


class _Read(Generic[V]):
    """A read in progress or its result."""

    def __init__(self, read: Awaitable[V]):
        self._task = asyncio.ensure_future(read)
        self.waiting = 0

    async def result(self) -> V:
        """Return the result. The read is cancelled if nobody waits for it any longer."""
        if self._task.done():
            return self._task.result()
        self.waiting += 1
        try:
            return await asyncio.shield(self._task)
        finally:
            self.waiting -= 1
            if not self.waiting:
                self._task.cancel()  # without effect if it is done
