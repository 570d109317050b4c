"""What a relay asks of a broker: to publish events in order, and to say which it has.

A broker numbers what it takes: a stream of JetStream has sequences, a partition of Kafka offsets. A
number that it has given stays behind when the event that got it is let go. So a broker that has fewer
numbers than it has acknowledged has lost events, and one that has as many has removed them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from tracker.errors import TrackerError, Unavailable
from tracker.log.entries import RecordedEvent


class SinkUnavailable(Unavailable):
    """The broker does not answer, or takes nothing; the relay tries again."""

    code = "SINK_UNAVAILABLE"


class SinkRefused(TrackerError):
    """The broker refuses the relay, or what is there is not of this relay: a person has to look."""

    code = "SINK_REFUSED"


class LinkedEvent(NamedTuple):
    """An event, and the position of the one before it of what the relay publishes."""

    event: RecordedEvent
    previous: int


class LastEvent(NamedTuple):
    """The last event that a sink has of a relay: its position, and the id of its message."""

    position: int
    message_id: str


@dataclass(frozen=True, slots=True)
class SinkContent:
    """What a sink has."""

    last: LastEvent | None
    sequence: int
    """The last number that it gave, also where it has let go of what got it; 0 before the first."""
    missing: int = 0
    """How many numbers between the first and the last that it has are of nothing that it has."""


class Acknowledgement(NamedTuple):
    """How many events of a run were acknowledged, the first of them on, and the last one's number."""

    events: int
    sequence: int


class Sink(Protocol):
    """A broker. Every method raises SinkUnavailable and SinkRefused."""

    name: str
    """Where events go, without secrets."""

    async def open(self) -> None:
        """Connect, and make what is needed there."""

    async def close(self) -> None:
        """Let the connection go."""

    async def look(self) -> SinkContent:
        """What it has now."""

    async def publish(self, run: Sequence[LinkedEvent], behind: int) -> Acknowledgement:
        """Publish events in order, each stored only right behind the one before it; the first one
        behind a number that the sink has given last.

        Where fewer are acknowledged than were given, it has to be looked at again.
        """
