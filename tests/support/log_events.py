"""Events as they are appended to the log."""

from __future__ import annotations

from tests.support.fact_builders import announced
from tracker.commands.commands import PlannedEvent
from tracker.commands.decisions import decide, rehydrate
from tracker.log.entries import NewEvent


def event(stream: str, event_id: str, version: int = 1) -> NewEvent:
    """The event of an announcement, at a version."""
    return NewEvent(
        event_id,
        stream,
        version,
        "ExportControl.Announced",
        f'"id":"{event_id}"',
        b'{"title":"%s"}' % event_id.encode(),
    )


def gallium(event_id: str, stream: str = "export-control/gallium") -> NewEvent:
    """A decided announcement on a new stream."""
    return decide(rehydrate(stream, []), PlannedEvent(stream, announced(), event_id), ())
