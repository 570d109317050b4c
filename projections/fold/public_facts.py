"""Which facts of an entity are known and public. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date

from tracker.domain.entity import RecordedFact
from tracker.domain.history import retracted_ids
from tracker.log.entries import RecordedEvent


def facts_public_by(events: Sequence[RecordedEvent], day: date) -> list[RecordedFact]:
    """The facts that were public by a day, or recorded by then for a later one; and those that are
    retracted, in whose place others may stand."""
    gone = retracted_ids([event.known for event in events])
    return [
        event.known
        for event in events
        if event.event_id in gone
        or min(event.fact.public_on, event.recorded_at.astimezone(UTC).date()) <= day
    ]
