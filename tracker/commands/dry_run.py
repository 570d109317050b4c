"""Dry runs: the events that commands would record, and the recorded facts that they depend on."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct, field

from tracker import clock
from tracker.errors import IdempotencyConflict, VersionConflict
from tracker.log.entries import NewEvent, RecordedEvent, planned_event
from tracker.log.recorder import Recorder


class DryRun(Struct, frozen=True):
    """The events that commands would record with the log at a position; empty if they are already recorded
    under the same key.

    The events have the positions, and the time, that they would have if they were recorded next.
    """

    position: int
    events: Sequence[RecordedEvent] = ()
    decided: Sequence[NewEvent] = ()
    """The events in the format of the log, with their texts."""
    known: Mapping[str, Sequence[RecordedEvent]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """The recorded facts of the affected entities, by stream, in order."""


async def dry_run(
    recorder: Recorder, decided: Sequence[NewEvent]
) -> DryRun | VersionConflict | IdempotencyConflict:
    """Return decided events as they would be recorded, with the recorded facts.

    Raises the error with which the log would refuse them.
    """
    if await recorder.streams_of([event.event_id for event in decided]):
        return IdempotencyConflict(decided[0].event_id)
    position = await recorder.head()
    known = await recorder.read_streams({event.stream for event in decided}, position)
    versions = {stream: len(events) for stream, events in known.items()}
    for event in decided:
        if event.version != versions[event.stream] + 1:
            return VersionConflict(event.stream, event.version - 1, versions[event.stream])
        versions[event.stream] += 1
    now = clock.now()
    events = [planned_event(new, position + i, now) for i, new in enumerate(decided, 1)]
    return DryRun(position, events, decided, known)
