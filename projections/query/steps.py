"""Days a step apart. Pure."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from enum import Enum
from itertools import count, islice, takewhile

MAX_MOMENTS = 400
"""Maximum number of moments in a query: more than a year of days, or thirty years of months."""


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


MONTHS = {Step.MONTH: 1, Step.QUARTER: 3, Step.YEAR: 12}
DAYS = {Step.DAY: 1, Step.WEEK: 7}


def days_by_step(first: date, last: date, step: Step) -> list[date]:
    """Return the days from the first to the last, a step apart.

    The list ends one item after the maximum.
    """
    return [*islice(takewhile(lambda day: day <= last, _days_from(first, step)), MAX_MOMENTS + 1)]


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
