"""Caches limited in bytes, with eviction of the least recently used entries."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Generic, TypeVar

ENTRY_OVERHEAD_BYTES = 400
"""Overhead of an entry in bytes: its key, and its slot in the dictionary."""

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Text = TypeVar("Text", str, bytes)


class SizedLruCache(Generic[K, V]):
    """A cache limited by the bytes of its values; a larger value is not cached.

    The caller passes the size of a value, and optionally an epoch. The value is then returned only to
    callers with the same epoch.
    """

    def __init__(self, max_bytes: int):
        self._max_bytes = max_bytes
        self._entries: OrderedDict[K, tuple[V, int, Hashable]] = OrderedDict()
        self.bytes = 0
        """The size of all entries."""
        self.hits = 0
        """Number of cache hits."""
        self.misses = 0
        """Number of cache misses."""

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K, epoch: Hashable = None) -> V | None:
        """Return the value of a key and mark it as used, or None on a miss."""
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
        if (replaced := self._entries.pop(key, None)) is not None:
            self.bytes -= replaced[1]
        size += ENTRY_OVERHEAD_BYTES
        if size > self._max_bytes:
            return
        self._entries[key] = value, size, epoch
        self.bytes += size
        while self.bytes > self._max_bytes:
            _, (_, evicted_size, _) = self._entries.popitem(last=False)
            self.bytes -= evicted_size

    def take(self, key: K, epoch: Hashable = None) -> V | None:
        """Return the value as `get` does, and remove the entry, even one of another epoch."""
        entry = self._entries.pop(key, None)
        if entry is None:
            return None
        self.bytes -= entry[1]
        return entry[0] if entry[2] is None or entry[2] == epoch else None

    def discard(self, key: K) -> None:
        """Remove a key, if it is cached."""
        self.take(key)

    def clear(self) -> None:
        """Remove all entries."""
        self._entries.clear()
        self.bytes = 0


def lru_cache_short_keys(
    function: Callable[[Text], V], max_entries: int, max_length: int
) -> Callable[[Text], V]:
    """Wrap a function with a cache of its last results.

    Clients choose the texts, so results for texts longer than `max_length` are not cached. This bounds
    the memory.
    """
    cached = lru_cache(maxsize=max_entries)(function)
    return lambda text: (cached if len(text) <= max_length else function)(text)
