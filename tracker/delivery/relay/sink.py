"""The interface of a broker to a relay: publish events in order, and report its content.

A broker numbers its messages: a JetStream stream has sequences, a Kafka partition has offsets. Numbers are
not reused when an event is removed. So a broker whose last number is lower than acknowledged has lost events.
A broker with the same last number has removed them.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from msgspec import Struct

from tracker.errors import TrackerError, Unavailable
from tracker.log.entries import RecordedEvent


class SinkUnavailable(Unavailable):
    """The broker does not respond or accepts nothing; the relay retries."""

    code = "SINK_UNAVAILABLE"


class SinkRefused(TrackerError):
    """The broker refuses the relay, or holds data of another relay: a person must resolve this."""

    code = "SINK_REFUSED"


class LinkedEvent(NamedTuple):
    """An event, and the position of the previous event of this relay."""

    event: RecordedEvent
    previous: int


class LastEvent(NamedTuple):
    """The last event of a relay in a sink: its position and the id of its message."""

    position: int
    message_id: str


class SinkContent(Struct, frozen=True):
    """Content of a sink."""

    last: LastEvent | None
    sequence: int
    """The last assigned number, even if its event was removed; 0 before the first event."""
    missing: int = 0
    """Count of numbers between the first and the last message that have no message."""


class Acknowledgement(NamedTuple):
    """Number of acknowledged events, counted from the first, and the number of the last one."""

    events: int
    sequence: int


class Sink(Protocol):
    """A broker. Every method raises SinkUnavailable and SinkRefused."""

    name: str
    """The destination of events, without secrets."""

    async def open(self) -> None:
        """Connect, and create the required objects."""

    async def close(self) -> None:
        """Close the connection."""

    async def read_content(self) -> SinkContent:
        """Return the present content."""

    async def publish(self, run: Sequence[LinkedEvent], behind: int) -> Acknowledgement:
        """Publish events in order, each stored only directly after the previous one.

        The first event must follow the given sequence. If fewer events are acknowledged than were sent, the
        content must be read again.
        """
