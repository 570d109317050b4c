"""What is sent to an endpoint: an event or a batch of them, as CloudEvents. Pure.

An event is sent as its entry, byte for byte as it is stored and hashed, with up to two attributes
appended. Without them it is the entry again, so that a receiver can prove what it got.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from tracker.domain.codec import encode
from tracker.log.entries import RecordedEvent

EVENT_MEDIA_TYPE = "application/cloudevents+json"
BATCH_MEDIA_TYPE = "application/cloudevents-batch+json"

LITERAL_IN_IDS = "!\"#$&'()*+,/:;<=>?@[]^`{|}"
"""Of the printable ASCII characters that `quote` would write with percent signs."""
NO_PROOFS: Mapping[int, str] = {}


@dataclass(frozen=True, slots=True)
class Message:
    """The body of a delivery with its id, which is the same each time that it is tried, and the
    positions of its first and last event."""

    id: str
    media_type: str
    body: bytes
    first_position: int
    last_position: int


def event_message(event: RecordedEvent, previous: int, proof: str | None = None) -> Message:
    """One event: `previous` is the position before it in what the endpoint gets, and `proof` that it
    is in the log (C2SP tlog-proof)."""
    body = _with_attributes(event.entry, previous, proof)
    return Message(
        message_id(event.event_id), EVENT_MEDIA_TYPE, body, event.position, event.position
    )


def batch_message(
    events: Sequence[tuple[RecordedEvent, int]], proofs: Mapping[int, str] = NO_PROOFS
) -> Message:
    """Events, at least one, each with the position before it; proofs are by position."""
    first, last = events[0][0], events[-1][0]
    bodies = (
        _with_attributes(event.entry, previous, proofs.get(event.position))
        for event, previous in events
    )
    return Message(
        f"{message_id(first.event_id)}~{last.position}",
        BATCH_MEDIA_TYPE,
        b"[%s]" % b",".join(bodies),
        first.position,
        last.position,
    )


def message_id(event_id: str) -> str:
    """An event's id as the `webhook-id` of its delivery.

    What a header can't carry is written with percent signs, and so are `.`, which ends the id in
    what is signed, and `~`, which stands in the ids of batches only: a client may choose an id.
    """
    return quote(event_id, safe=LITERAL_IN_IDS).replace(".", "%2E").replace("~", "%7E")


def _with_attributes(entry: bytes, previous: int, proof: str | None) -> bytes:
    proven = b"" if proof is None else b',"proof":%s' % encode(proof)
    return b'%s,"previousposition":"%d"%s}' % (entry[:-1], previous, proven)
