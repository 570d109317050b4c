"""What goes into one request to an endpoint, and what is noted of one that was not made. Pure."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import NamedTuple

from tracker.delivery.message import Message, message_id
from tracker.delivery.progress import Place
from tracker.delivery.selected_events import SelectedRun
from tracker.delivery.sender import Answer
from tracker.log.entries import RecordedEvent

MAX_MESSAGE_BYTES = 512 * 1024
"""The size from which a batch gets no more events."""


class Delivery(NamedTuple):
    """Events for one request, each with the position before it. When it is accepted, its place is at
    `until` and what was parked in between is passed, of which the positions are with those before."""

    place: Place | None
    """None for one that was parked and is tried once more."""
    events: Sequence[tuple[RecordedEvent, int]]
    until: int
    previous: int
    passed: Mapping[int, int]


def plan_delivery(place: Place, found: SelectedRun, parked: Container[int]) -> Delivery | None:
    """The request for what was found; None where all of it is parked."""
    events: list[tuple[RecordedEvent, int]] = []
    passed: dict[int, int] = {}
    size = 0
    previous, until = place.previous, found.until
    for event in found.events:
        if events and size + len(event.entry) > MAX_MESSAGE_BYTES:
            until = events[-1][0].position
            passed = {at: before for at, before in passed.items() if at < until}
            previous = until
            break
        if event.position in parked:
            passed[event.position] = previous
        else:
            events.append((event, previous))
            size += len(event.entry)
        previous = event.position
    return Delivery(place, events, until, previous, passed) if events else None


def up_to(found: SelectedRun, last: int) -> SelectedRun:
    """As much of what was found as a replay is of."""
    if found.until <= last:
        return found
    return SelectedRun([event for event in found.events if event.position <= last], last)


def storable(text: str | None) -> str | None:
    """Text as PostgreSQL keeps it: one that it refused would hold up what all others have come to."""
    return text and text.replace("\0", "").encode(errors="replace").decode()


def unmade(error: str) -> Answer:
    """What is noted of a request that was not made."""
    return Answer(None, error, None, 0.0)


def not_sent(position: int, events: Sequence[tuple[RecordedEvent, int]]) -> Message:
    """What is noted of a message that there was not, at a cursor's position."""
    if not events:
        return Message("", "", b"", position, position)
    first, last = events[0][0], events[-1][0]
    return Message(message_id(first.event_id), "", b"", first.position, last.position)
