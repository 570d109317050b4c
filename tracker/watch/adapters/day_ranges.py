"""Lists that give only the first of many, and say nothing of the rest: read by ranges of days. Pure.

A publisher says how many documents it has of a range of days, but never more than a limit, and gives
them in pages. A range with fewer is read page by page; one that reaches the limit is halved until
each half has fewer. What came is compared with what was counted, also of the halves together: a look
that has fewer or more fails (`INCOMPLETE`) instead of missing something.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Generic, TypeAlias, TypeVar

from tracker.review.finding import Finding
from tracker.watch.adapter import NotUnderstood, Request, Response

T = TypeVar("T")

Asking: TypeAlias = Generator[Request | Finding, Response | None, T]
"""A part of a look, which returns what it read."""

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DayRange:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"

    def halves(self) -> tuple[DayRange, DayRange]:
        """Two ranges, of at least a day each."""
        middle = self.first + (self.last - self.first) // 2
        return DayRange(self.first, middle), DayRange(middle + DAY, self.last)


@dataclass(frozen=True, slots=True)
class ListedPage(Generic[T]):
    """A page of a list: how many documents the publisher counts in the range, and those of the page,
    by what it calls them."""

    count: int
    documents: dict[str, T]


@dataclass(frozen=True, slots=True)
class Limits:
    """How a publisher gives its lists: `page_size` documents a page, and no more than `max_count`
    of a range, which then may be any number."""

    page_size: int
    max_count: int = 10_000


Ask: TypeAlias = Callable[[DayRange, int], Asking[ListedPage[T]]]
"""Asks for a page (1, 2, …) of a range of days."""


def read_days(days: DayRange, ask: Ask[T], limits: Limits) -> Asking[dict[str, T]]:
    """All documents of a range of days, by what the publisher calls them.

    With n documents over d days it takes at most n / page_size + 2 (n / max_count) log₂ d + 1
    requests, rounded up. Raises NotUnderstood (`INCOMPLETE`).
    """
    listed = yield from ask(days, 1)
    if listed.count >= limits.max_count:
        return (yield from _read_halves(days, listed.count, ask, limits))
    found = dict(listed.documents)
    pages = -(-listed.count // limits.page_size)
    for number in range(2, pages + 1):
        found |= (yield from ask(days, number)).documents
    _check_count(days, listed.count, len(found))
    return found


def _read_halves(days: DayRange, count: int, ask: Ask[T], limits: Limits) -> Asking[dict[str, T]]:
    if days.first == days.last:
        raise NotUnderstood(
            f"{days.first}: the publisher lists {count:,} documents or more of one day, and gives"
            f" no more than {limits.max_count:,}",
            code="INCOMPLETE",
        )
    found: dict[str, T] = {}
    for half in days.halves():
        found |= yield from read_days(half, ask, limits)
    if count > limits.max_count:
        _check_count(days, count, len(found))
    elif len(found) < limits.max_count:
        _check_count(days, limits.max_count, len(found))
    return found


def _check_count(days: DayRange, counted: int, came: int) -> None:
    if counted != came:
        raise NotUnderstood(
            f"{days}: the publisher counts {counted:,} documents, and {came:,} came",
            code="INCOMPLETE",
        )
