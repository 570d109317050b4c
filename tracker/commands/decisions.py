"""Decisions: the events that record orders, each allowed by its entity as those before it left it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from tracker.commands.actors import check_actors
from tracker.commands.commands import PlannedEvent, check_id_is_free
from tracker.domain.entity import Entity
from tracker.domain.recordable import check_recordable
from tracker.domain.registry import entity_type
from tracker.errors import IdempotencyConflict, TrackerError, VersionConflict
from tracker.log.entries import NO_TEXTS, NewEvent, RecordedEvent, new_event, to_aggregate_event

EVENTS_PER_TURN = 10
"""Orders that are decided in one go."""


async def decide_in_turns(
    entities: Mapping[str, Entity],
    orders: Sequence[PlannedEvent],
    alliances: Iterable[str],
    actor: str | None,
) -> list[NewEvent]:
    """The events that record orders, each decided after those before it; others get their turn."""
    for order in orders:
        check_id_is_free(order.event_id, order.fact)
    events, founded = [], set(alliances)
    for number, order in enumerate(orders, 1):
        with order.locate_errors():
            check_version(entities[order.stream], order)
            events.append(decide(entities[order.stream], order, founded, actor))
        founded.add(order.stream)
        if number % EVENTS_PER_TURN == 0:
            await asyncio.sleep(0)
    return events


def check_version(entity: Entity, order: PlannedEvent) -> None:
    """Refuse an order that was made for another version of the entity. Raises VersionConflict."""
    if order.expected is not None and order.expected != entity.version:
        raise VersionConflict(entity.id, order.expected, entity.version)


def decide(
    entity: Entity, order: PlannedEvent, alliances: Iterable[str], actor: str | None = None
) -> NewEvent:
    """The event that records an order, after the rules agreed; the entity moves on with it.

    Raises InvalidInput, NotFound or TooLarge, and IdempotencyConflict if the entity has an event of
    this id; then the entity is unchanged.
    """
    if order.event_id in entity.history:
        raise IdempotencyConflict(order.event_id)
    check_recordable(order.fact)
    check_actors(order.fact, alliances)
    version = entity.version
    entity.record(order.fact, order.event_id)
    try:
        [event] = entity.collect_events()
        assert isinstance(event, Entity.Event)
        return new_event(event, actor)
    except TrackerError:
        entity.forget_after(version)
        raise


def decide_all(
    entities: Mapping[str, Entity],
    orders: Sequence[PlannedEvent],
    alliances: Iterable[str],
    actor: str | None = None,
) -> tuple[list[NewEvent], list[tuple[int, TrackerError]]]:
    """Decide orders one after the other, each seeing what those before it did.

    Returns the events, and the orders that break a rule by their index.
    """
    founded = set(alliances)
    events: list[NewEvent] = []
    refused: list[tuple[int, TrackerError]] = []
    for index, order in enumerate(orders):
        try:
            events.append(decide(entities[order.stream], order, founded, actor))
            founded.add(order.stream)
        except TrackerError as error:
            refused.append((index, error))
    return events, refused


def rehydrate(
    stream: str, events: Iterable[RecordedEvent], texts: Mapping[str, str] = NO_TEXTS
) -> Entity:
    """The entity that these events of a stream make, as far as there are texts by commitment."""
    entity = entity_type(stream).empty(stream)
    for event in events:
        to_aggregate_event(event, texts).mutate(entity)
    return entity
