"""Moments: places on both time axes, and what can hold at one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from tracker.domain.alliance import AllianceState
from tracker.domain.announcement import AnnouncementState
from tracker.domain.export_control import ExportControlState
from tracker.domain.figure import FigureState
from tracker.domain.firm import FirmState
from tracker.domain.import_receipt import ImportState
from tracker.domain.preference import PreferenceState
from tracker.domain.redaction import RedactionState
from tracker.domain.registry import STATES

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


def kind_name(kind: type[Any]) -> str:
    """The first part of the names of the entities that have states of a kind."""
    return next(name for name, state in STATES.items() if state is kind)
