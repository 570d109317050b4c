"""English sentences for events of the log, with the names of entities at that time."""

import asyncio
from collections.abc import Awaitable, Callable

from tracker.domain.entities.history import Retracted
from tracker.domain.events.names import NAMING_TYPES, NameHistory
from tracker.domain.events.registry import RETRACTION_TYPES
from tracker.domain.events.sentences import names_needed, sentence
from tracker.log.entries import RecordedEvent
from tracker.log.event_lookup import EventLookup


async def event_sentence(
    of: RecordedEvent,
    event_by_id: Callable[[str], Awaitable[RecordedEvent | None]],
    names_of: Callable[[str], Awaitable[NameHistory]],
) -> str:
    """Return an event in one English sentence.

    It never changes: it follows from the event and earlier ones.
    """
    fact, target = of.fact, None
    if isinstance(fact, Retracted):
        target = await event_by_id(fact.retracts)
    subject = target or of
    entities = sorted(names_needed(subject.stream, subject.fact))
    histories = await asyncio.gather(*map(names_of, entities))
    day = subject.fact.public_on
    names = {
        entity: name
        for entity, history in zip(entities, histories, strict=True)
        if (name := history.before(subject.position, day))
    }
    return sentence(of.stream, fact, names, (target.stream, target.fact) if target else None)


async def looked_up_sentence(of: RecordedEvent, lookup: EventLookup) -> str:
    """Return the sentence of an event, with names from the log."""

    async def event_by_id(event_id: str) -> RecordedEvent | None:
        return (await lookup.by_id([event_id])).get(event_id)

    async def names_of(entity: str) -> NameHistory:
        by_stream = await lookup.of_types([entity], (*NAMING_TYPES, *RETRACTION_TYPES))
        return NameHistory([event.known for event in by_stream[entity]])

    return await event_sentence(of, event_by_id, names_of)
