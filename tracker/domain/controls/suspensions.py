"""Suspensions of a clause, and the one that applies on a day.

They are looked up by day, so a clause with a thousand suspensions is as fast as one with a single suspension.
All values here are immutable.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from operator import attrgetter, itemgetter
from typing import NamedTuple, Self

from tracker.domain.basics.duration import Duration
from tracker.domain.basics.values import DAY, PartialDate


class Suspension(NamedTuple):
    """A period in which a clause does not apply. No end: until further notice. Ends are inclusive."""

    start: PartialDate
    end: PartialDate | None
    last: date
    """The last suspended day: earlier than `end` after a reinstatement, and the first day of the calendar
    if it was reinstated before it began."""
    length: Duration | None = None
    """The length that the act gives instead of an end."""


class _Span(NamedTuple):
    """Days on which one suspension applies, both ends included."""

    first: date
    last: date
    number: int
    """The index of the suspension."""


@dataclass(frozen=True, slots=True)
class Suspensions:
    """All suspensions of a clause in the order of the acts.

    If several cover a day, the earliest ordered one applies.
    """

    ordered: tuple[Suspension, ...] = ()
    _spans: tuple[_Span, ...] = ()
    """Every suspended day once, in the order of the calendar."""
    _starts: tuple[tuple[date, int], ...] = ()
    """The first day and the index of each suspension that was not reinstated before it began, sorted."""

    def on(self, day: date) -> Suspension | None:
        """Return the suspension that applies on a day."""
        span = self._span(day)
        return self.ordered[span.number] if span else None

    def next_after(self, day: date) -> Suspension | None:
        """Return the next suspension that begins after a day."""
        place = bisect_right(self._starts, day, key=_START)
        return self.ordered[self._starts[place][1]] if place < len(self._starts) else None

    def last_ordered(self, day: date) -> Suspension | None:
        """Return the last ordered suspension that has not ended by a day; it may not have begun."""
        number = self._number(day)
        return None if number is None else self.ordered[number]

    @property
    def last_day(self) -> date:
        """Return the last suspended day of all; the first day of the calendar without one."""
        return max((s.last for s in self.ordered), default=date.min)

    def first_day_without(self, day: date) -> date | None:
        """Return the first day from a day on that is not suspended, if there is one."""
        while span := self._span(day):
            if span.last == date.max:
                return None
            day = span.last + DAY
        return day

    def add(
        self, start: PartialDate, end: PartialDate | None, length: Duration | None = None
    ) -> Self:
        """Return these suspensions and a further one."""
        number, new = len(self.ordered), Suspension(start, end, _last(end), length)
        starts, entry = self._starts, (start.first, number)
        place = bisect_right(starts, entry)
        return replace(
            self,
            ordered=(*self.ordered, new),
            _spans=_fill_gap(self._spans, start.first, new.last, number),
            _starts=(*starts[:place], entry, *starts[place:]),
        )

    def extend(self, end: PartialDate | None, day: date) -> Self:
        """Return these suspensions with another end of the last ordered one that has not ended by a day."""
        number = self._number(day)
        if number is None:
            return self
        old, new_last = self.ordered[number], _last(end)
        extended = Suspension(old.start, end, new_last)
        ordered = (*self.ordered[:number], extended, *self.ordered[number + 1 :])
        if new_last >= old.last:  # no later ordered suspension covers the days in between
            first = max(old.start.first, old.last)
            spans = _fill_gap(self._spans, first, new_last, number)
        else:
            spans = _spans_of(ordered)
        return replace(self, ordered=ordered, _spans=spans)

    def end_before(self, day: date) -> Self:
        """Return these suspensions, each ended before a day."""
        spans = self._spans[: bisect_left(self._spans, day, key=_FIRST)]
        if spans and spans[-1].last >= day:
            spans = (*spans[:-1], spans[-1]._replace(last=day - DAY))
        return replace(
            self,
            ordered=tuple([_end_before(s, day) for s in self.ordered]),
            _spans=spans,
            _starts=self._starts[: bisect_left(self._starts, day, key=_START)],
        )

    def _span(self, day: date) -> _Span | None:
        place = bisect_right(self._spans, day, key=_FIRST)
        return self._spans[place - 1] if place and self._spans[place - 1].last >= day else None

    def _number(self, day: date) -> int | None:
        numbers = reversed(range(len(self.ordered)))
        return next((number for number in numbers if self.ordered[number].last >= day), None)


NO_SUSPENSIONS = Suspensions()


def _last(end: PartialDate | None) -> date:
    return end.last if end else date.max


def _end_before(suspension: Suspension, day: date) -> Suspension:
    """Return a suspension that ends before a day, or never applied if it begins later."""
    if suspension.start.first >= day:
        return suspension._replace(last=date.min)
    return suspension if suspension.last < day else suspension._replace(last=day - DAY)


def _spans_of(ordered: tuple[Suspension, ...]) -> tuple[_Span, ...]:
    spans: tuple[_Span, ...] = ()
    for number, suspension in enumerate(ordered):
        spans = _fill_gap(spans, suspension.start.first, suspension.last, number)
    return spans


def _fill_gap(spans: tuple[_Span, ...], first: date, last: date, number: int) -> tuple[_Span, ...]:
    """Return spans, with a suspension on the days between two that none of them covers."""
    if first > last:
        return spans
    begin = bisect_left(spans, first, key=_LAST)
    end = bisect_right(spans, last, key=_FIRST)
    return (*spans[:begin], *_with_gaps(spans[begin:end], first, last, number), *spans[end:])


def _with_gaps(spans: tuple[_Span, ...], first: date, last: date, number: int) -> Iterator[_Span]:
    for span in spans:
        if first < span.first:
            yield _Span(first, span.first - DAY, number)
        yield span
        if span.last >= last:
            return
        first = span.last + DAY
    yield _Span(first, last, number)


_FIRST, _LAST, _START = attrgetter("first"), attrgetter("last"), itemgetter(0)
