"""The statuses of clauses over time: for each row of a table a bar a period, and marks. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from schema.pages.charts.scale import Tick, TimeScale, day_in_words, days_in_words, window_around
from schema.pages.charts.status_marks import ENDED, HUES, LOOKS, Hue, Look

MAX_LANES = 40
"""The most clauses of a row that are drawn."""
MIN_ROW_PX = 42
MARGIN_OF_ROW_PX = 10
GAP_PX = 2
"""Between the bars of two clauses."""
STATUS_ORDER = (
    *("IN_FORCE", "SUSPENDED", "ANNOUNCED", "NEGOTIATED", "RECOMMENDED", "PROPOSED"),
    *("EXPIRED", "REPEALED", "WITHDRAWN", "LAPSED", "CONCLUDED"),
)
"""The statuses as people name them: what applies, what is to come, what is over."""


@dataclass(frozen=True)
class Period:
    """A time in which a clause has a status; `last` is inclusive, None: as far as is known it lasts."""

    status: str
    first: date
    last: date | None = None

    @property
    def look(self) -> Look:
        """How it is drawn."""
        return LOOKS[self.status].look

    @property
    def word(self) -> str:
        """Its status in a word."""
        return LOOKS[self.status].word

    def covers(self, day: date) -> bool:
        """Whether a day is one of its days."""
        return self.first <= day and (self.last is None or day <= self.last)

    def __str__(self) -> str:
        return f"{self.word} {days_in_words(self.first, self.last)}"


@dataclass(frozen=True)
class Track:
    """The periods of one clause, its measure, and the confirmation of its status on the day of the page."""

    measure: str
    periods: Sequence[Period]
    confirmation: str = "CONFIRMED"


@dataclass(frozen=True)
class RowOfPeriods:
    """A clause, or an instrument with several: what a row of the table is made from."""

    label: str
    tracks: Sequence[Track]
    sub: str = ""
    """The small line below the label."""
    href: str | None = None
    group: str | None = None
    """The heading that it stands under with its neighbours, such as the issuer."""


@dataclass(frozen=True)
class Bar:
    """A period as it is drawn."""

    look: Look
    x: float
    width: float
    words: str
    starts: bool
    """Whether it begins in the window: only then it has the sign of an end."""


@dataclass(frozen=True)
class Lane:
    """The bars of one clause."""

    hue: Hue
    bars: Sequence[Bar]


@dataclass(frozen=True)
class State:
    """A status that clauses of a row have on the day of the page."""

    status: str
    hue: Hue | None
    """None where the clauses are of several kinds."""
    clauses: int
    confirmations: frozenset[str]
    """The confirmations of their statuses, in words of the API."""
    words: str
    """Since when, until when, and what then happens by itself; empty where clauses differ in it."""

    @property
    def look(self) -> Look:
        """Its mark."""
        return LOOKS[self.status].look

    @property
    def word(self) -> str:
        """Its word."""
        return LOOKS[self.status].word


@dataclass(frozen=True)
class StatusRow:
    """A row as it is drawn."""

    row: RowOfPeriods
    lanes: Sequence[Lane]
    words: str
    """All periods in words: what the drawing shows."""
    states: Sequence[State]
    to_come: str
    """Where no clause has a status on the day: what is to come."""

    @property
    def hue(self) -> Hue:
        """The kind of its first clause."""
        return self.lanes[0].hue if self.lanes else Hue.OTHER

    @property
    def lane_px(self) -> int:
        """How thick its bars are: thinner where there are many."""
        count = len(self.lanes)
        return 16 if count == 1 else 7 if count <= 4 else 5 if count <= 8 else 3

    @property
    def height_px(self) -> int:
        """How high its drawing is."""
        return max(MIN_ROW_PX, len(self.lanes) * (self.lane_px + GAP_PX) + 2 * MARGIN_OF_ROW_PX)

    def top_px(self, index: int) -> float:
        """Where a lane begins."""
        thick = len(self.lanes) * (self.lane_px + GAP_PX) - GAP_PX
        return (self.height_px - thick) / 2 + index * (self.lane_px + GAP_PX)


@dataclass(frozen=True)
class StatusTable:
    """Rows on one scale, with the day of the page."""

    rows: Sequence[StatusRow]
    scale: TimeScale
    day: date
    ticks: Sequence[Tick]
    today: float
    """Where the day of the page begins."""
    veil: float
    """Where it ends: what lies behind is to come."""

    @property
    def day_in_words(self) -> str:
        """The day of the page."""
        return day_in_words(self.day)

    @property
    def grid(self) -> Sequence[float]:
        """Where lines run through the rows."""
        return [tick.x for tick in self.ticks if tick.label]

    @property
    def hues(self) -> Sequence[Hue]:
        """The kinds of measures that occur, for the legend."""
        found = {lane.hue for row in self.rows for lane in row.lanes}
        return [hue for hue in Hue if hue in found]

    @property
    def looks(self) -> Sequence[Look]:
        """The looks that occur, for the legend."""
        found = {bar.look for row in self.rows for lane in row.lanes for bar in lane.bars}
        return [look for look in Look if look in found]


def track_of(clause: Mapping[str, Any]) -> Track:
    """The track of a clause of the API: `measure`, `statuses`, `confirmation`."""
    return Track(clause["measure"], periods_of(clause["statuses"]), clause["confirmation"])


def periods_of(statuses: Iterable[Mapping[str, Any]]) -> list[Period]:
    """Periods from `statuses` of the API: `status`, `from`, `until`."""
    return [
        Period(
            given["status"],
            date.fromisoformat(given["from"]),
            date.fromisoformat(given["until"]) if given["until"] else None,
        )
        for given in statuses
    ]


def draw_status_table(
    rows: Sequence[RowOfPeriods], day: date, scale: TimeScale | None = None
) -> StatusTable:
    """The drawing of some rows, in a window around all that turns in them unless another is given."""
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
    """The bars of periods that follow each other, without those outside of the window."""
    return [
        Bar(
            period.look,
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
    """The days that a window shows: beginnings, and ends of what applies."""
    days: list[date] = []
    for row in rows:
        for period in (each for track in row.tracks for each in track.periods):
            days.append(period.first)
            if period.last is not None:
                days.append(period.last)
    return days


def _draw_row(row: RowOfPeriods, day: date, scale: TimeScale) -> StatusRow:
    tracks = row.tracks[:MAX_LANES]
    return StatusRow(
        row,
        [Lane(HUES[track.measure], draw_bars(track.periods, scale)) for track in tracks],
        _row_in_words(row),
        states_on(row, day),
        _to_come(row, day),
    )


def _row_in_words(row: RowOfPeriods) -> str:
    """All periods, those of clauses that stand alike once."""
    counts = Counter("; ".join(map(str, track.periods)) for track in row.tracks)
    if not counts:
        return "no status is known"
    if len(row.tracks) == 1:
        return next(iter(counts))
    return ". ".join(
        f"{count} of {len(row.tracks)} clauses: {text}" for text, count in counts.items()
    )


def states_on(row: RowOfPeriods, day: date) -> list[State]:
    """The statuses of the clauses of a row on a day: what applies first, what is over last."""
    found: dict[str, list[tuple[Track, Period, Period | None]]] = {}
    for track in row.tracks:
        current = next((period for period in track.periods if period.covers(day)), None)
        if current is not None:
            following = next((period for period in track.periods if period.first > day), None)
            found.setdefault(current.status, []).append((track, current, following))
    return [_state(status, found[status]) for status in STATUS_ORDER if status in found]


def _state(status: str, clauses: Sequence[tuple[Track, Period, Period | None]]) -> State:
    hues = {HUES[track.measure] for track, _, _ in clauses}
    words = {state_in_words(current, following) for _, current, following in clauses}
    return State(
        status,
        hues.pop() if len(hues) == 1 else None,
        len(clauses),
        frozenset(track.confirmation for track, _, _ in clauses),
        words.pop() if len(words) == 1 else "",
    )


def _to_come(row: RowOfPeriods, day: date) -> str:
    """What comes first after a day."""
    later = [period for track in row.tracks for period in track.periods if period.first > day]
    if not later:
        return ""
    first = min(later, key=lambda period: period.first)
    return f"{first.word} {day_in_words(first.first)}"


def state_in_words(current: Period, following: Period | None) -> str:
    """Since when, until when, and what then happens by itself."""
    if current.look in ENDED:
        return f"since {day_in_words(current.first)}"
    if current.status == "SUSPENDED":
        if current.last is None:
            return "until further notice"
        back = ", then back" if following and following.status == "IN_FORCE" else ""
        return f"until {day_in_words(current.last)}{back}"
    if current.status == "IN_FORCE":
        since = f"since {day_in_words(current.first)}"
        return f"{since}, until {day_in_words(current.last)}" if current.last else since
    if following is not None:
        return f"{following.word} from {day_in_words(following.first)}"
    return "no day is given" if current.look is Look.HOLLOW else ""
