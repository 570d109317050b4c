"""Memoised conversions of cached states to GraphQL types."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

MAX_CACHED_WEIGHT = 20_000
"""The maximum total weight of the memoised values of a function; the oldest is dropped first."""

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


class Once(Generic[T]):
    """A function that is called once, when its value is first asked for. To make one costs a
    thirtieth of `functools.cache`, and there is one for each figure of an answer."""

    __slots__ = ("_make", "_value")

    def __init__(self, make: Callable[[], T]):
        self._make: Callable[[], T] | None = make

    def __call__(self) -> T:
        """The value."""
        if self._make is not None:
            self._value = self._make()
            self._make = None
        return self._value


def memoize_by_identity(weight: Callable[[Any], int]) -> Callable[[F], F]:
    """A decorator that memoises a function of some objects by their identity. `weight` of the first
    estimates the memory that a result takes.

    They are told by what they are and not by what they say: states are long to compare, and those
    of one version row are one object (see `projections.query.state_cache`). What is made of them is
    shared between answers, so it has to follow from them alone.
    """

    def decorate(make: F) -> F:
        return cast(F, _memoized(make, weight))

    return decorate


def _memoized(make: Callable[..., Any], weight: Callable[[Any], int]) -> Callable[..., Any]:
    total = 0
    # A dictionary looks through all places of what was dropped to find the oldest; this one does not.
    kept: OrderedDict[tuple[int, ...], tuple[tuple[Any, ...], Any]] = OrderedDict()

    def made(*given: Any) -> Any:
        nonlocal total
        key = tuple(map(id, given))  # nobody else's while they are kept
        if found := kept.get(key):
            return found[1]
        value = make(*given)
        total += weight(given[0])
        while kept and total > MAX_CACHED_WEIGHT:
            total -= weight(kept.popitem(last=False)[1][0][0])
        kept[key] = given, value
        return value

    return made
