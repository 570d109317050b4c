"""Clauses in force on one of some days, with all suspensions known at a moment.

The state of a clause has only its current or next suspension. Earlier and later ones are in the acts.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from projections.query.moment import Moment
from projections.query.transitions import read_streams
from tracker.domain.controls.clause import ClauseState
from tracker.domain.controls.clause_query import ClauseQuery
from tracker.domain.controls.export_control import (
    ExportControl,
    ExportControlFold,
    ExportControlState,
)
from tracker.domain.entities.entity import RecordedFact, effective_facts
from tracker.log.recorder import Recorder

SUSPENDED = "ExportControl.Suspended"
Days = tuple[date | None, date | None]


class MatchingControl(NamedTuple):
    """A control with its matching clauses."""

    state: ExportControlState
    clauses: Sequence[ClauseState]
    query: ClauseQuery | None = None
    """The query for a code that they match."""


async def in_force_on(
    recorder: Recorder, moment: Moment, controls: Sequence[MatchingControl], days: Days
) -> list[MatchingControl]:
    """Return controls with their clauses in force on one of some days, in order.

    A control may have no clause left.
    """
    suspended = [
        _entity(of)
        for of in controls
        if any(evidence.type == SUSPENDED for evidence in of.state.because)
    ]
    streams = await read_streams(recorder, suspended, moment) if suspended else {}
    folds = {
        entity: _fold([event.known for event in events], moment.valid_at)
        for entity, events in streams.items()
    }
    return [
        of._replace(clauses=[c for c in of.clauses if _is_in_force(c, fold, days)])
        if (fold := folds.get(_entity(of)))
        else of
        for of in controls
    ]


def _entity(of: MatchingControl) -> str:
    return f"{ExportControl.KIND}/{of.state.id}"


def _fold(known: Sequence[RecordedFact], day: date) -> ExportControlFold:
    fold = ExportControlFold()
    for fact in effective_facts(known):
        if fact.fact.public_on <= day:
            fold.take(fact)
    return fold


def _is_in_force(clause: ClauseState, fold: ExportControlFold, days: Days) -> bool:
    """Whether a clause is in force, and not suspended, on one of some days."""
    own = clause.days_in_force_in(*days)
    if own is None:
        return False
    first = fold.histories[clause.clause.id].suspensions.first_day_without(own[0])
    return first is not None and first <= own[1]
