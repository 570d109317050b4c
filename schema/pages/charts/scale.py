"""Time scales of drawings: locations of dates in percent of the width, and ticks of the axis.

Drawings have no `viewBox`: x is in percent and y in pixels. So they stretch without scripts, and their text
keeps its size.
"""

from collections.abc import Iterable, Iterator
from datetime import date

from msgspec import Struct

from tracker.domain.wording.phrases import short_date

MIN_DAYS = 730
"""Minimum number of days of a window, so that recent bars are not stretched."""
MARGIN_PERCENT = 4
"""Margin before the first date and after the last one, in percent of the days between them."""
MIN_MARGIN_DAYS = 45
MIN_DAYS_TO_COME = 270
"""Minimum number of days after the date of the page, for upcoming changes."""
MAX_LABELS = 9
DAYS_OF_QUARTERS = 6 * 366
"""Maximum number of days for which an axis has ticks for quarters."""
DAYS_OF_LABELLED_QUARTERS = 450
"""Maximum number of days for which the quarters have labels too."""
YEARS_OF_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
WIDTH_OF_LABEL_PERCENT = 9
"""Width of a label on a phone; a tick nearer to the end has none, because it would be cut."""


class Tick(Struct, frozen=True):
    """A line of the axis, with a label at the start of a year (or a labelled quarter)."""

    x: float
    label: str | None = None


class TimeScale(Struct, frozen=True):
    """The dates from `first` to `last`, both inclusive, along 100 percent of a width."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError("a scale ends before it begins")

    @property
    def days(self) -> int:
        """Return the number of days of the scale."""
        return self.last.toordinal() - self.first.toordinal() + 1

    def start(self, day: date) -> float:
        """Return the location of the start of a date, limited to the scale."""
        return self._percent(day.toordinal())

    def end(self, day: date | None) -> float:
        """Return the location of the end of a date; without one, the right edge."""
        return 100.0 if day is None else self._percent(day.toordinal() + 1)

    def shows(self, first: date, last: date | None) -> bool:
        """Return whether a period overlaps the scale."""
        return first <= self.last and (last is None or last >= self.first)

    def ticks(self) -> tuple[Tick, ...]:
        """Return the ticks of the axis, from left to right."""
        return tuple(self._ticks())

    def _percent(self, ordinal: int) -> float:
        part = (ordinal - self.first.toordinal()) / self.days
        return round(100 * min(1.0, max(0.0, part)), 3)

    def _ticks(self) -> Iterator[Tick]:
        step = _years_between_labels(self.days)
        for year in range(self.first.year, self.last.year + 1):
            if self.days > DAYS_OF_QUARTERS:
                if year % step == 0 or (step <= 10 and self.first.year < year):
                    yield from self._tick(date(year, 1, 1), str(year) if year % step == 0 else None)
                continue
            for month in (1, 4, 7, 10):
                yield from self._tick(date(year, month, 1), self._label(year, month))

    def _label(self, year: int, month: int) -> str | None:
        if self.days <= DAYS_OF_LABELLED_QUARTERS:
            return short_date(f"{year}-{month:02}")
        return str(year) if month == 1 else None

    def _tick(self, day: date, label: str | None) -> Iterator[Tick]:
        if self.first <= day <= self.last:
            x = self.start(day)
            yield Tick(x, label if x <= 100 - WIDTH_OF_LABEL_PERCENT else None)


def window_around(days: Iterable[date], day: date) -> TimeScale:
    """Return a window with all given dates, the date of the page, and some time after it.

    `days` are dates of changes. Periods without a known end are drawn to the right edge.
    """
    ordinals = sorted({change.toordinal() for change in days} | {day.toordinal()})
    first, last = ordinals[0], max(ordinals[-1], day.toordinal() + MIN_DAYS_TO_COME)
    margin = max(MIN_MARGIN_DAYS, (last - first) * MARGIN_PERCENT // 100)
    first, last = first - margin, last + margin
    first -= max(0, MIN_DAYS - (last - first + 1))
    return TimeScale(
        date.fromordinal(max(first, date.min.toordinal())),
        date.fromordinal(min(last, date.max.toordinal())),
    )


def _years_between_labels(days: int) -> int:
    """Return the number of years between two labels that do not overlap."""
    years = days / 365.25
    return next((step for step in YEARS_OF_STEPS if years / step <= MAX_LABELS), YEARS_OF_STEPS[-1])
