"""Answers and documents that are kept in memory, the least recently used forgotten first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Generic, TypeVar

OVERHEAD = 400
"""Bytes that a kept value costs beside its own: its key, and its place."""

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Text = TypeVar("Text", str, bytes)


class Kept(Generic[K, V]):
    """Values by key, of at most so many bytes together; a value that is larger alone is not kept.

    Who keeps a value says how large it is, and may say in which edition it holds: then it is there
    for those who ask in that one only, until another takes its place.
    """

    def __init__(self, most_bytes: int):
        self._most = most_bytes
        self._values: OrderedDict[K, tuple[V, int, Hashable]] = OrderedDict()
        self.bytes = 0
        """How large the kept values are together."""
        self.hits = 0
        """How often a value was there."""
        self.misses = 0
        """How often none was."""

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: K, edition: Hashable = None) -> V | None:
        """The value of a key, which counts as used; None where none is kept."""
        found = self._values.get(key)
        if found is None or (found[2] is not None and found[2] != edition):
            self.misses += 1
            return None
        self.hits += 1
        self._values.move_to_end(key)
        return found[0]

    def keep(self, key: K, value: V, size: int, edition: Hashable = None) -> None:
        """Keep a value of `size` bytes under a key, unless that alone is more than may be kept;
        without an edition it holds in all of them."""
        self.forget(key)
        size += OVERHEAD
        if size > self._most:
            return
        self._values[key] = value, size, edition
        self.bytes += size
        while self.bytes > self._most:
            _, (_, forgotten, _) = self._values.popitem(last=False)
            self.bytes -= forgotten

    def take(self, key: K, edition: Hashable = None) -> V | None:
        """The same value, which is kept no longer; none of another edition is either."""
        found = self._values.pop(key, None)
        if found is None:
            return None
        self.bytes -= found[1]
        return found[0] if found[2] is None or found[2] == edition else None

    def forget(self, key: K) -> None:
        """Keep nothing under a key."""
        self.take(key)

    def clear(self) -> None:
        """Keep nothing."""
        self._values.clear()
        self.bytes = 0


def kept_of_short(find_out: Callable[[Text], V], most: int, letters: int) -> Callable[[Text], V]:
    """The same function, which keeps what it found out of the last texts. Clients choose them, so
    of long ones nothing is kept: that bounds the memory they take.
    """
    kept = lru_cache(maxsize=most)(find_out)
    return lambda text: (kept if len(text) <= letters else find_out)(text)
