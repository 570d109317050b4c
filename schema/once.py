"""What is shown of states that are kept: made once, and not for every question."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

MOST = 4096
"""Pairs for which something is kept; the oldest is forgotten first."""

A = TypeVar("A")
B = TypeVar("B")
T = TypeVar("T")


def once(make: Callable[[A, B], T]) -> Callable[[A, B], T]:
    """The same, made once for two objects.

    They are told by what they are and not by what they say: states are long to compare, and those
    of one version row are one object (see `projections.states`). What is made of them is shared
    between answers, so it has to follow from them alone.
    """
    kept: dict[tuple[int, int], tuple[A, B, T]] = {}

    def made(one: A, other: B) -> T:
        key = id(one), id(other)  # nobody else's while they are kept
        if found := kept.get(key):
            return found[2]
        value = make(one, other)
        if len(kept) >= MOST:
            del kept[next(iter(kept))]
        kept[key] = one, other, value
        return value

    return made
