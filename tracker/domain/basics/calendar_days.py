"""Parser of calendar days. Pure."""

import re
from calendar import monthrange
from datetime import MINYEAR, date

from tracker.errors import InvalidInput

DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
MONTHS = 12


def parse_day(text: str, *path: str | int) -> date:
    """Parse a day. Raises InvalidInput at `path`."""
    if not (parts := DAY.fullmatch(text)):
        raise InvalidInput(
            f"{text[:50]!r} is not a day: expected YYYY-MM-DD, such as 2025-11-20",
            code="INVALID_DATE",
            path=path,
        )
    year, month, day = map(int, parts.groups())
    return calendar_day(text, year, month, day, *path)


def calendar_day(text: str, year: int, month: int, day: int, *path: str | int) -> date:
    """Return the day with these numbers. Raises InvalidInput at `path` for a day that does not exist.

    The error names the wrong part: 30 February has the right format, but an invalid day.
    """
    try:
        return date(year, month, day)
    except ValueError:
        expected = _valid_parts(year, month)
    raise InvalidInput(
        f"{text!r} is not in the calendar: expected {expected}", code="INVALID_DATE", path=path
    )


def _valid_parts(year: int, month: int) -> str:
    """Return the valid range of the part that makes a day invalid."""
    if year < MINYEAR:
        return f"a year from {MINYEAR:04}"
    if not 1 <= month <= MONTHS:
        return f"a month from 01 to {MONTHS}"
    return f"a day from 01 to {monthrange(year, month)[1]}"
