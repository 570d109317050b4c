"""Clause statuses that follow from dates alone, after the newest recorded act of the issuer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path

from projections.fold.status_periods import status_periods
from projections.query.event_cache import EventCache
from projections.query.moment import Moment
from projections.query.preview import Preview
from projections.query.sql_parts import fill, load_parts, versions_in, whole_state
from projections.query.stored_states import decode
from projections.runner.progress import ProgressTracker
from tracker.domain.basics.vocabulary import ClauseStatus, Confirmation
from tracker.domain.controls.clause import ClauseState
from tracker.domain.controls.confirmation import FirstDays, confirmation
from tracker.domain.controls.duty_relations import Related
from tracker.domain.controls.export_control import ExportControl, ExportControlState
from tracker.domain.controls.export_control_acts import Disputed, SuspensionStated
from tracker.domain.entities.entity import TYPES, effective_facts, entity_type
from tracker.domain.entities.fact import Fact
from tracker.postgres.database import Pool

SQL = load_parts(Path(__file__).with_name("confirmations.sql"))
LATER_STATES = fill(
    SQL.later_states,
    newest_acts=SQL.newest_acts,
    versions=versions_in("changing.entity", "changing.day", "'infinity'::date", "$1::bigint"),
    whole=whole_state(),
)
NO_ACTS: frozenset[type[Fact]] = frozenset({Disputed, Related, SuspensionStated})
"""Facts about an instrument that are not acts of its issuer."""
NO_ACT_TYPES = [TYPES[kind] for kind in NO_ACTS]
MAX_CACHED_POSITIONS = 20


class Confirmations:
    """The confirmations of statuses, from the rows of a projection."""

    def __init__(self, pool: Pool, progress: ProgressTracker | None = None):
        self._pool = pool
        self._first_days = EventCache(progress, MAX_CACHED_POSITIONS, self._read)

    async def of(
        self, control: ExportControlState, clause: ClauseState, moment: Moment
    ) -> Confirmation:
        """Return the confirmation of the status of a clause at a moment."""
        return confirmation(control, clause, moment.valid_at, await self.first_days(moment))

    async def first_days(self, moment: Moment) -> FirstDays:
        """Return the days from which statuses follow from dates alone, as recorded at a position."""
        recorded = await self._first_days.get(moment.position)
        if moment.preview is None:
            return recorded
        rows = await self._pool.fetch(SQL.newest_acts, moment.position, NO_ACT_TYPES)
        newest = {row["issuer"]: row["day"] for row in rows}
        planned: dict[tuple[str, str], date] = {}
        for entity in moment.preview.planned:
            if entity_type(entity) is ExportControl:
                id = entity.partition("/")[2]
                recorded = {key: day for key, day in recorded.items() if key[0] != id}
                planned |= _first_days_of_preview(entity, moment.preview, newest)
        return {**recorded, **planned}

    async def _read(self, position: int) -> FirstDays:
        rows = await self._pool.fetch(LATER_STATES, position, NO_ACT_TYPES)
        days: dict[tuple[str, str], date] = {}
        for _, of_entity in groupby(rows, itemgetter("entity")):
            states = [
                (row["first_day"], decode(ExportControlState, row["state"])) for row in of_entity
            ]
            id = states[0][1].id
            for day, clause in _status_changes(states):
                days.setdefault((id, clause), day)
        return days


def _status_changes(
    states: Sequence[tuple[date, ExportControlState]],
) -> Iterator[tuple[date, str]]:
    """Yield the days on which the status of a clause changes, with its id."""
    for (_, before), (day, after) in pairwise(states):
        earlier = _statuses(before)
        for clause, status in _statuses(after).items():
            if earlier.get(clause) is not status:
                yield day, clause


def _first_days_of_preview(
    entity: str, preview: Preview, newest_acts: Mapping[str, date]
) -> dict[tuple[str, str], date]:
    """Return the first days for a control with planned facts, which count as acts of its issuer."""
    state = preview.state(entity, date.max)
    if not isinstance(state, ExportControlState):
        return {}
    facts = effective_facts(preview.facts(entity))
    acts = [known.fact.public_on for known in facts if type(known.fact) not in NO_ACTS]
    newest = max(newest_acts.get(state.issuer, date.min), *acts)
    transitions = preview.transitions(entity, date.max)
    later = {
        (state.id, id): [p.first for p in status_periods(id, transitions) if p.first > newest]
        for id in _statuses(state)
    }
    return {key: days[0] for key, days in later.items() if days}


def _statuses(state: ExportControlState) -> dict[str, ClauseStatus]:
    return {item.clause.id: item.status for item in state.clauses}
