"""Data loaders of a request: annexes, events, states and transitions.

All items that a response needs at a time are read in one query. Nothing is cached between two queries, so
that redacted texts disappear for subscribers too.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from strawberry.dataloader import DataLoader

from projections.fold.transitions import Transition
from projections.query.as_of import AsOf
from projections.query.candidate_matches import CandidateMatch, find_matches
from projections.query.moment import Moment
from projections.query.preview import Preview
from tracker.domain.entities.entity import KINDS
from tracker.domain.entities.fact import Fact
from tracker.domain.entities.history import (
    INITIAL_FACTS,
    Evidence,
    History,
    RecordedFact,
    Retracted,
    effective_retractions,
)
from tracker.domain.events.names import NAMING_TYPES, NameHistory
from tracker.domain.events.registry import RETRACTION_TYPES, State
from tracker.errors import InvalidInput
from tracker.log.annexes import StoredAnnex
from tracker.log.entries import NewEvent, RecordedEvent
from tracker.log.recorder import Recorder
from tracker.review.candidate import Decision
from tracker.review.review import Review
from tracker.snapshots.store import SnapshotInfo, SnapshotStore


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


INITIAL_TYPES = tuple(
    type_ for kind in KINDS.values() for type_, fact in kind.FACTS.items() if fact in INITIAL_FACTS
)
"""Types of the events that start an entity."""


class Loaders:
    """The data loaders of one request."""

    def __init__(self, recorder: Recorder, as_of: AsOf, review: Review, snapshots: SnapshotStore):
        self._annexes, self._lookup = recorder.annexes, recorder.lookup
        self._transitions, self._named = as_of.transitions, as_of.named
        self.planned = PlannedEvents()
        self.of: DataLoader[str, StoredAnnex | None] = DataLoader(self._of, cache=False)
        """Annexes by commitment."""
        self.at: DataLoader[int, list[StoredAnnex]] = DataLoader(self._at, cache=False)
        """Annexes by the position of their event."""
        self.event_at: DataLoader[int, RecordedEvent | None] = DataLoader(
            self._event_at, cache=False
        )
        """Events by position."""
        self.event_by_id: DataLoader[str, RecordedEvent | None] = DataLoader(
            self._event_by_id, cache=False
        )
        """Events by their ids."""
        self.retractions: DataLoader[tuple[str, int | None], Mapping[str, RecordedEvent]] = (
            DataLoader(self._retractions, cache=False)
        )
        """Effective retractions of an entity up to a position (None: all), by the ids of the retracted
        events."""
        self.transitions: DataLoader[tuple[str, Moment], list[Transition]] = DataLoader(
            self._transitions_of, cache=False
        )
        """All transitions of an entity as known at a moment, by date."""
        self.states: DataLoader[tuple[str, Moment], State | None] = DataLoader(
            self._states, cache=False
        )
        """States of entities of any kind, by their names and moments."""

        self.names: DataLoader[str, NameHistory] = DataLoader(self._names, cache=False)
        """Histories of names of entities, by their names in the log."""

        self.openings: DataLoader[str, list[RecordedEvent]] = DataLoader(
            self._openings, cache=False
        )
        """First events of entities, in the order of the log, by their names in the log."""

        self._candidates, self._snapshots = review.candidates, snapshots
        self.decisions: DataLoader[int, list[Decision]] = DataLoader(self._decisions, cache=False)
        """Actions on candidates, by their ids."""
        self.matches: DataLoader[int, list[CandidateMatch]] = DataLoader(self._matches, cache=False)
        """Recorded acts that match candidates, by their ids."""
        self._as_of = as_of
        self.snapshots: DataLoader[str, SnapshotInfo | None] = DataLoader(
            self._described, cache=False
        )
        """Snapshots by SHA-256."""

    async def events_behind(self, evidence: Sequence[Evidence]) -> list[RecordedEvent | None]:
        """Return the events that a state follows from, recorded or planned."""
        planned = [self.planned.event(one.event_id) for one in evidence]
        recorded = [
            one.position for one, plan in zip(evidence, planned, strict=True) if plan is None
        ]
        events = iter(await self.event_at.load_many(recorded))
        return [plan or next(events) for plan in planned]

    async def facts_behind(self, stream: str, evidence: Sequence[Evidence]) -> list[RecordedFact]:
        """Return the facts that a state of an entity follows from, in valid-time order."""
        events = [event for event in await self.events_behind(evidence) if event]
        retractions = (await self.retractions.load((stream, None))).values()
        corrections = {
            one.fact.retracts: one.known
            for one in retractions
            if isinstance(one.fact, Retracted) and one.fact.replacement
        }
        corrected = await self.event_by_id.load_many([*corrections])
        known = {event.position: event.known for event in (*events, *filter(None, corrected))}
        known |= {one.position: one for one in corrections.values()}
        history = History([known[position] for position in sorted(known)])
        return sorted([event.known for event in events], key=history.order)

    async def names_before(self, event: RecordedEvent, entity: str) -> NameHistory:
        """Return the names of an entity at the time of an event; for a planned event, with planned
        names."""
        return self.planned.names(event, entity) or await self.names.load(entity)

    async def opening_before(self, event: RecordedEvent) -> Fact | None:
        """Return the first fact of the entity of an event, or the last of several before the event.

        For a planned event it may be planned too.
        """
        known = self.planned.facts(event) or [
            one.known for one in await self.openings.load(event.stream)
        ]
        openings = [one for one in known if type(one.fact) in INITIAL_FACTS]
        before = [one.fact for one in openings if one.position <= event.position]
        return before[-1] if before else None

    async def _of(self, commitments: Sequence[str]) -> Sequence[StoredAnnex | None]:
        annexes = self.planned.by_commitment(commitments)
        if missing := {*commitments} - {*annexes}:
            annexes |= await self._annexes.by_commitment(missing)
        return [annexes.get(commitment) for commitment in commitments]

    async def _at(self, positions: Sequence[int]) -> Sequence[list[StoredAnnex]]:
        annexes = await self._annexes.by_position(set(positions))
        return [annexes[position] for position in positions]

    async def _event_at(self, positions: Sequence[int]) -> Sequence[RecordedEvent | None]:
        events = await self._lookup.by_position(set(positions))
        return [events.get(position) for position in positions]

    async def _event_by_id(self, event_ids: Sequence[str]) -> Sequence[RecordedEvent | None]:
        events = await self._lookup.by_id(set(event_ids))
        return [events.get(event_id) for event_id in event_ids]

    async def _retractions(
        self, keys: Sequence[tuple[str, int | None]]
    ) -> Sequence[Mapping[str, RecordedEvent]]:
        streams = {stream for stream, _ in keys}
        by_stream = await self._lookup.of_types(streams, RETRACTION_TYPES)
        counting = {
            (stream, until): _by_target(
                [event for event in by_stream[stream] if until is None or event.position <= until]
            )
            for stream, until in set(keys)
        }
        return [counting[each] for each in keys]

    async def _names(self, streams: Sequence[str]) -> Sequence[NameHistory]:
        by_stream = await self._lookup.of_types(set(streams), (*NAMING_TYPES, *RETRACTION_TYPES))
        names = {
            stream: NameHistory([event.known for event in events])
            for stream, events in by_stream.items()
        }
        return [names[stream] for stream in streams]

    async def _openings(self, streams: Sequence[str]) -> Sequence[list[RecordedEvent]]:
        by_stream = await self._lookup.of_types(set(streams), INITIAL_TYPES)
        return [by_stream[stream] for stream in streams]

    async def _decisions(self, ids: Sequence[int]) -> Sequence[list[Decision]]:
        by_candidate = await self._candidates.decisions(set(ids))
        return [by_candidate[id] for id in ids]

    async def _matches(self, ids: Sequence[int]) -> Sequence[list[CandidateMatch]]:
        by_candidate = await self._candidates.get_all(set(ids))
        known = [by_candidate[id] for id in ids if id in by_candidate]
        moment = await self._as_of.resolve()
        matches = iter(await find_matches(self._as_of.lists, moment, known))
        return [next(matches) if id in by_candidate else [] for id in ids]

    async def _described(self, digests: Sequence[str]) -> Sequence[SnapshotInfo | None]:
        by_digest = await self._snapshots.describe_all(set(digests))
        return [by_digest.get(sha256) for sha256 in digests]

    async def _transitions_of(
        self, keys: Sequence[tuple[str, Moment]]
    ) -> Sequence[list[Transition]]:
        entities = defaultdict[Moment, set[str]](set)
        for entity, moment in keys:
            if not is_planned(entity, moment):
                entities[moment].add(entity)
        by_entity = {
            moment: await self._transitions.of_entities(sorted(names), moment)
            for moment, names in entities.items()
        }
        return [
            moment.preview.transitions(entity, moment.valid_at)
            if moment.preview and is_planned(entity, moment)
            else by_entity[moment][entity]
            for entity, moment in keys
        ]

    async def _states(self, keys: Sequence[tuple[str, Moment]]) -> Sequence[State | None]:
        moments = defaultdict[Moment, set[str]](set)
        for entity, moment in keys:
            if not is_planned(entity, moment):
                moments[moment].add(entity)
        by_query = {
            moment: await self._named(sorted(entities), moment)
            for moment, entities in moments.items()
        }
        return [
            cast(State | None, moment.preview.state(entity, moment.valid_at))
            if moment.preview and is_planned(entity, moment)
            else by_query[moment].get(entity)
            for entity, moment in keys
        ]


def is_planned(entity: str, moment: Moment) -> bool:
    """Return whether a moment is of a preview that contains an entity."""
    return moment.preview is not None and entity in moment.preview.planned


def _by_target(retractions: Sequence[RecordedEvent]) -> Mapping[str, RecordedEvent]:
    """Return the effective retractions, by the ids of the retracted events."""
    events = {event.position: event for event in retractions}
    counting = effective_retractions([event.known for event in retractions])
    return {event_id: events[known.position] for event_id, known in counting.items()}
