"""The two rulers of the time bar: effective dates, and positions of the log. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date

from msgspec import Struct

from schema.pages.charts.scale import Tick, TimeScale, window_around

MIN_TICK_PX, MAX_TICK_PX, MORE_PX = 8, 22, 4
"""Heights of ticks, and the extra height for each further change."""
MAX_TICKS = 250
"""Maximum number of ticks beside each other; closer changes share one."""


class ChangeTick(Struct, frozen=True):
    """A tick for changes, higher for more."""

    x: float
    height_px: int
    past: bool
    """Whether it is on the date of the page or before it."""
    day: date
    """Its first date."""


class DayRuler(Struct, frozen=True):
    """The ruler of effective dates."""

    scale: TimeScale
    day: date
    hand: float
    labels: Sequence[Tick]
    ticks: Sequence[ChangeTick]
    unknown_from: float | None
    """Start of the dates without known facts; None if it is not drawn."""


class PositionRuler(Struct, frozen=True):
    """The ruler of the positions of the log."""

    position: int
    last: int
    hand: float
    ticks: Sequence[float]


def make_day_ruler(
    changes: Iterable[date],
    day: date,
    facts_until: date | None = None,
    scale: TimeScale | None = None,
) -> DayRuler:
    """Return the ruler for a date.

    `changes` are dates of changes, once for each change. `facts_until` is the date of the newest known fact.
    """
    days = sorted(changes)
    drawn = scale or window_around(days, day)
    unknown = None if facts_until is None else drawn.end(facts_until)
    return DayRuler(
        drawn,
        day,
        drawn.start(day),
        drawn.ticks(),
        _change_ticks([each for each in days if drawn.shows(each, each)], day, drawn),
        None if unknown == 100 else unknown,
    )


def make_position_ruler(
    position: int, last: int | None = None, positions: Iterable[int] = ()
) -> PositionRuler:
    """Return the ruler for a position of a log of `last` entries.

    `last` is left out if a page must not depend on later entries. `positions` are those of entries about
    the content of the page.
    """
    end = max(1, position, last or 0)
    drawn = sorted({_percent(each, end) for each in positions if 1 <= each <= end})
    return PositionRuler(position, end, _percent(position, end), drawn)


def _percent(position: int, last: int) -> float:
    """Return the location of a position between the first and the last one."""
    part = (position - 1) / (last - 1) if last > 1 else 1.0
    return round(100 * max(0.0, part), 2)


def _change_ticks(changes: Sequence[date], day: date, scale: TimeScale) -> list[ChangeTick]:
    """Return ticks that do not overlap. Changes before and after the date of the page never share one."""
    counted: Counter[tuple[bool, int]] = Counter()
    first: dict[tuple[bool, int], date] = {}
    for change in changes:
        at = (change <= day, round(scale.start(change) * MAX_TICKS / 100))
        counted[at] += 1
        first.setdefault(at, change)
    return [
        ChangeTick(
            scale.start(first[at]),
            min(MAX_TICK_PX, MIN_TICK_PX + MORE_PX * (count - 1)),
            at[0],
            first[at],
        )
        for at, count in sorted(counted.items(), key=lambda item: first[item[0]])
    ]
