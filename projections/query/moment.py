"""Moments: places on both time axes, and what can hold at one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from tracker import clock
from tracker.domain.alliance import AllianceState
from tracker.domain.announcement import AnnouncementState
from tracker.domain.coverage import CoverageState
from tracker.domain.export_control import ExportControlState
from tracker.domain.figure import FigureState
from tracker.domain.firm import FirmState
from tracker.domain.import_receipt import ImportState
from tracker.domain.preference import PreferenceState
from tracker.domain.redaction import RedactionState
from tracker.domain.registry import STATES
from tracker.domain.watched_source import WatchedSourceState
from tracker.errors import InvalidInput
from tracker.log.recorder import Recorder

if TYPE_CHECKING:
    from projections.query.preview import Preview
    from projections.query.series import MomentSeries

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
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A place on both time axes: a day in the world, and a position in the log."""

    valid_at: date
    position: int
    series: MomentSeries | None = field(default=None, compare=False, repr=False)
    """The days that are asked about together with this one."""
    preview: Preview | None = field(default=None, compare=False, repr=False)
    """What is planned after the position: it counts for the entities that it is about; what hangs
    on these is as recorded."""

    @property
    def alone(self) -> Moment:
        """The same without what comes with it: for what is kept longer than a question."""
        return Moment(self.valid_at, self.position) if self.series or self.preview else self


KIND_NAMES: Mapping[Any, str] = {state: name for name, state in STATES.items()}


def kind_name(kind: type[Any]) -> str:
    """The first part of the names of the entities that have states of a kind."""
    return KIND_NAMES[kind]


async def resolve_moment(
    recorder: Recorder,
    reached: int,
    valid_at: date | None,
    known_at: datetime | None,
    position: int | None,
) -> Moment:
    """The moment that arguments mean; by default today and the position `reached`.

    Raises InvalidInput when both `known_at` and `position` are given, or the position is ahead of
    the one reached.
    """
    if known_at is not None and position is None:
        position, known_at = min(reached, await recorder.position_at(known_at)), None
    return moment_at_position(reached, valid_at, known_at, position)


def moment_at_position(
    reached: int, valid_at: date | None, known_at: datetime | None, position: int | None
) -> Moment:
    """The moment by a position alone: the one reached where none is given. Raises as `resolve_moment`."""
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
