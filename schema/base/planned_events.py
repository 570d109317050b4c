"""Planned events of the previews of one request. They are in no log, so other requests cannot read them."""

from collections.abc import Iterable, Sequence

from projections.query.preview import Preview
from tracker.domain.entities.history import RecordedFact
from tracker.domain.events.names import NameHistory
from tracker.errors import InvalidInput
from tracker.log.annexes import StoredAnnex
from tracker.log.entries import NewEvent, RecordedEvent


class PlannedEvents:
    """Planned events with their texts, by their ids."""

    def __init__(self) -> None:
        self._events: dict[str, RecordedEvent] = {}
        self._previews: dict[str, Preview] = {}
        self._annexes: dict[str, list[StoredAnnex]] = {}
        self._by_commitment: dict[str, StoredAnnex] = {}

    def add(self, preview: Preview, decided: Sequence[NewEvent]) -> None:
        """Add the events of a preview. Raises InvalidInput if another preview has the same key."""
        if any(event.event_id in self._events for event in preview.events):
            raise InvalidInput(
                "expected another key for each preview of a document",
                code="BAD_REQUEST",
                path=("idempotencyKey",),
            )
        for event, new in zip(preview.events, decided, strict=True):
            annexes = [
                StoredAnnex(one.commitment, event.position, one.field, one.salt, one.text)
                for one in new.annexes
            ]
            self._events[event.event_id] = event
            self._previews[event.event_id] = preview
            self._annexes[event.event_id] = annexes
            self._by_commitment.update({one.commitment: one for one in annexes})

    def event(self, event_id: str) -> RecordedEvent | None:
        """Return a planned event; None if none has this id."""
        return self._events.get(event_id)

    def annexes(self, event_id: str) -> Sequence[StoredAnnex] | None:
        """Return the texts of a planned event; None if none has this id."""
        return self._annexes.get(event_id)

    def by_commitment(self, commitments: Iterable[str]) -> dict[str, StoredAnnex]:
        """Return texts of planned events by their commitments."""
        known = self._by_commitment
        return {commitment: known[commitment] for commitment in commitments if commitment in known}

    def names(self, event: RecordedEvent, entity: str) -> NameHistory | None:
        """Return the names of an entity at a planned event; None if these are the recorded ones."""
        preview = self._previews.get(event.event_id)
        if preview is None or self._events[event.event_id] is not event:
            return None
        return NameHistory(preview.facts(entity)) if entity in preview.planned else None

    def facts(self, event: RecordedEvent) -> Sequence[RecordedFact] | None:
        """Return all facts of the entity of a planned event, with planned ones; None for other events."""
        preview = self._previews.get(event.event_id)
        return preview.facts(event.stream) if preview else None
