"""Memoised conversions of cached states to GraphQL types."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

MAX_CACHED_WEIGHT = 20_000
"""The maximum total weight of memoised values; the oldest is dropped first."""

A = TypeVar("A")
B = TypeVar("B")
T = TypeVar("T")


def memoize_by_identity(
    weight: Callable[[A], int],
) -> Callable[[Callable[[A, B], T]], Callable[[A, B], T]]:
    """A decorator that memoises a function of two objects by their identity. `weight` of the first
    estimates the memory that a result takes.

    They are told by what they are and not by what they say: states are long to compare, and those
    of one version row are one object (see `projections.query.state_cache`). What is made of them is
    shared between answers, so it has to follow from them alone.
    """
    return lambda make: _memoized(make, weight)


def _memoized(make: Callable[[A, B], T], weight: Callable[[A], int]) -> Callable[[A, B], T]:
    total = 0
    kept: dict[tuple[int, int], tuple[A, B, T]] = {}

    def made(one: A, other: B) -> T:
        nonlocal total
        key = id(one), id(other)  # nobody else's while they are kept
        if found := kept.get(key):
            return found[2]
        value = make(one, other)
        total += weight(one)
        while kept and total > MAX_CACHED_WEIGHT:
            total -= weight(kept.pop(next(iter(kept)))[0])
        kept[key] = one, other, value
        return value

    return made
