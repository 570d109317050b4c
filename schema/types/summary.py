"""English sentences for events, from their facts and the names of entities at that time."""

from __future__ import annotations

import asyncio

from schema.base.context import Info
from tracker.domain.history import Evidence, Retracted
from tracker.domain.sentences import names_needed, sentence
from tracker.log.entries import RecordedEvent


async def summary(info: Info, of: RecordedEvent) -> str:
    """Return an event in one English sentence.

    It never changes: it follows from the event and earlier ones.
    """
    loaders = info.context.loaders
    fact, target = of.fact, None
    if isinstance(fact, Retracted):
        target = await loaders.event_by_id.load(fact.retracts)
    subject = target or of
    entities = sorted(names_needed(subject.stream, subject.fact))
    histories = await asyncio.gather(*(loaders.names_before(of, entity) for entity in entities))
    day = subject.fact.public_on
    names = {
        entity: name
        for entity, history in zip(entities, histories, strict=True)
        if (name := history.before(subject.position, day))
    }
    return sentence(of.stream, fact, names, (target.stream, target.fact) if target else None)


async def summary_of(info: Info, evidence: Evidence) -> str:
    """Return the sentence for an event that a state follows from."""
    [event] = await info.context.loaders.events_behind([evidence])
    assert event is not None  # evidence always has a recorded or a planned event
    return await summary(info, event)
