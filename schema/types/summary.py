"""English sentences for events, from their facts and the names of entities at that time."""

from schema.base.context import Info
from tracker.domain.entities.history import Evidence
from tracker.log.entries import RecordedEvent
from tracker.log.event_sentence import event_sentence


async def summary(info: Info, of: RecordedEvent) -> str:
    """Return an event in one English sentence.

    It never changes: it follows from the event and earlier ones.
    """
    loaders = info.context.loaders
    return await event_sentence(
        of, loaders.event_by_id.load, lambda entity: loaders.names_before(of, entity)
    )


async def summary_of(info: Info, evidence: Evidence) -> str:
    """Return the sentence for an event that a state follows from."""
    [event] = await info.context.loaders.events_behind([evidence])
    assert event is not None  # evidence always has a recorded or a planned event
    return await summary(info, event)
