"""Dry runs: what commands would record, and what the log says that it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from tracker import clock
from tracker.errors import IdempotencyConflict, VersionConflict
from tracker.log.entries import NewEvent, RecordedEvent, planned_event
from tracker.log.recorder import Recorder


@dataclass(frozen=True, slots=True)
class DryRun:
    """What commands would record on what the log says at a position: nothing where they are
    recorded already, under the same key.

    The events have the positions, and the time, that they would have if they were recorded next.
    """

    position: int
    events: Sequence[RecordedEvent] = ()
    decided: Sequence[NewEvent] = ()
    """The same events on their way into the log, with their texts."""
    known: Mapping[str, Sequence[RecordedEvent]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """What the log says of the entities that they are about, by stream, in its order."""


async def dry_run(
    recorder: Recorder, decided: Sequence[NewEvent]
) -> DryRun | VersionConflict | IdempotencyConflict:
    """What was decided as it would be recorded, beside what the log says; or why the log would not
    take it."""
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
