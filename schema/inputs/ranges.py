"""Ranges of days, years and times as filters, both ends inclusive."""

import re
from datetime import UTC, date, datetime, time
from typing import Annotated, TypeAlias, TypeVar

from strawberry import field

from projections.query.lists import Days
from schema.base.decorators import input_object
from schema.base.scalars import Day, Instant
from schema.inputs.arguments import parse_day, parse_instant
from tracker.errors import InvalidInput

C = TypeVar("C", int, date, datetime)


@input_object
class DayRange:
    """A range of dates, both ends inclusive. A date known only to the year or month is in the range if one
    of its days is."""

    first: Day | None = field(name="from", default=None)
    """The first date; open if left out."""
    last: Day | None = field(name="to", default=None)
    """The last date; open if left out."""


@input_object
class YearRange:
    """A range of years, both ends inclusive."""

    first: int | None = field(name="from", default=None)
    """The first year; open if left out."""
    last: int | None = field(name="to", default=None)
    """The last year; open if left out."""


@input_object
class TimeRange:
    """A range of time, both ends inclusive."""

    first: Instant | None = field(name="from", default=None)
    """The start; open if left out."""
    last: Instant | None = field(name="to", description="The end; open if left out.", default=None)


RecordedIn: TypeAlias = Annotated[TimeRange | None, "Only events recorded in this range of time."]


PublishedIn: TypeAlias = Annotated[
    DayRange | None, "Only items with a source published in this period."
]


def parse_days(value: DayRange | None, name: str) -> Days | None:
    """Parse a range of days; None without a filter."""
    if value is None or (value.first is None and value.last is None):
        return None
    try:
        return _check_order(parse_day(value.first, "from"), parse_day(value.last, "to"))
    except InvalidInput as error:
        raise error.below(name) from None


def parse_years(value: YearRange | None, name: str) -> tuple[int | None, int | None] | None:
    """Parse a range of years; None without a filter."""
    if value is None or (value.first is None and value.last is None):
        return None
    try:
        return _check_order(value.first, value.last)
    except InvalidInput as error:
        raise error.below(name) from None


def parse_closed_years(value: YearRange, name: str) -> tuple[int, int]:
    """Parse a range of years with both ends required. Raises InvalidInput."""
    years = parse_years(value, name)
    for end, year in zip(("from", "to"), years or (None, None), strict=True):
        if year is None:
            raise InvalidInput("expected a year", code="YEAR_REQUIRED", path=(name, end))
    assert years is not None
    first, last = years
    assert first is not None
    assert last is not None
    return first, last


def parse_times(value: TimeRange | None, name: str) -> tuple[datetime | None, datetime | None]:
    """Parse a range of time; open without a filter."""
    if value is None:
        return None, None
    try:
        return _check_order(parse_instant(value.first, "from"), parse_end(value.last, "to"))
    except InvalidInput as error:
        raise error.below(name) from None


def parse_end(text: Instant | None, name: str) -> datetime | None:
    """Parse the end of a range of time: a date without a time means its last moment (UTC)."""
    whole_day = text is not None and re.fullmatch(r"\d{4}-\d{2}-\d{2}", text.strip())
    end = parse_instant(text, name)
    return datetime.combine(end, time.max, UTC) if whole_day and end else end


def _check_order(first: C | None, last: C | None) -> tuple[C | None, C | None]:
    if first is not None and last is not None and last < first:
        raise InvalidInput(
            f"{last} lies before {first}: expected an end not before the start",
            code="END_BEFORE_START",
            path=("to",),
        )
    return first, last
