"""The content of one request to an endpoint, and the records of requests that were not made. Pure."""

from collections.abc import Container, Mapping, Sequence
from typing import NamedTuple

from tracker.delivery.message import Message, message_id
from tracker.delivery.progress import Place
from tracker.delivery.selected_events import SelectedRun
from tracker.delivery.sender import Answer
from tracker.log.entries import RecordedEvent

MAX_MESSAGE_BYTES = 512 * 1024
"""Size in bytes from which a batch takes no more events."""


class Delivery(NamedTuple):
    """Events for one request, each with the position before it.

    Acceptance moves the cursor to `until` and passes the parked events in between; `passed` has their
    positions with those before them.
    """

    place: Place | None
    """Place after acceptance; None for the retry of a parked event."""
    events: Sequence[tuple[RecordedEvent, int]]
    until: int
    previous: int
    passed: Mapping[int, int]


def plan_delivery(place: Place, run: SelectedRun, parked: Container[int]) -> Delivery | None:
    """Return the request for some selected events; None if all of them are parked."""
    events: list[tuple[RecordedEvent, int]] = []
    passed: dict[int, int] = {}
    size = 0
    previous, until = place.previous, run.until
    for event in run.events:
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


def up_to(run: SelectedRun, last: int) -> SelectedRun:
    """Return the part of some events that belongs to a replay."""
    if run.until <= last:
        return run
    return SelectedRun([event for event in run.events if event.position <= last], last)


def storable(text: str | None) -> str | None:
    """Return text that PostgreSQL can store: a refused text would block the writes of all endpoints."""
    return text and text.replace("\0", "").encode(errors="replace").decode()


def unmade(error: str) -> Answer:
    """Return the record of a request that was not made."""
    return Answer(None, error, None, 0.0)


def not_sent(position: int, events: Sequence[tuple[RecordedEvent, int]]) -> Message:
    """Return the record of a message that could not be built at a cursor's position."""
    if not events:
        return Message("", "", b"", position, position)
    first, last = events[0][0], events[-1][0]
    return Message(message_id(first.event_id), "", b"", first.position, last.position)
