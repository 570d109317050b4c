"""Drawing of both time axes: rows for ranges of positions, with dates from left to right. Pure.

In a row the records of an entity are the same. Each cell is a state that holds in a period, and has an
address: a date and a position.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from schema.pages.charts.scale import Tick, TimeScale
from schema.pages.charts.status_bars import Lane, Period, draw_bars
from tracker.domain.basics.control_vocabulary import Measure
from tracker.domain.basics.word import Hue
from tracker.domain.wording.phrases import short_period

MAX_STEPS = 40
"""Maximum number of rows."""
MAX_LANES = 40
"""Maximum number of clauses in a row."""
MIN_ROW_PX = 52
"""Minimum height of a row, for two lines of text."""
MARGIN_OF_ROW_PX = 8


@dataclass(frozen=True)
class ClauseStatus:
    """The status of a clause in a version."""

    key: str
    measure: str
    status: str


@dataclass(frozen=True)
class Version:
    """A state with the dates on which it holds and the positions at which it was recorded, inclusive."""

    valid_first: date
    valid_last: date | None
    known_first: int
    known_last: int | None
    clauses: Sequence[ClauseStatus]

    def covers(self, day: date) -> bool:
        """Return whether it holds on a date."""
        return self.valid_first <= day and (self.valid_last is None or day <= self.valid_last)


@dataclass(frozen=True)
class Act:
    """An act in an entry of the log."""

    position: int
    word: str
    says: str = ""


@dataclass(frozen=True)
class Cell:
    """A state in a row, with its address."""

    x: float
    width: float
    href: str
    words: str
    here: bool
    """Whether it is the moment of the page."""


@dataclass(frozen=True)
class Step:
    """A row: the records at a range of positions."""

    first: int
    last: int | None
    """Last position; None: until now."""
    act: Act | None
    lanes: Sequence[Lane]
    hidden_lanes: int
    cells: Sequence[Cell]
    here: bool
    """Whether it includes the position of the page."""
    later: bool
    """Whether it begins after the position of the page."""
    lane_px: int
    height_px: int

    @property
    def positions(self) -> str:
        """Return its positions in words."""
        if self.last is None:
            return f"{self.first:,} to now"
        return f"{self.first:,}" if self.first == self.last else f"{self.first:,} to {self.last:,}"


@dataclass(frozen=True)
class Square:
    """The rows on one scale."""

    steps: Sequence[Step]
    hidden_steps: int
    scale: TimeScale
    ticks: Sequence[Tick]
    today: float
    veil: float
    from_first: float
    """Start of the first state, and of the dotted lines."""

    @property
    def grid(self) -> Sequence[float]:
        """Return the locations of the grid lines."""
        return [tick.x for tick in self.ticks if tick.label]


@dataclass(frozen=True)
class Moment:
    """The moment of a page. If it is fixed, later events are excluded, and the last row ends at its
    position."""

    day: date
    position: int
    pinned: bool


def versions_of(history: Iterable[Mapping[str, Any]]) -> list[Version]:
    """Return versions from `history` of the API, with `state { clauses { key measure status } }`."""
    return [
        Version(
            date.fromisoformat(row["validFrom"]),
            date.fromisoformat(row["validUntil"]) if row["validUntil"] else None,
            int(row["knownFrom"]),
            int(row["knownUntil"]) if row["knownUntil"] else None,
            [
                ClauseStatus(clause["key"], clause["measure"], clause["status"])
                for clause in row["state"]["clauses"]
            ],
        )
        for row in history
    ]


def draw_square(
    versions: Sequence[Version],
    acts: Iterable[Act],
    moment: Moment,
    scale: TimeScale,
    link: Callable[[date, int], str],
) -> Square:
    """Draw the square of an entity; `link` returns the address of a date and a position."""
    by_position = {act.position: act for act in acts}
    order = _order_of_clauses(versions)
    bounds = _bounds(versions)
    steps = [
        _draw_step(first, last, versions, by_position.get(first), order, moment, scale, link)
        for first, last in bounds
    ]
    begin = _begin_of_drawn(steps)
    return Square(
        steps[begin : begin + MAX_STEPS],
        len(steps) - min(len(steps), MAX_STEPS),
        scale,
        scale.ticks(),
        scale.start(moment.day),
        scale.end(moment.day),
        min((scale.start(version.valid_first) for version in versions), default=0.0),
    )


def _bounds(versions: Sequence[Version]) -> list[tuple[int, int | None]]:
    """Return the ranges of positions with the same records, without gaps from the first on."""
    starts = {version.known_first for version in versions}
    starts |= {version.known_last + 1 for version in versions if version.known_last is not None}
    ordered = sorted(starts)
    return [
        (first, following - 1 if following is not None else None)
        for first, following in zip(ordered, [*ordered[1:], None], strict=False)
    ]


def _begin_of_drawn(steps: Sequence[Step]) -> int:
    """Return the index of the first row to draw: of the newest rows, or those around the page's
    position."""
    newest = max(0, len(steps) - MAX_STEPS)
    here = next((index for index, step in enumerate(steps) if step.here), newest)
    return min(newest, here)


def _order_of_clauses(versions: Sequence[Version]) -> dict[str, str]:
    """Return the clauses in the order of their first record, with their measures."""
    return {clause.key: clause.measure for version in versions for clause in version.clauses}


def _draw_step(
    first: int,
    last: int | None,
    versions: Sequence[Version],
    act: Act | None,
    order: Mapping[str, str],
    moment: Moment,
    scale: TimeScale,
    link: Callable[[date, int], str],
) -> Step:
    held = sorted(
        (
            version
            for version in versions
            if version.known_first <= first
            and (version.known_last is None or version.known_last >= first)
        ),
        key=lambda version: version.valid_first,
    )
    here = first <= moment.position and (last is None or moment.position <= last)
    if here and moment.pinned and last is None:
        last = moment.position
    lanes = [
        Lane(_hue(held, key), draw_bars(_periods(held, key), scale))
        for key in order
        if any(clause.key == key for version in held for clause in version.clauses)
    ]
    shown = lanes[:MAX_LANES]
    at = moment.position if here else (last or first)
    lane_px = 7 if len(shown) <= 6 else 5 if len(shown) <= 12 else 3
    return Step(
        first,
        last,
        act,
        shown,
        len(lanes) - len(shown),
        [
            _draw_cell(version, at, moment.day, here, scale, link)
            for version in held
            if scale.shows(version.valid_first, version.valid_last)
        ],
        here,
        first > moment.position,
        lane_px,
        max(MIN_ROW_PX, len(shown) * (lane_px + 2) + 2 * MARGIN_OF_ROW_PX),
    )


def _draw_cell(
    version: Version,
    position: int,
    day: date,
    row_is_here: bool,
    scale: TimeScale,
    link: Callable[[date, int], str],
) -> Cell:
    x = scale.start(version.valid_first)
    covers = version.covers(day)
    return Cell(
        x,
        round(scale.end(version.valid_last) - x, 3),
        link(day if covers else version.valid_first, position),
        f"{short_period(version.valid_first, version.valid_last)},"
        f" as recorded at position {position:,}",
        covers and row_is_here,
    )


def _hue(versions: Sequence[Version], key: str) -> Hue:
    """Return the colour of a clause: that of its newest wording."""
    measures = [
        clause.measure for version in versions for clause in version.clauses if clause.key == key
    ]
    return Measure[measures[-1]].hue


def _periods(versions: Sequence[Version], key: str) -> list[Period]:
    """Return the periods of a clause; adjacent ones with the same status are merged."""
    periods: list[Period] = []
    for version in versions:
        status = next((each.status for each in version.clauses if each.key == key), None)
        if status is None:
            continue
        before = periods[-1] if periods else None
        if before and before.status == status and _follows(before, version.valid_first):
            periods[-1] = Period(status, before.first, version.valid_last)
        else:
            periods.append(Period(status, version.valid_first, version.valid_last))
    return periods


def _follows(before: Period, first: date) -> bool:
    """Return whether a date is the day after a period."""
    return before.last is not None and before.last + timedelta(days=1) == first
