"""The records that support statuses of clauses, as recorded at a position."""

from pathlib import Path
from typing import NamedTuple

from projections.query.coverage import Coverages
from projections.query.event_cache import EventCache
from projections.query.moment import Moment
from projections.query.sql_parts import load_parts
from projections.runner.progress import ProgressTracker
from tracker import clock
from tracker.clock import Pauses
from tracker.domain.actors.announcement import Announcement
from tracker.domain.basics.control_vocabulary import Confirmation
from tracker.domain.controls.clause import ClauseState
from tracker.domain.controls.confirmation import (
    ControlRecord,
    Grounds,
    confirmation,
    control_record,
)
from tracker.domain.controls.export_control import ExportControl, ExportControlState
from tracker.domain.entities.entity import RecordedFact, effective_facts, entity_type
from tracker.domain.evidence.completeness import Reading
from tracker.log.entries import recorded
from tracker.postgres.database import Pool

SQL = load_parts(Path(__file__).with_name("confirmations.sql"))
MAX_CACHED_POSITIONS = 20

Positions = tuple[int, ...]
NEVER_READ: tuple[Positions, None] = (), None


class _Recorded(NamedTuple):
    """The arguments of `Grounds`."""

    records: dict[str, ControlRecord]
    announcements: list[tuple[str, RecordedFact]]
    readings: list[Reading]


class Confirmations:
    """The confirmations of statuses. The record of an instrument is computed again only if it changes."""

    def __init__(self, pool: Pool, coverages: Coverages, progress: ProgressTracker | None = None):
        self._pool, self._coverages = pool, coverages
        self._recorded = EventCache(progress, MAX_CACHED_POSITIONS, self._read)
        self._records: dict[str, tuple[Positions, ControlRecord | None]] = {}
        """By instrument: the positions of its effective facts, and its record."""

    async def of(
        self, control: ExportControlState, clause: ClauseState, moment: Moment
    ) -> Confirmation:
        """Return the confirmation of the status of a clause at a moment."""
        return confirmation(control, clause, moment.valid_at, await self.grounds(moment))

    async def grounds(self, moment: Moment) -> Grounds:
        """Return the records that support statuses, as recorded at the position of a moment."""
        recorded, grounds = await self._recorded.get(moment.position)
        if moment.preview is None:
            return grounds
        records, announcements = {**recorded.records}, [*recorded.announcements]
        for entity in moment.preview.planned:
            facts = effective_facts(moment.preview.facts(entity))
            if entity_type(entity) is ExportControl:
                if record := control_record(facts, entity):
                    records[_id(entity)] = record._replace(recorded_on=clock.today())
                else:
                    records.pop(_id(entity), None)
            elif entity_type(entity) is Announcement:
                announcements += [(entity, one) for one in facts]
        return Grounds(records, announcements, recorded.readings)

    async def _read(self, position: int) -> tuple[_Recorded, Grounds]:
        rows = await self._pool.fetch(SQL.controls, position)
        positions = {row["entity"]: tuple(row["positions"]) for row in rows}
        cached = self._records
        changed = [of for of, at in positions.items() if cached.get(of, NEVER_READ)[0] != at]
        facts: dict[str, list[RecordedFact]] = {entity: [] for entity in changed}
        new = [place for entity in changed for place in positions[entity]]
        for event in map(recorded, await self._entries(SQL.entries, new) if new else ()):
            facts[event.stream].append(event.known)
        pauses, known = Pauses(), {of: cached[of] for of in positions if of not in facts}
        recorded_on = {row["entity"]: row["recorded_on"] for row in rows}
        for entity, of in facts.items():
            record = control_record(of, entity)
            known[entity] = (
                positions[entity],
                record and record._replace(recorded_on=recorded_on[entity]),
            )
            await pauses.pause()
        self._records = known
        about = map(recorded, await self._entries(SQL.announcements, position))
        found = _Recorded(
            {_id(entity): record for entity, (_, record) in known.items() if record},
            [(one.stream, one.known) for one in about],
            await self._coverages.readings(position),
        )
        return found, Grounds(*found)

    async def _entries(self, query: str, parameter: object) -> list[bytes]:
        return [row["entry"] for row in await self._pool.fetch(query, parameter)]


def _id(entity: str) -> str:
    return entity.partition("/")[2]
