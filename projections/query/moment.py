"""Moments on both time axes, and series of moments that are read together.

The versions for all days of a series are hardly more than those of one day. One round trip reads them
for all its moments, and each day selects its own in memory.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from time import monotonic
from typing import Any, TypeVar

from projections.query.preview import Preview
from tracker import clock
from tracker.domain.actors.alliance import AllianceState
from tracker.domain.actors.announcement import AnnouncementState
from tracker.domain.actors.firm import FirmState
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.obligation import ObligationState
from tracker.domain.controls.text import TextState
from tracker.domain.entities.redaction import RedactionState
from tracker.domain.events.registry import STATES
from tracker.domain.evidence.coverage import CoverageState
from tracker.domain.evidence.import_receipt import ImportState
from tracker.domain.evidence.watched_source import WatchedSourceState
from tracker.domain.figures.figure import FigureState
from tracker.domain.figures.preference import PreferenceState
from tracker.domain.figures.tariff import TariffLineState
from tracker.domain.figures.tariff_edition import TariffEditionState
from tracker.domain.figures.trade_flow import TradeFlowState
from tracker.errors import InvalidInput
from tracker.log.recorder import Recorder

YIELD_INTERVAL_SECONDS = 0.01
"""Seconds of work on a series after which its tasks let others run: all of them wait, so it is longer."""
T = TypeVar("T")
S = TypeVar(
    "S",
    AllianceState,
    AnnouncementState,
    ExportControlState,
    FigureState,
    FirmState,
    PreferenceState,
    ImportState,
    RedactionState,
    WatchedSourceState,
    CoverageState,
    TradeFlowState,
    TariffEditionState,
    TariffLineState,
    ObligationState,
    TextState,
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment: an effective date and a position in the log."""

    valid_at: date
    position: int
    series: MomentSeries | None = field(default=None, compare=False, repr=False)
    """The days that are queried together with this one."""
    preview: Preview | None = field(default=None, compare=False, repr=False)
    """Planned events after the position.

    They change the entities that they name; entities that depend on these stay as recorded.
    """

    @property
    def alone(self) -> Moment:
        """The moment without series and preview, for caches that outlive a query."""
        return Moment(self.valid_at, self.position) if self.series or self.preview else self


KIND_NAMES: Mapping[Any, str] = {state: name for name, state in STATES.items()}


def kind_name(kind: type[Any]) -> str:
    """Return the first part of the names of entities with states of a kind."""
    return KIND_NAMES[kind]


async def resolve_moment(
    recorder: Recorder,
    reached: int,
    valid_at: date | None,
    known_at: datetime | None,
    position: int | None,
) -> Moment:
    """Return the moment for the arguments; defaults are today and the position `reached`.

    Raises InvalidInput if both `known_at` and `position` are given, or if the position is after
    `reached`.
    """
    if known_at is not None and position is None:
        position, known_at = min(reached, await recorder.position_at(known_at)), None
    return moment_at_position(reached, valid_at, known_at, position)


def moment_at_position(
    reached: int, valid_at: date | None, known_at: datetime | None, position: int | None
) -> Moment:
    """Return the moment for a position, by default `reached`. Raises as `resolve_moment`."""
    if known_at is not None and position is not None:
        raise InvalidInput(
            "expected knownAt or position, not both: each of them chooses the transaction time",
            code="AMBIGUOUS_TIME",
            path=("knownAt",),
        )
    if position is None:
        position = reached
    if not 0 <= position <= reached:
        raise InvalidInput(
            f"expected a position from 0 to {reached}, the last one",
            code="POSITION_AHEAD",
            path=("position",),
        )
    return Moment(valid_at or clock.today(), position)


class MomentSeries:
    """Sorted days at one position."""

    def __init__(self, days: Sequence[date], position: int):
        self.days = sorted(set(days))
        self.position = position
        self._reads: dict[Hashable, asyncio.Task[Any]] = {}
        self._worked_since, self._yielding = monotonic(), False
        self._memo: dict[Hashable, Any] = {}
        self._days_of: dict[int, Mapping[date, Any]] = {}

    @property
    def first(self) -> date:
        """The first day."""
        return self.days[0]

    @property
    def last(self) -> date:
        """The last day."""
        return self.days[-1]

    def moments(self) -> list[Moment]:
        """Return the moments of the series, in order."""
        return [Moment(day, self.position, self) for day in self.days]

    async def read(self, key: Hashable, fetch: Callable[[], Awaitable[T]]) -> T:
        """Return the result of `fetch` for the whole series, fetched once per key."""
        task = self._reads.get(key)
        if task is None:
            task = self._reads[key] = asyncio.ensure_future(_run(fetch))
        if not task.done():
            await task
        await self.give_way()
        result: T = task.result()
        return result

    async def give_way(self) -> None:
        """Let other tasks run after a while of work on the moments.

        The moments are processed together, or wait for the same reads and would resume at once.
        """
        while monotonic() - self._worked_since > YIELD_INTERVAL_SECONDS:
            if not self._yielding:
                self._yielding = True
                asyncio.get_running_loop().call_soon(self._go_on)
            await asyncio.sleep(0)

    def _go_on(self) -> None:
        self._worked_since, self._yielding = monotonic(), False

    def remember(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the result of `make`, made once per key.

        The value must hold a reference to objects that the key identifies by `id`.
        """
        if key not in self._memo:
            self._memo[key] = make()
        value: T = self._memo[key]
        return value

    async def on_each_day(self, make: Callable[[Moment], Awaitable[T]]) -> dict[date, T]:
        """Return the result of `make` for each moment."""
        by_day = {}
        for moment in self.moments():
            await self.give_way()
            by_day[moment.valid_at] = await make(moment)
        return by_day

    def on(self, day: date, days: Mapping[date, T]) -> T:
        """Return the value of one day and register all days for `days_of`."""
        value = days[day]
        self._days_of[id(value)] = days
        return value

    def days_of(self, value: T) -> Mapping[date, T] | None:
        """Return the values of all days, if the value of one was made together with them."""
        return self._days_of.get(id(value))

    def by_day(self, periods: Iterable[tuple[date, date, T]]) -> dict[date, list[T]]:
        """Return the items of each day, in order, from items with their first and last day."""
        held: dict[date, list[T]] = {day: [] for day in self.days}
        for first, last, item in periods:
            for day in self.days[bisect_left(self.days, first) :]:
                if day > last:
                    break
                held[day].append(item)
        return held


async def _run(fetch: Callable[[], Awaitable[T]]) -> T:
    return await fetch()
