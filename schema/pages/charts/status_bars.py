"""Drawing of the statuses of clauses over time: a bar for each period in each row, and marks. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from schema.pages.charts.scale import Tick, TimeScale, window_around
from schema.pages.charts.status_marks import DOUBTED_STYLES, DOUBTS, LEGEND_WORDS
from tracker.domain.basics.control_vocabulary import ClauseStatus, Measure
from tracker.domain.basics.word import Hue, Shape
from tracker.domain.wording.phrases import short_date, short_period

MAX_LANES = 40
"""Maximum number of clauses in a row."""
MIN_ROW_PX = 42
MARGIN_OF_ROW_PX = 10
GAP_PX = 2
"""Gap between the bars of two clauses."""


@dataclass(frozen=True)
class Period:
    """A period in which a clause has a status; `last` is inclusive, None without a known end."""

    status: str
    first: date
    last: date | None = None
    confirmation: str = "CONFIRMED"
    """Confirmation of the status on the date of the page, if the period includes it."""

    @property
    def style(self) -> str:
        """Return its style."""
        return _style(self.status, self.confirmation)

    @property
    def word(self) -> str:
        """Return its status in a word."""
        return ClauseStatus[self.status].phrase

    def covers(self, day: date) -> bool:
        """Return whether it includes a date."""
        return self.first <= day and (self.last is None or day <= self.last)

    def __str__(self) -> str:
        doubt = f" ({DOUBTS[self.confirmation]})" if self.style in DOUBTED_STYLES.values() else ""
        return f"{self.word} {short_period(self.first, self.last)}{doubt}"


def _style(status: str, confirmation: str) -> str:
    """Return the style of a status; a clause in force has that of its doubt."""
    shape = ClauseStatus[status].shape
    return DOUBTED_STYLES.get(confirmation, shape) if shape is Shape.SOLID else shape


@dataclass(frozen=True)
class Track:
    """The periods of one clause, its measure, and the confirmation of its status on the date of the
    page."""

    measure: str
    periods: Sequence[Period]
    confirmation: str = "CONFIRMED"


@dataclass(frozen=True)
class RowOfPeriods:
    """The content of a row: a clause, or an instrument with several."""

    label: str
    tracks: Sequence[Track]
    sub: str = ""
    """Small line below the label."""
    href: str | None = None
    group: str | None = None
    """Heading of its group, such as the issuer."""


@dataclass(frozen=True)
class Bar:
    """A period in the drawing."""

    style: str
    x: float
    width: float
    words: str
    starts: bool
    """Whether it begins in the window; only then it has a start mark."""


@dataclass(frozen=True)
class Lane:
    """The bars of one clause."""

    hue: Hue
    bars: Sequence[Bar]


@dataclass(frozen=True)
class State:
    """A status of clauses of a row on the date of the page."""

    status: str
    hue: Hue | None
    """Hue; None if the clauses are of several kinds."""
    clauses: int
    confirmations: frozenset[str]
    """Confirmations of their statuses, as in the API."""
    words: str
    """Start, end and next status in words; empty if clauses differ in them."""

    @property
    def style(self) -> str:
        """Return its mark; that of a doubt if all of its clauses share it."""
        return (
            _style(self.status, *self.confirmations)
            if len(self.confirmations) == 1
            else (ClauseStatus[self.status].shape)
        )

    @property
    def word(self) -> str:
        """Return its word."""
        return ClauseStatus[self.status].phrase


@dataclass(frozen=True)
class StatusRow:
    """A row in the drawing."""

    row: RowOfPeriods
    lanes: Sequence[Lane]
    words: str
    """Text alternative of the drawing: all periods in words."""
    states: Sequence[State]
    to_come: str
    """Next period in words, if no clause has a status on the date."""

    @property
    def hue(self) -> Hue:
        """Return the hue of its first clause."""
        return self.lanes[0].hue if self.lanes else Hue.OTHER

    @property
    def lane_px(self) -> int:
        """Return the thickness of its bars, which is smaller if there are many."""
        count = len(self.lanes)
        return 16 if count == 1 else 7 if count <= 4 else 5 if count <= 8 else 3

    @property
    def height_px(self) -> int:
        """Return the height of its drawing."""
        return max(MIN_ROW_PX, len(self.lanes) * (self.lane_px + GAP_PX) + 2 * MARGIN_OF_ROW_PX)

    def top_px(self, index: int) -> float:
        """Return the top of a lane."""
        thick = len(self.lanes) * (self.lane_px + GAP_PX) - GAP_PX
        return (self.height_px - thick) / 2 + index * (self.lane_px + GAP_PX)


@dataclass(frozen=True)
class StatusTable:
    """Rows on one scale, with the date of the page."""

    rows: Sequence[StatusRow]
    scale: TimeScale
    day: date
    ticks: Sequence[Tick]
    today: float
    """Start of the date of the page."""
    veil: float
    """End of the date of the page; later dates are in the future."""

    @property
    def short_date(self) -> str:
        """Return the date of the page."""
        return short_date(self.day)

    @property
    def grid(self) -> Sequence[float]:
        """Return the locations of the grid lines."""
        return [tick.x for tick in self.ticks if tick.label]

    @property
    def hues(self) -> Sequence[Hue]:
        """Return the kinds of measures in the table, for the legend."""
        hues = {lane.hue for row in self.rows for lane in row.lanes}
        return [hue for hue in Hue if hue in hues]

    @property
    def styles(self) -> Sequence[str]:
        """Return the styles in the table, for the legend."""
        styles = {bar.style for row in self.rows for lane in row.lanes for bar in lane.bars}
        return [style for style in LEGEND_WORDS if style in styles]


def track_of(clause: Mapping[str, Any]) -> Track:
    """Return the track of a clause of the API: `measure`, `statuses`, `confirmation`."""
    return Track(clause["measure"], periods_of(clause["statuses"]), clause["confirmation"])


def periods_of(statuses: Iterable[Mapping[str, Any]]) -> list[Period]:
    """Return periods from `statuses` of the API: `status`, `from`, `until`."""
    return [
        Period(
            entry["status"],
            date.fromisoformat(entry["from"]),
            date.fromisoformat(entry["until"]) if entry["until"] else None,
        )
        for entry in statuses
    ]


def draw_status_table(
    rows: Sequence[RowOfPeriods], day: date, scale: TimeScale | None = None
) -> StatusTable:
    """Draw rows, by default in a window around all of their changes."""
    drawn = scale or window_around(_days_of(rows), day)
    return StatusTable(
        [_draw_row(row, day, drawn) for row in rows],
        drawn,
        day,
        drawn.ticks(),
        drawn.start(day),
        drawn.end(day),
    )


def draw_bars(periods: Sequence[Period], scale: TimeScale) -> list[Bar]:
    """Return the bars of adjacent periods, without those outside of the window."""
    return [
        Bar(
            period.style,
            start,
            round(scale.end(period.last) - start, 3),
            str(period),
            period.first >= scale.first,
        )
        for period in periods
        if scale.shows(period.first, period.last)
        for start in (scale.start(period.first),)
    ]


def _days_of(rows: Sequence[RowOfPeriods]) -> list[date]:
    """Return the dates for a window: starts, and ends of applicable periods."""
    days: list[date] = []
    for row in rows:
        for period in (each for track in row.tracks for each in track.periods):
            days.append(period.first)
            if period.last is not None:
                days.append(period.last)
    return days


def _draw_row(row: RowOfPeriods, day: date, scale: TimeScale) -> StatusRow:
    row = replace(row, tracks=[_with_doubt(track, day) for track in row.tracks])
    tracks = row.tracks[:MAX_LANES]
    return StatusRow(
        row,
        [Lane(Measure[track.measure].hue, draw_bars(track.periods, scale)) for track in tracks],
        _row_in_words(row),
        states_on(row, day),
        _to_come(row, day),
    )


def _with_doubt(track: Track, day: date) -> Track:
    """Return a track whose period on a date has the confirmation of its status."""
    return replace(
        track,
        periods=[
            replace(one, confirmation=track.confirmation) if one.covers(day) else one
            for one in track.periods
        ],
    )


def _row_in_words(row: RowOfPeriods) -> str:
    """Return all periods in words; clauses with the same periods are grouped."""
    counts = Counter("; ".join(map(str, track.periods)) for track in row.tracks)
    if not counts:
        return "no status is known"
    if len(row.tracks) == 1:
        return next(iter(counts))
    return ". ".join(
        f"{count} of {len(row.tracks)} clauses: {text}" for text, count in counts.items()
    )


def states_on(row: RowOfPeriods, day: date) -> list[State]:
    """Return the statuses of the clauses of a row on a date: applicable ones first, ended ones last."""
    by_row: dict[str, list[tuple[Track, Period, Period | None]]] = {}
    for track in row.tracks:
        current = next((period for period in track.periods if period.covers(day)), None)
        if current is not None:
            following = next((period for period in track.periods if period.first > day), None)
            by_row.setdefault(current.status, []).append((track, current, following))
    return [
        _state(status, by_row[status])
        for status in sorted(by_row, key=lambda status: ClauseStatus[status].rank)
    ]


def _state(status: str, clauses: Sequence[tuple[Track, Period, Period | None]]) -> State:
    hues = {Measure[track.measure].hue for track, _, _ in clauses}
    words = {state_in_words(current, following) for _, current, following in clauses}
    return State(
        status,
        hues.pop() if len(hues) == 1 else None,
        len(clauses),
        frozenset(track.confirmation for track, _, _ in clauses),
        words.pop() if len(words) == 1 else "",
    )


def _to_come(row: RowOfPeriods, day: date) -> str:
    """Return the first period after a date, in words."""
    later = [period for track in row.tracks for period in track.periods if period.first > day]
    if not later:
        return ""
    first = min(later, key=lambda period: period.first)
    return f"{first.word} {short_date(first.first)}"


def state_in_words(current: Period, following: Period | None) -> str:
    """Return the start, the end and the next status in words."""
    if ClauseStatus[current.status].has_ended:
        return f"since {short_date(current.first)}"
    if current.status == "SUSPENDED":
        if current.last is None:
            return "until further notice"
        back = ", then back" if following and following.status == "IN_FORCE" else ""
        return f"until {short_date(current.last)}{back}"
    if current.status == "IN_FORCE":
        since = f"since {short_date(current.first)}"
        return f"{since}, until {short_date(current.last)}" if current.last else since
    if following is not None:
        return f"{following.word} from {short_date(following.first)}"
    return "no day is given" if current.style is Shape.HOLLOW else ""
