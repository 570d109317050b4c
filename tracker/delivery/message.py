"""Messages to endpoints: one event or a batch, as CloudEvents. Pure.

An event is sent as its entry, byte for byte as stored and hashed, with up to two attributes appended. Without
them it equals the entry, so that a receiver can prove its content.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from msgspec import Struct

from tracker.domain.basics.codec import encode
from tracker.log.entries import RecordedEvent

EVENT_MEDIA_TYPE = "application/cloudevents+json"
BATCH_MEDIA_TYPE = "application/cloudevents-batch+json"

LITERAL_IN_IDS = "!\"#$&'()*+,/:;<=>?@[]^`{|}"
"""Printable ASCII characters that are kept in ids although `quote` would percent-encode them."""
NO_PROOFS: Mapping[int, str] = {}


class Message(Struct, frozen=True):
    """The body of a delivery, its id (the same for each retry), and the positions of its first and last
    event."""

    id: str
    media_type: str
    body: bytes
    first_position: int
    last_position: int


def event_message(event: RecordedEvent, previous: int, proof: str | None = None) -> Message:
    """Return the message of one event.

    `previous` is the position of the previous event of the endpoint; `proof` proves inclusion in the log
    (C2SP tlog-proof).
    """
    body = _with_attributes(event.entry, previous, proof)
    return Message(
        message_id(event.event_id), EVENT_MEDIA_TYPE, body, event.position, event.position
    )


def batch_message(
    events: Sequence[tuple[RecordedEvent, int]], proofs: Mapping[int, str] = NO_PROOFS
) -> Message:
    """Return the message of at least one event, each with the previous position; proofs are by position."""
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
    """Return an event's id as the `webhook-id` of its delivery.

    Characters that a header cannot carry are percent-encoded, because clients may choose the ids of events.
    So are `.`, which ends the id in the signed content, and `~`, which occurs only in the ids of batches.
    """
    return quote(event_id, safe=LITERAL_IN_IDS).replace(".", "%2E").replace("~", "%7E")


def _with_attributes(entry: bytes, previous: int, proof: str | None) -> bytes:
    proven = b"" if proof is None else b',"proof":%s' % encode(proof)
    return b'%s,"previousposition":"%d"%s}' % (entry[:-1], previous, proven)
