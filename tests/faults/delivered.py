"""Checks of the deliveries that a receiver has accepted. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from tracker.log.entries import RecordedEvent

ATTRIBUTES = re.compile(rb',"previousposition":"(\d+)"(,"proof":"(?:[^"\\]|\\.)*")?}$')
"""Attributes that a delivery appends to an entry."""


class NotAsPromised(Exception):
    """The error for deliveries that break a guarantee."""


class Accepted(NamedTuple):
    """An accepted delivery."""

    id: str
    body: bytes


class DeliveredEvent(NamedTuple):
    """An event of a delivery: its entry, and its stated previous position."""

    id: str
    position: int
    entry: bytes
    previous: int


class _Entry(msgspec.Struct):
    id: str
    position: str


def events_of(accepted: Accepted) -> list[DeliveredEvent]:
    """Return the one or several events of a delivery."""
    several = accepted.body.startswith(b"[")
    bodies = msgspec.json.decode(accepted.body, type=list[msgspec.Raw]) if several else []
    events = [_event_of(bytes(body)) for body in bodies] or [_event_of(accepted.body)]
    expected = f"{events[0].id}~{events[-1].position}" if several else events[0].id
    if accepted.id != expected:
        raise NotAsPromised(f"a delivery of {expected} has the id {accepted.id}")
    return events


def _event_of(body: bytes) -> DeliveredEvent:
    found = ATTRIBUTES.search(body)
    if not found:
        raise NotAsPromised(f"no position before: {body[-200:]!r}")
    entry = body[: found.start()] + b"}"
    head = msgspec.json.decode(entry, type=_Entry)
    return DeliveredEvent(head.id, int(head.position), entry, int(found[1]))


class Came(NamedTuple):
    """Numbers of received and repeated events."""

    events: int
    again: int


def check_delivered(
    accepted: Iterable[Accepted], wanted: Sequence[RecordedEvent], after: int = 0
) -> Came:
    """Check as `check_events`, and that deliveries with one id have equal contents."""
    return check_events(_same_by_id(accepted), wanted, after)


def check_events(
    events: Iterable[DeliveredEvent], wanted: Sequence[RecordedEvent], after: int = 0
) -> Came:
    """Check that all events of a filter arrived in order, equal to the log, with their previous
    positions.

    Repeated events must be equal. Raises NotAsPromised.
    """
    seen: dict[int, DeliveredEvent] = {}
    expected, previous, count = iter(wanted), after, 0
    for event in events:
        count += 1
        if event.position in seen:
            if seen[event.position] != event:
                raise NotAsPromised(f"position {event.position} came again as another event")
            continue
        _check_due(event, next(expected, None), previous)
        seen[event.position], previous = event, event.position
    if missing := next(expected, None):
        raise NotAsPromised(f"position {missing.position} never came")
    return Came(count, count - len(seen))


def _check_due(event: DeliveredEvent, due: RecordedEvent | None, previous: int) -> None:
    """Check that a new event is the next one of the filter, with the right previous position."""
    if due is None or event.position != due.position:
        raise NotAsPromised(
            f"position {event.position} came after {previous}, when {due and due.position} was due"
        )
    if (event.id, event.entry) != (due.event_id, due.entry):
        raise NotAsPromised(f"position {event.position} is not as in the log: {event.entry!r}")
    if event.previous != previous:
        raise NotAsPromised(
            f"position {event.position} is said to come after {event.previous}, not {previous}"
        )


def _same_by_id(accepted: Iterable[Accepted]) -> Iterator[DeliveredEvent]:
    """Yield the events of deliveries, and check that one id always has equal events.

    Their proofs may be of the log at different times.
    """
    known: dict[str, list[DeliveredEvent]] = {}
    for delivery in accepted:
        events = events_of(delivery)
        if known.setdefault(delivery.id, events) != events:
            raise NotAsPromised(f"{delivery.id} came again with other events")
        yield from events
