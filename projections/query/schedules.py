"""What was said to be to come, with the days that were told of it, from what is known at a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from time import monotonic

from projections.fold.schedule import Scheduled, schedule
from projections.lru_cache import SizedLruCache
from projections.query.moment import Moment
from projections.query.transitions import (
    EVIDENCE_BYTES,
    TRANSITION_BYTES,
    YIELD_INTERVAL_SECONDS,
    Known,
    TransitionFilter,
    facts_public_by,
    is_about,
    read_streams,
    turning,
)
from tracker.domain.entity import RecordedFact
from tracker.domain.values import DAY
from tracker.errors import InvalidInput
from tracker.log.recorder import Recorder
from tracker.postgres.database import Pool

MAX_CACHE_BYTES = 16 * 1024 * 1024
MAX_FACTS = 300
"""Facts of an entity whose days to come are worked out: what was told is folded event after event."""


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
            else await turning(self._pool, moment, after, date.max, about, ever=True)
        )
        found: list[Scheduled] = []
        worked_since = monotonic()
        for entity, events in (await read_streams(self._recorder, entities, moment)).items():
            known = facts_public_by(events, moment.valid_at)
            found += [
                one
                for one in self._of_entity(entity, known)
                if one.transition.day >= first and is_about(one.transition, about)
            ]
            if monotonic() - worked_since > YIELD_INTERVAL_SECONDS:
                await asyncio.sleep(0)
                worked_since = monotonic()
        return found

    def _of_entity(self, entity: str, known: Sequence[RecordedFact]) -> Sequence[Scheduled]:
        if len(known) > MAX_FACTS:
            raise InvalidInput(
                f"{entity} has more than {MAX_FACTS} facts: expected fewer", code="TOO_LARGE"
            )
        key = entity, tuple([fact.position for fact in known])
        found = self._kept.get(key)
        if found is None:
            found = schedule(entity, known)
            size = len(found) * (TRANSITION_BYTES + EVIDENCE_BYTES * len(known))
            self._kept.put(key, found, size + EVIDENCE_BYTES)
        return found
