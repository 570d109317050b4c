"""Series of moments in one query: dates or positions."""

from datetime import date, datetime
from typing import TypeVar

from projections.query.steps import MAX_MOMENTS, Step, days_by_step
from schema.base.enums import described_enum
from tracker import clock
from tracker.errors import InvalidInput

C = TypeVar("C", date, datetime)
T = TypeVar("T")

described_enum(Step)

DAY_CHARACTERS = len("2025-01-31")


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
