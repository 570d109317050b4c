"""Sentences for events: what each says, from its fact and the names that entities had by then."""

from __future__ import annotations

import asyncio

from schema.base.context import Info
from tracker.domain.history import Evidence, Retracted
from tracker.domain.sentences import names_needed, sentence
from tracker.log.entries import RecordedEvent


async def summary(info: Info, of: RecordedEvent) -> str:
    """What an event says, in one English sentence. It never changes: it follows from the event and
    those before it."""
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
    """The same of an event that a state follows from."""
    [found] = await info.context.loaders.events_behind([evidence])
    assert found is not None  # whoever has the evidence has it from the log, or plans it
    return await summary(info, found)
