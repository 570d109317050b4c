"""Caches limited in bytes, with eviction of the least recently used entries."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import lru_cache
from operator import attrgetter
from threading import RLock
from typing import Any, ClassVar, Generic, TypeVar
from weakref import WeakSet

MAX_TOTAL_BYTES = 256 * 1024 * 1024
"""Maximum size of all caches of a process together."""
ENTRY_OVERHEAD_BYTES = 400
"""Overhead of an entry in bytes: its key, and its slot in the dictionary."""

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Text = TypeVar("Text", str, bytes)


class SizedLruCache(Generic[K, V]):
    """A cache limited by the bytes of its values; a larger value is not cached.

    The caller passes the size of a value, and optionally an epoch. The value is then returned only to
    callers with the same epoch. If all caches together exceed their limit, the largest one evicts entries.
    """

    total: ClassVar[int] = 0
    """The size of all caches, and of those freed since it was last measured."""

    def __init__(self, max_bytes: int):
        self._max_bytes = max_bytes
        self._entries: OrderedDict[K, tuple[V, int, Hashable]] = OrderedDict()
        self.bytes = 0
        """The size of all entries."""
        self.hits = 0
        """Number of cache hits."""
        self.misses = 0
        """Number of cache misses."""
        with _lock:
            _caches.add(self)

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K, epoch: Hashable = None) -> V | None:
        """Return the value of a key and mark it as used, or None on a miss."""
        with _lock:
            entry = self._entries.get(key)
            if entry is None or (entry[2] is not None and entry[2] != epoch):
                self.misses += 1
                return None
            self.hits += 1
            self._entries.move_to_end(key)
            return entry[0]

    def put(self, key: K, value: V, size: int, epoch: Hashable = None) -> None:
        """Cache a value of `size` bytes, unless it is larger than the limit; a value without an
        epoch is valid in all of them."""
        size += ENTRY_OVERHEAD_BYTES
        with _lock:
            self.take(key)
            if size > self._max_bytes:
                return
            self._entries[key] = value, size, epoch
            self._grow(size)
            while self.bytes > self._max_bytes:
                self._evict()
            if SizedLruCache.total > MAX_TOTAL_BYTES:
                SizedLruCache.total = sum(cache.bytes for cache in _caches)  # without freed ones
            while SizedLruCache.total > MAX_TOTAL_BYTES:
                max(_caches, key=attrgetter("bytes"))._evict()

    def _evict(self) -> None:
        _, (_, size, _) = self._entries.popitem(last=False)
        self._grow(-size)

    def _grow(self, size: int) -> None:
        self.bytes += size
        SizedLruCache.total += size

    def take(self, key: K, epoch: Hashable = None) -> V | None:
        """Return the value as `get` does, and remove the entry, even one of another epoch."""
        with _lock:
            entry = self._entries.pop(key, None)
            if entry is None:
                return None
            self._grow(-entry[1])
            return entry[0] if entry[2] is None or entry[2] == epoch else None

    def clear(self) -> None:
        """Remove all entries."""
        with _lock:
            self._entries.clear()
            self._grow(-self.bytes)


_lock = RLock()
"""Threads fill caches, and one cache can evict the entries of another."""
_caches: WeakSet[SizedLruCache[Any, Any]] = WeakSet()


def lru_cache_short_keys(
    function: Callable[[Text], V], max_entries: int, max_length: int
) -> Callable[[Text], V]:
    """Wrap a function with a cache of its last results.

    Clients choose the texts, so results for texts longer than `max_length` are not cached. This bounds
    the memory.
    """
    cached = lru_cache(maxsize=max_entries)(function)
    return lambda text: (cached if len(text) <= max_length else function)(text)
