"""Events in the form of log appends."""

from collections.abc import Sequence

from tests.support.fact_builders import announced
from tracker.commands.commands import PlannedEvent
from tracker.commands.decisions import decide, rehydrate
from tracker.log.append import IMPORT_BATCH_EVENTS, SQL, append_page
from tracker.log.entries import NewEvent
from tracker.log.recorder import Recorder


def event(stream: str, event_id: str, version: int = 1) -> NewEvent:
    """Return the event of an announcement, at a version."""
    return NewEvent(
        event_id,
        stream,
        version,
        "ExportControl.Announced",
        f'"id":"{event_id}"',
        b'{"title":"%s"}' % event_id.encode(),
    )


def gallium(event_id: str, stream: str = "export-control/gallium") -> NewEvent:
    """Return a decided announcement on a new stream."""
    return decide(rehydrate(stream, []), PlannedEvent(stream, announced(), event_id), ())


async def append_all(recorder: Recorder, events: Sequence[NewEvent]) -> None:
    """Append many events in one transaction, as an import does."""
    async with recorder._pool.acquire() as connection, connection.transaction():
        await connection.execute(SQL.take_time)
        for start in range(0, len(events), IMPORT_BATCH_EVENTS):
            await append_page(connection, events[start : start + IMPORT_BATCH_EVENTS])
