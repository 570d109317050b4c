"""Lists with a silent limit: whatever they hold, all is found once, in few requests."""

from collections import Counter
from datetime import date, timedelta
from math import ceil, log2

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.cases import each_case
from tracker.watch.adapter import NotUnderstood, Request
from tracker.watch.adapters.day_ranges import DayRange, Limits, ListedPage, PartialPoll, read_days

FIRST = date(2026, 1, 1)
LIMITS = Limits(page_size=3, max_count=10)


class Lists:
    """A publisher with some documents on each day; of a range it gives the first `max_count`."""

    def __init__(self, counts: list[int], limits: Limits = LIMITS, exact: bool = False):
        self.counts, self.limits, self.exact = counts, limits, exact
        self.requests = 0

    def ask(self, days: DayRange, number: int) -> PartialPoll[ListedPage[date]]:
        """Return a page of a range."""
        self.requests += 1
        yield Request(f"https://publisher.example/{days.first}/{days.last}/{number}")
        names = [
            (f"{FIRST + timedelta(days=day)}-{each}", FIRST + timedelta(days=day))
            for day, count in enumerate(self.counts)
            for each in range(count)
            if days.first <= FIRST + timedelta(days=day) <= days.last
        ]
        given = names[: self.limits.max_count]
        begin = (number - 1) * self.limits.page_size
        count = len(names) if self.exact else len(given)
        return ListedPage(count, dict(given[begin : begin + self.limits.page_size]))

    def read(self) -> dict[str, date]:
        """Return all documents."""
        last = FIRST + timedelta(days=len(self.counts) - 1)
        reading = read_days(DayRange(FIRST, last), self.ask, self.limits)
        try:
            while True:
                next(reading)
        except StopIteration as end:
            found: dict[str, date] = end.value
            return found


@settings(max_examples=200, deadline=None)
@given(counts=st.lists(st.integers(0, 9), min_size=1, max_size=60), exact=st.booleans())
@example(counts=[9] * 60, exact=False)
@example(counts=[0], exact=True)
def test_all_documents_are_found_once_within_a_bound(counts: list[int], exact: bool) -> None:
    lists = Lists(counts, exact=exact)
    found = lists.read()
    days = [FIRST + timedelta(days=day) for day in range(len(counts))]
    assert Counter(found.values()) == Counter(
        {day: count for day, count in zip(days, counts, strict=True) if count}
    )
    total, levels = sum(counts), ceil(log2(len(counts))) if len(counts) > 1 else 0
    halved = total // LIMITS.max_count * levels
    assert lists.requests <= ceil(total / LIMITS.page_size) + 2 * halved + halved + 1


@each_case("exact", [True, False])
@each_case("count", [10, 11])
def test_a_day_with_more_than_can_be_had_is_incomplete(count: int, exact: bool) -> None:
    with pytest.raises(
        NotUnderstood, match=r"2026-01-02: .* 10 documents or more|11 documents"
    ) as refusal:
        Lists([1, count, 1], exact=exact).read()
    assert refusal.value.code == "INCOMPLETE"


class Forgetful(Lists):
    """Counts documents that it does not give, or gives one twice."""

    def ask(self, days: DayRange, number: int) -> PartialPoll[ListedPage[date]]:
        """Return a page without its last document."""
        listed = yield from super().ask(days, number)
        listed.documents.popitem()
        return listed


@each_case("counts", [[2], [2, 3], [9, 9]])
def test_fewer_documents_than_are_counted_are_incomplete(counts: list[int]) -> None:
    with pytest.raises(NotUnderstood, match=r"counts .* documents, and .* came") as refusal:
        Forgetful(counts).read()
    assert refusal.value.code == "INCOMPLETE"


class Shrinking(Lists):
    """Counts more in a range than in its halves: it lost some between the requests."""

    def ask(self, days: DayRange, number: int) -> PartialPoll[ListedPage[date]]:
        """Return a page; after the first one the last day is empty."""
        listed = yield from super().ask(days, number)
        self.counts[-1] = 0
        return listed


@each_case("exact", [True, False])
def test_halves_are_held_against_the_whole(exact: bool) -> None:
    with pytest.raises(NotUnderstood, match="documents, and 8 came"):
        Shrinking([4, 4, 4], exact=exact).read()
