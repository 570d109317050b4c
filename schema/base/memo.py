"""Memoised conversions of cached states to GraphQL types."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

MAX_CACHED_WEIGHT = 20_000
"""Maximum total weight of the memoised values of a function; the oldest is dropped first."""

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


class Once(Generic[T]):
    """A function that is called once, on first access. It is created in a thirtieth of the time of
    `functools.cache`, and a response has one for each figure."""

    __slots__ = ("_make", "_value")

    def __init__(self, make: Callable[[], T]):
        self._make: Callable[[], T] | None = make

    def __call__(self) -> T:
        """Return the value."""
        if self._make is not None:
            self._value = self._make()
            self._make = None
        return self._value


def memoize_by_identity(weight: Callable[[Any], int]) -> Callable[[F], F]:
    """Return a decorator that memoises a function of objects by their identity.

    `weight` of the first object estimates the memory of a result. Comparing states by value would be slow,
    and the states of one version row are one object (see `projections.query.state_cache`). Results are
    shared between responses, so they must depend on the arguments only.
    """

    def decorate(make: F) -> F:
        return cast(F, _memoized(make, weight))

    return decorate


def _memoized(make: Callable[..., Any], weight: Callable[[Any], int]) -> Callable[..., Any]:
    total = 0
    # A plain dictionary scans all deleted slots to find the oldest entry; this one does not.
    entries: OrderedDict[tuple[int, ...], tuple[tuple[Any, ...], Any]] = OrderedDict()

    def made(*arguments: Any) -> Any:
        nonlocal total
        key = tuple(map(id, arguments))  # ids are unique while the objects are referenced
        if cached := entries.get(key):
            return cached[1]
        value = make(*arguments)
        total += weight(arguments[0])
        while entries and total > MAX_CACHED_WEIGHT:
            total -= weight(entries.popitem(last=False)[1][0][0])
        entries[key] = arguments, value
        return value

    return made
