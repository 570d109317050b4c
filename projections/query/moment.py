"""Moments: places on both time axes, and what can hold at one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

from tracker.domain.alliance import AllianceState
from tracker.domain.announcement import AnnouncementState
from tracker.domain.export_control import ExportControlState
from tracker.domain.figure import FigureState
from tracker.domain.firm import FirmState
from tracker.domain.import_receipt import ImportState
from tracker.domain.preference import PreferenceState
from tracker.domain.redaction import RedactionState
from tracker.domain.registry import STATES

if TYPE_CHECKING:
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
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A place on both time axes: a day in the world, and a position in the log."""

    valid_at: date
    position: int
    series: MomentSeries | None = field(default=None, compare=False, repr=False)
    """The days that are asked about together with this one."""

    @property
    def alone(self) -> Moment:
        """The same without the days beside it: for what is kept longer than a question."""
        return self if self.series is None else Moment(self.valid_at, self.position)


KIND_NAMES: Mapping[Any, str] = {state: name for name, state in STATES.items()}


def kind_name(kind: type[Any]) -> str:
    """The first part of the names of the entities that have states of a kind."""
    return KIND_NAMES[kind]
