"""Lists that are cut off at a limit without notice: read by ranges of days. Pure.

A publisher returns the number of documents in a range of days, capped at a limit, and serves them in pages. A
range below the limit is read page by page. A range that reaches the limit is halved until each half is below
it. The documents are compared with the counts, also across halves. A poll with a difference fails
(`INCOMPLETE`) instead of missing a document.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import date, timedelta
from typing import Generic, TypeAlias, TypeVar

from msgspec import Struct

from tracker.review.finding import Finding
from tracker.watch.adapter import NotUnderstood, Request, Response

T = TypeVar("T")

PartialPoll: TypeAlias = Generator[Request | Finding, Response | None, T]
"""A step of a poll, which returns the documents that it read."""

DAY = timedelta(days=1)


class DayRange(Struct, frozen=True):
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"

    def halves(self) -> tuple[DayRange, DayRange]:
        """Return two ranges, of at least a day each."""
        middle = self.first + (self.last - self.first) // 2
        return DayRange(self.first, middle), DayRange(middle + DAY, self.last)


class ListedPage(Struct, Generic[T], frozen=True):
    """A page of a list: the publisher's count for the range, and the documents of the page by id."""

    count: int
    documents: dict[str, T]


class Limits(Struct, frozen=True):
    """Limits of a publisher's lists: `page_size` documents per page, and counts capped at `max_count`."""

    page_size: int
    max_count: int = 10_000


RequestPage: TypeAlias = Callable[[DayRange, int], PartialPoll[ListedPage[T]]]
"""Request a page (1, 2, …) of a range of days."""


def read_days(
    days: DayRange, request_page: RequestPage[T], limits: Limits
) -> PartialPoll[dict[str, T]]:
    """Read all documents of a range of days, by the publisher's ids.

    For n documents over d days it takes at most n / page_size + 2 (n / max_count) log₂ d + 1 requests,
    rounded up. Raises NotUnderstood (`INCOMPLETE`).
    """
    listed = yield from request_page(days, 1)
    if listed.count >= limits.max_count:
        return (yield from _read_halves(days, listed.count, request_page, limits))
    documents = dict(listed.documents)
    pages = -(-listed.count // limits.page_size)
    for number in range(2, pages + 1):
        documents |= (yield from request_page(days, number)).documents
    _check_count(days, listed.count, len(documents))
    return documents


def _read_halves(
    days: DayRange, count: int, request_page: RequestPage[T], limits: Limits
) -> PartialPoll[dict[str, T]]:
    if days.first == days.last:
        raise NotUnderstood(
            f"{days.first}: the publisher lists {count:,} documents or more of one day, and gives"
            f" no more than {limits.max_count:,}",
            code="INCOMPLETE",
        )
    documents: dict[str, T] = {}
    for half in days.halves():
        documents |= yield from read_days(half, request_page, limits)
    if count > limits.max_count:
        _check_count(days, count, len(documents))
    elif len(documents) < limits.max_count:
        _check_count(days, limits.max_count, len(documents))
    return documents


def _check_count(days: DayRange, counted: int, came: int) -> None:
    if counted != came:
        raise NotUnderstood(
            f"{days}: the publisher counts {counted:,} documents, and {came:,} came",
            code="INCOMPLETE",
        )
