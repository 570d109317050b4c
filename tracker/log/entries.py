"""Conversion between events and entries.

An entry is a CloudEvents 1.0 event in structured JSON. PostgreSQL writes its first attributes (`specversion`,
`position`, `time`), this module the others. The stored bytes are the ones that are delivered to integrations,
hashed and exported: there is no second form.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import msgspec

from tracker.domain.basics.codec import decode, encode
from tracker.domain.entities.commitments import Annex, commit, commitments_in, with_texts_restored
from tracker.domain.entities.entity import Entity, RecordedFact
from tracker.domain.entities.fact import Fact
from tracker.domain.events.registry import FACTS, entity_type, fact_type
from tracker.errors import InvalidInput, NewerRelease, Path, TooLarge
from tracker.log import upcasting
from tracker.log.resume_token import ResumeToken, resume_token

SOURCE = "urn:critical-minerals-policy-tracker"
MAX_DATA_BYTES = 60_000
"""Maximum bytes of the data of one event with its annexes: entries must stay below 65,536."""


MAX_VERSION = 2**31 - 1
NO_TEXTS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to append: `attributes` and `data` are parts of its entry, and `annexes` the texts that its
    data commits to.

    An event that the log would refuse cannot be created, so it cannot break a shared transaction. Raises
    InvalidInput for an unknown type, a version out of range, or text that is not UTF-8, and TooLarge.
    """

    event_id: str
    stream: str
    version: int
    type: str
    attributes: str
    data: bytes
    annexes: tuple[Annex, ...] = ()

    def __post_init__(self) -> None:
        fact_type(self.type)
        if not 0 < self.version <= MAX_VERSION:
            raise InvalidInput(
                f"{self.version}: expected a version from 1 to {MAX_VERSION}", path=("version",)
            )
        for field in ("event_id", "stream", "attributes", "data"):
            _check_text(field, getattr(self, field))
        for annex in self.annexes:
            _check_text(annex.field, annex.text)
        size = len(self.data) + sum(len(annex.text.encode()) for annex in self.annexes)
        if size > MAX_DATA_BYTES:
            raise TooLarge(f"{self.type} has {size} bytes: expected at most {MAX_DATA_BYTES}")


class RecordedEvent(msgspec.Struct, frozen=True, dict=True):
    """An event of the log, read from its entry."""

    position: int
    """Its position in the log."""
    recorded_at: datetime = msgspec.field(name="time")
    """The time at which this tracker recorded it."""
    event_id: str = msgspec.field(name="id")
    """Its unique id. Recording the same id again records nothing."""
    type: str
    """Its type, such as `ExportControl.Suspended`."""
    stream: str = msgspec.field(name="subject")
    version: int
    """Its number among the events of the entity: 1, 2, 3, …."""
    content: msgspec.Raw = msgspec.field(name="data")
    dataschema: str = ""
    actor: str | None = None
    """The author of the record: the name of a token, a user of an OpenID Connect issuer, `import` or
    `demo`; null in old events without one."""
    entry: bytes = b""

    @cached_property
    def fact(self) -> Fact:
        """The fact in the current vocabulary. Raises NewerRelease if this release does not know it."""
        kind = FACTS.get(self.type)
        if kind is None:
            raise NewerRelease(self.position, self.type, "this release does not know its type")
        try:
            return decode(
                kind, upcasting.UPCASTERS.upcast(self.type, self.dataschema, self.content)
            )
        except InvalidInput as error:
            raise NewerRelease(self.position, self.type, error.message) from None

    @property
    def known(self) -> RecordedFact:
        """The fact as used by folds."""
        return RecordedFact(self.position, self.event_id, self.type, self.fact)

    @cached_property
    def resume_token(self) -> ResumeToken:
        """The position with the hash of its entry, from which a follower resumes."""
        return resume_token(self.position, self.entry)

    @property
    def data(self) -> Any:
        """The fact as stored, as JSON, with commitments in place of its note and quotation, which are in
        `annexes`."""
        return msgspec.json.decode(self.content)


def new_event(event: Entity.Event, actor: str | None) -> NewEvent:
    """Return an aggregate's event in the format of the log: its free texts become annexes.

    Raises TooLarge, and InvalidInput for a fact that contains commitments, whose texts are unknown.
    """
    kind = entity_type(event.originator_id)
    type_ = kind.type_of(event.fact)
    for field in commitments_in(event.fact):
        raise InvalidInput("expected text", path=json_pointer_path(field))
    fact, annexes = commit(event.fact)
    attributes = {
        "id": event.event_id,
        "source": SOURCE,
        "type": type_,
        "subject": event.originator_id,
        "version": event.originator_version,
        "dataschema": upcasting.schema_name(type_, upcasting.UPCASTERS.number(type_)),
    }
    if actor is not None:
        attributes["actor"] = actor
    text = encode(attributes)[1:-1].decode()
    return NewEvent(
        event.event_id,
        event.originator_id,
        event.originator_version,
        type_,
        text,
        encode(fact),
        annexes,
    )


def json_pointer_path(field: str) -> Path:
    """Return the path of a field from its JSON Pointer."""
    return tuple(int(step) if step.isdecimal() else step for step in field[1:].split("/"))


def _check_text(field: str, text: str | bytes) -> None:
    """Reject text that PostgreSQL cannot store."""
    try:
        raw = text.encode() if isinstance(text, str) else text
        raw.decode()
    except UnicodeError:
        raise InvalidInput("expected text in UTF-8", path=(field,)) from None
    if b"\0" in raw:
        raise InvalidInput("expected text without NUL", path=(field,))


_entries = msgspec.json.Decoder(RecordedEvent, strict=False)  # the position is text in the entry


def recorded(entry: bytes) -> RecordedEvent:
    """Return the event in an entry; its fact is decoded on demand."""
    event = _entries.decode(entry)
    msgspec.structs.force_setattr(event, "entry", entry)
    return event


def planned_event(event: NewEvent, position: int, time: datetime) -> RecordedEvent:
    """Return an event as it would be read if it were recorded at a position and a time."""
    entry = b'{"position":"%d","time":%s,%s,"data":%s}' % (
        position,
        encode(time),
        event.attributes.encode(),
        event.data,
    )
    return recorded(entry)


def to_aggregate_event(item: RecordedEvent, texts: Mapping[str, str] = NO_TEXTS) -> Entity.Event:
    """Return the aggregate's event as decided, with the available texts by commitment."""
    return Entity.Event(
        originator_id=item.stream,
        originator_version=item.version,
        timestamp=item.recorded_at,
        event_id=item.event_id,
        fact=with_texts_restored(item.fact, texts) if texts else item.fact,
        position=item.position,
    )
