"""Series of moments in one query: dates or positions."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from enum import Enum
from itertools import count, islice, takewhile
from typing import TypeVar

from schema.base.enums import described_enum
from tracker import clock
from tracker.errors import InvalidInput

C = TypeVar("C", date, datetime)
T = TypeVar("T")

MAX_MOMENTS = 400
"""Maximum number of moments in a query: more than a year of days, or thirty years of months."""


@described_enum
class Step(Enum):
    """The time from one moment to the next."""

    DAY = "day"
    """A day."""
    WEEK = "week"
    """Seven days."""
    MONTH = "month"
    """A month: the same day of the next one, or its last day."""
    QUARTER = "quarter"
    """Three months."""
    YEAR = "year"
    """A year."""


DAY_CHARACTERS = len("2025-01-31")
MONTHS = {Step.MONTH: 1, Step.QUARTER: 3, Step.YEAR: 12}
DAYS = {Step.DAY: 1, Step.WEEK: 7}


def check_order(start: C, end: C) -> None:
    """Check that a range does not end before it begins. Raises InvalidInput."""
    if start > end:
        raise InvalidInput(
            f"{end} lies before {start}, the start of the range: expected an end not before it",
            code="END_BEFORE_START",
            path=("to",),
        )


def check_number(items: list[T], most: int) -> list[T]:
    """Check the number of moments of a query. Raises InvalidInput if there are too many."""
    if len(items) > most:
        raise InvalidInput(
            f"expected at most {most} moments (`first`): raise it, or use a longer step or"
            " a shorter time",
            code="TOO_MANY_MOMENTS",
            path=("first",),
        )
    return items


def days_by_step(first: date, last: date, step: Step) -> list[date]:
    """Return the days from the first to the last, a step apart.

    The list ends one item after the maximum.
    """
    return [*islice(takewhile(lambda day: day <= last, _days_from(first, step)), MAX_MOMENTS + 1)]


def times_by_step(first: datetime, last: datetime, step: Step) -> list[datetime]:
    """Return the times from the first to the last, a step apart.

    The list ends one item after the maximum.
    """
    days = days_by_step(first.date(), last.date(), step)
    times = (datetime.combine(day, first.timetz()) for day in days)
    return [time for time in times if time <= last]


def number_of_steps(start: object, end: object, step: object) -> int:
    """Return the number of moments between two times of a client, a step apart.

    Return the maximum number if it cannot be computed.
    """
    try:
        first = date.fromisoformat(str(start)[:DAY_CHARACTERS])
        last = date.fromisoformat(str(end)[:DAY_CHARACTERS]) if end else clock.today()
        return len(days_by_step(first, last, Step[str(step)]))
    except (KeyError, ValueError):
        return MAX_MOMENTS


def _days_from(first: date, step: Step) -> Iterator[date]:
    """Iterate over days, a step apart, up to the end of the calendar."""
    try:
        for number in count():
            if months := MONTHS.get(step):
                yield _months_later(first, number * months)
            else:
                yield first + timedelta(days=number * DAYS[step])
    except (OverflowError, ValueError):
        return


def _months_later(day: date, months: int) -> date:
    """Return the same day some months later, or the last day of that month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
