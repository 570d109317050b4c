"""Decisions: the events of a plan, each checked against its entity after the previous events."""

from collections.abc import Iterable, Mapping, Sequence

from tracker.clock import Pauses
from tracker.commands.commands import REVIEW_PREFIX, PlannedEvent, check_id_is_free
from tracker.domain.actors.announcement import Made
from tracker.domain.entities.entity import Entity
from tracker.domain.entities.fact import Fact
from tracker.domain.entities.recordable import check_not_reviewed, check_recordable
from tracker.domain.events.registry import entity_type
from tracker.errors import IdempotencyConflict, InvalidInput, TrackerError, VersionConflict
from tracker.log.entries import NO_TEXTS, NewEvent, RecordedEvent, new_event, to_aggregate_event

NON_ALLIANCE_GROUPS = frozenset({"g7"})
"""Groups that act in announcements without being alliances of this tracker."""


def referenced_alliances(facts: Iterable[Fact]) -> set[str]:
    """Return the streams of the alliances that act in these facts."""
    return {
        f"alliance/{actor}"
        for fact in facts
        if isinstance(fact, Made)
        for actor in fact.actors
        if actor.islower()
    }


def check_actors(fact: Fact, alliances: Iterable[str]) -> None:
    """Reject an actor that is neither a place nor a known alliance. Raises InvalidInput."""
    for index, actor in enumerate(fact.actors if isinstance(fact, Made) else ()):
        known = actor in NON_ALLIANCE_GROUPS or f"alliance/{actor}" in alliances
        if actor.islower() and not known:
            raise InvalidInput(
                f"{actor!r} is not an actor: expected a place such as US, or an"
                " alliance that has been founded",
                code="UNKNOWN_ACTOR",
                path=("actors", index),
            )


async def decide_in_steps(
    entities: Mapping[str, Entity],
    plan: Sequence[PlannedEvent],
    alliances: Iterable[str],
    actor: str | None,
) -> list[NewEvent]:
    """Return the events of a plan, each decided after the previous ones, and let other tasks run in
    between."""
    is_review = any(planned.event_id.startswith(REVIEW_PREFIX) for planned in plan)
    for planned in plan:
        check_id_is_free(planned.event_id, planned.fact)
        if not is_review:
            with planned.locate_errors():
                check_not_reviewed(planned.fact)
    events, founded, pauses = [], set(alliances), Pauses()
    for planned in plan:
        with planned.locate_errors():
            check_version(entities[planned.stream], planned)
            events.append(decide(entities[planned.stream], planned, founded, actor))
        founded.add(planned.stream)
        await pauses.pause()
    return events


def check_version(entity: Entity, planned: PlannedEvent) -> None:
    """Reject a plan for another version of the entity. Raises VersionConflict."""
    if planned.expected is not None and planned.expected != entity.version:
        raise VersionConflict(entity.id, planned.expected, entity.version)


def decide(
    entity: Entity, planned: PlannedEvent, alliances: Iterable[str], actor: str | None = None
) -> NewEvent:
    """Return the event of a planned fact after checking the rules; the entity is updated.

    Raises InvalidInput, NotFound or TooLarge, and IdempotencyConflict if the entity has an event with this
    id; then the entity is unchanged.
    """
    if planned.event_id in entity.history:
        raise IdempotencyConflict(planned.event_id)
    check_recordable(planned.fact)
    check_actors(planned.fact, alliances)
    version = entity.version
    entity.record(planned.fact, planned.event_id)
    try:
        [event] = entity.collect_events()
        assert isinstance(event, Entity.Event)
        return new_event(event, actor)
    except TrackerError:
        entity.forget_after(version)
        raise


def decide_all(
    entities: Mapping[str, Entity],
    plan: Sequence[PlannedEvent],
    alliances: Iterable[str],
    actor: str | None = None,
) -> tuple[list[NewEvent], list[tuple[int, TrackerError]]]:
    """Decide planned facts in order, each after the effects of the previous ones.

    Returns the events, and the errors by index.
    """
    founded = set(alliances)
    events: list[NewEvent] = []
    refused: list[tuple[int, TrackerError]] = []
    for index, planned in enumerate(plan):
        try:
            events.append(decide(entities[planned.stream], planned, founded, actor))
            founded.add(planned.stream)
        except TrackerError as error:
            refused.append((index, error))
    return events, refused


def rehydrate(
    stream: str, events: Iterable[RecordedEvent], texts: Mapping[str, str] = NO_TEXTS
) -> Entity:
    """Return the entity of the events of a stream, with the texts available by commitment."""
    entity = entity_type(stream).empty(stream)
    for event in events:
        to_aggregate_event(event, texts).mutate(entity)
    return entity
