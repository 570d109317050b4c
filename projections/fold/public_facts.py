"""Facts of an entity that are known and public. Pure."""

from collections.abc import Sequence
from datetime import UTC, date

from tracker.domain.entities.entity import RecordedFact
from tracker.domain.entities.history import retracted_ids
from tracker.log.entries import RecordedEvent


def facts_public_by(events: Sequence[RecordedEvent], day: date) -> list[RecordedFact]:
    """Return the facts that were public or recorded by a day.

    Retracted facts are included, because others may replace them.
    """
    gone = retracted_ids([event.known for event in events])
    return [
        event.known
        for event in events
        if event.event_id in gone
        or min(event.fact.public_on, event.recorded_at.astimezone(UTC).date()) <= day
    ]
