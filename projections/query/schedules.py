"""What was said to be to come, with the days that were told of it, from what is known at a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from time import monotonic

from projections.fold.public_facts import facts_public_by
from projections.fold.schedule import ScheduleBuilder, Scheduled, newest_schedule
from projections.lru_cache import SizedLruCache
from projections.query.moment import Moment
from projections.query.transitions import (
    EVIDENCE_BYTES,
    TRANSITION_BYTES,
    YIELD_INTERVAL_SECONDS,
    Known,
    TransitionFilter,
    entities_with_transitions,
    is_about,
    read_streams,
)
from tracker.domain.entity import RecordedFact
from tracker.domain.values import DAY
from tracker.log.recorder import Recorder
from tracker.postgres.database import Pool

MAX_CACHE_BYTES = 16 * 1024 * 1024
MAX_FACTS = 120
"""Facts of an entity up to which every day that was told is found, event after event: more take seconds.
Of those with more there is what is told last."""


class Schedules:
    """Answers what was said to be to come."""

    def __init__(self, pool: Pool, recorder: Recorder):
        self._pool = pool
        self._recorder = recorder
        self._kept: SizedLruCache[tuple[str, Known], Sequence[Scheduled]] = SizedLruCache(
            MAX_CACHE_BYTES
        )

    async def since(self, moment: Moment, first: date, about: TransitionFilter) -> list[Scheduled]:
        """What was to come on a day or after it, as it was told last, by that day."""
        after = first - DAY if first > date.min else first
        entities = (
            [about.entity]
            if about.entity
            else await entities_with_transitions(
                self._pool, moment, after, date.max, about, ever=True
            )
        )
        found: list[Scheduled] = []
        for entity, events in (await read_streams(self._recorder, entities, moment)).items():
            known = facts_public_by(events, moment.valid_at)
            found += [
                one
                for one in await self._of_entity(entity, known)
                if one.transition.day >= first and is_about(one.transition, about)
            ]
        return found

    async def _of_entity(self, entity: str, known: Sequence[RecordedFact]) -> Sequence[Scheduled]:
        key = entity, tuple([fact.position for fact in known])
        found = self._kept.get(key)
        if found is None:
            found = await _work_out(entity, known)
            size = len(found) * (TRANSITION_BYTES + EVIDENCE_BYTES * len(known))
            self._kept.put(key, found, size + EVIDENCE_BYTES)
        return found


async def _work_out(entity: str, known: Sequence[RecordedFact]) -> Sequence[Scheduled]:
    """What was to come of an entity, while other tasks have their turns."""
    await asyncio.sleep(0)
    if len(known) > MAX_FACTS:
        return newest_schedule(entity, known)
    builder, worked_since = ScheduleBuilder(entity, known), monotonic()
    while builder.read_next():
        if monotonic() - worked_since > YIELD_INTERVAL_SECONDS:
            await asyncio.sleep(0)
            worked_since = monotonic()
    return builder.scheduled()
