"""Scheduled changes with their announced days, as recorded at a moment."""

import asyncio
from collections.abc import Sequence
from datetime import date

from projections.fold.public_facts import facts_public_by
from projections.fold.schedule import ScheduleBuilder, Scheduled, newest_schedule
from projections.lru_cache import SizedLruCache
from projections.query.moment import Moment
from projections.query.transitions import (
    EVIDENCE_BYTES,
    TRANSITION_BYTES,
    Known,
    TransitionFilter,
    entities_with_transitions,
    is_about,
    read_streams,
)
from tracker.clock import Pauses
from tracker.domain.basics.values import DAY
from tracker.domain.entities.entity import RecordedFact
from tracker.log.recorder import Recorder
from tracker.postgres.database import Pool

MAX_CACHE_BYTES = 16 * 1024 * 1024
MAX_FACTS = 120
"""Maximum of facts of an entity for which every announced day is found, event by event. More take
seconds, so only the last announced days are returned."""


class Schedules:
    """Queries for scheduled changes."""

    def __init__(self, pool: Pool, recorder: Recorder):
        self._pool = pool
        self._recorder = recorder
        self._kept: SizedLruCache[tuple[str, Known], Sequence[Scheduled]] = SizedLruCache(
            MAX_CACHE_BYTES
        )

    async def since(self, moment: Moment, first: date, about: TransitionFilter) -> list[Scheduled]:
        """Return the changes scheduled for a day or later, as last announced by the moment's day."""
        after = first - DAY if first > date.min else first
        entities = (
            [about.entity]
            if about.entity
            else await entities_with_transitions(
                self._pool, moment, after, date.max, about, ever=True
            )
        )
        scheduled: list[Scheduled] = []
        for entity, events in (await read_streams(self._recorder, entities, moment)).items():
            known = facts_public_by(events, moment.valid_at)
            scheduled += [
                one
                for one in await self._of_entity(entity, known)
                if one.transition.day >= first and is_about(one.transition, about)
            ]
        return scheduled

    async def _of_entity(self, entity: str, known: Sequence[RecordedFact]) -> Sequence[Scheduled]:
        key = entity, tuple([fact.position for fact in known])
        scheduled = self._kept.get(key)
        if scheduled is None:
            scheduled = await _work_out(entity, known)
            size = len(scheduled) * (TRANSITION_BYTES + EVIDENCE_BYTES * len(known))
            self._kept.put(key, scheduled, size + EVIDENCE_BYTES)
        return scheduled


async def _work_out(entity: str, known: Sequence[RecordedFact]) -> Sequence[Scheduled]:
    """Compute the scheduled changes of an entity and let other tasks run meanwhile."""
    await asyncio.sleep(0)
    if len(known) > MAX_FACTS:
        return newest_schedule(entity, known)
    builder, pauses = ScheduleBuilder(entity, known), Pauses()
    while builder.read_next():
        await pauses.pause()
    return builder.scheduled()
