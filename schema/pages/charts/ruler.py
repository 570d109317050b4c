"""The two rulers of the time bar: the days in the world, and the positions of the log. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from schema.pages.charts.scale import Tick, TimeScale, window_around

MIN_TICK_PX, MAX_TICK_PX, MORE_PX = 8, 22, 4
"""The heights of ticks, and by how much one is higher for each further turn."""
MAX_TICKS = 250
"""How many ticks can stand beside each other: turns that are no further apart share one."""


@dataclass(frozen=True)
class TurnTick:
    """A tick where something turns, higher for more."""

    x: float
    height_px: int
    past: bool
    """Whether it lies on the day of the page or before it."""
    day: date
    """The first of its days."""


@dataclass(frozen=True)
class DayRuler:
    """The ruler of the days in the world."""

    scale: TimeScale
    day: date
    hand: float
    labels: Sequence[Tick]
    ticks: Sequence[TurnTick]
    unknown_from: float | None
    """From where on no facts are known yet; None where that is not drawn."""


@dataclass(frozen=True)
class PositionRuler:
    """The ruler of the positions of the log."""

    position: int
    last: int
    hand: float
    ticks: Sequence[float]


def make_day_ruler(
    turns: Iterable[date],
    day: date,
    facts_until: date | None = None,
    scale: TimeScale | None = None,
) -> DayRuler:
    """The ruler for a day; `turns` are days on which something turns, once for each thing that does.
    `facts_until` is the day of the newest fact that is known."""
    found = sorted(turns)
    drawn = scale or window_around(found, day)
    unknown = None if facts_until is None else drawn.end(facts_until)
    return DayRuler(
        drawn,
        day,
        drawn.start(day),
        drawn.ticks(),
        _turn_ticks([turn for turn in found if drawn.shows(turn, turn)], day, drawn),
        None if unknown == 100 else unknown,
    )


def make_position_ruler(
    position: int, last: int | None = None, positions: Iterable[int] = ()
) -> PositionRuler:
    """The ruler for a position of a log of `last` entries; left out where a page must not depend on
    what came since. `positions` are those of entries about what the page shows."""
    end = max(1, position, last or 0)
    drawn = sorted({_percent(each, end) for each in positions if 1 <= each <= end})
    return PositionRuler(position, end, _percent(position, end), drawn)


def _percent(position: int, last: int) -> float:
    """Where a position stands between the first and the last one."""
    part = (position - 1) / (last - 1) if last > 1 else 1.0
    return round(100 * max(0.0, part), 2)


def _turn_ticks(turns: Sequence[date], day: date, scale: TimeScale) -> list[TurnTick]:
    """Ticks that stand apart. Turns on both sides of the day of the page never share one."""
    counted: Counter[tuple[bool, int]] = Counter()
    first: dict[tuple[bool, int], date] = {}
    for turn in turns:
        at = (turn <= day, round(scale.start(turn) * MAX_TICKS / 100))
        counted[at] += 1
        first.setdefault(at, turn)
    return [
        TurnTick(
            scale.start(first[at]),
            min(MAX_TICK_PX, MIN_TICK_PX + MORE_PX * (count - 1)),
            at[0],
            first[at],
        )
        for at, count in sorted(counted.items(), key=lambda item: first[item[0]])
    ]
