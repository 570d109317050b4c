"""Durations in acts: 90 days, a year."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, timedelta

from tracker.errors import InvalidInput

DURATION = re.compile(
    r"P(?=\d)(?:(\d{1,3})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?", re.ASCII
)


class Duration(str):
    """A duration in ISO 8601: years, months, weeks and days, such as `P1Y`, `P6M`, `P90D`.

    `last_day` includes the first day. A year from 10 November 2025 ends on 9 November 2026. 90 days from 1
    January end on 31 March of a common year. If the last month is too short, the duration ends with the
    month: a month from 31 January ends on the last day of February.
    """

    __slots__ = ("days", "months")
    months: int
    days: int

    def __new__(cls, text: str) -> Duration:
        match = DURATION.fullmatch(text)
        years, months, weeks, days = (
            (int(part or 0) for part in match.groups()) if match else [0] * 4
        )
        if not years + months + weeks + days:
            raise InvalidInput(
                f"{text!r} is not a length of time: expected one in ISO 8601 such as P90D, P6M or P1Y",
                code="INVALID_DURATION",
            )
        self = super().__new__(cls, text)
        self.months, self.days = 12 * years + months, 7 * weeks + days
        return self

    def last_day(self, start: date) -> date:
        """Return the last day of this duration from `start` on; at most the last day of the calendar."""
        try:
            after = _months_later(start, self.months) if self.months else start
            return after + timedelta(days=self.days - 1)
        except (ValueError, OverflowError):
            return date.max

    def after(self, day: date, times: int = 1) -> date:
        """Return the day that is this duration, or some times of it, after a day that does not count.

        A month that lacks the day ends it: a month after 31 January is the last day of February.
        """
        months, days = times * self.months, times * self.days
        try:
            later = _months_later(day, months) if months else day
            return later + timedelta(days=days - (months > 0 and later.day != day.day))
        except (ValueError, OverflowError):
            return date.max


def _months_later(day: date, months: int) -> date:
    """Return the same day some months later or, if that month lacks it, the day after the month."""
    year, month = divmod(12 * day.year + day.month - 1 + months, 12)
    length = monthrange(year, month + 1)[1]
    if day.day <= length:
        return date(year, month + 1, day.day)
    return date(year, month + 1, length) + timedelta(days=1)
