"""Events as entries, and back.

An entry is a CloudEvents 1.0 event in structured JSON. PostgreSQL puts its first attributes in
front (`specversion`, `position`, `time`); the rest is written here. What is stored is what is
delivered to integrations, hashed and exported: there is no second form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import msgspec

from tracker.domain.codec import decode, encode
from tracker.domain.commitments import Annex, commit, commitments_in, with_texts_restored
from tracker.domain.entity import Entity, RecordedFact
from tracker.domain.registry import entity_type, fact_type
from tracker.domain.values import Fact
from tracker.errors import InvalidInput, Path, TooLarge
from tracker.log import upcasting
from tracker.log.resume_token import ResumeToken, resume_token

SOURCE = "urn:critical-minerals-policy-tracker"
MAX_DATA_BYTES = 60_000
"""The most bytes that the data of one event may have, with its annexes: entries must stay below
65,536."""


MAX_VERSION = 2**31 - 1
NO_TEXTS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event on its way into the log; `attributes` and `data` are parts of its entry, and
    `annexes` the texts that its data commits to.

    One that the log can't take can't be made, so that it spoils no transaction that others share:
    raises InvalidInput for an unknown type, a version out of range, or text that is not UTF-8, and
    TooLarge.
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
    recorded_at: datetime = msgspec.field(name="time")
    event_id: str = msgspec.field(name="id")
    type: str
    stream: str = msgspec.field(name="subject")
    version: int
    content: msgspec.Raw = msgspec.field(name="data")
    dataschema: str = ""
    actor: str | None = None
    entry: bytes = b""

    @cached_property
    def fact(self) -> Fact:
        """What happened, in today's words. Raises InvalidInput if it is not a fact of ours."""
        kind = fact_type(self.type)
        return decode(kind, upcasting.UPCASTERS.upcast(self.type, self.dataschema, self.content))

    @property
    def known(self) -> RecordedFact:
        """The fact as folds see it."""
        return RecordedFact(self.position, self.event_id, self.type, self.fact)

    @cached_property
    def resume_token(self) -> ResumeToken:
        """Its position, and which entry it is; whoever has followed the log up to it goes on from there."""
        return resume_token(self.position, self.entry)

    @property
    def data(self) -> Any:
        """The content of the event as plain JSON data, as it was recorded."""
        return msgspec.json.decode(self.content)


def new_event(event: Entity.Event, actor: str | None) -> NewEvent:
    """An aggregate's event in the form that the log takes: its free texts become annexes.

    Raises TooLarge, and InvalidInput for a fact that has commitments: nobody could open them.
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
    """The path of a field that is named by its JSON Pointer."""
    return tuple(int(step) if step.isdecimal() else step for step in field[1:].split("/"))


def _check_text(field: str, text: str | bytes) -> None:
    """Refuse what PostgreSQL keeps in no text."""
    try:
        raw = text.encode() if isinstance(text, str) else text
        raw.decode()
    except UnicodeError:
        raise InvalidInput("expected text in UTF-8", path=(field,)) from None
    if b"\0" in raw:
        raise InvalidInput("expected text without NUL", path=(field,))


_entries = msgspec.json.Decoder(RecordedEvent, strict=False)  # the position is text there


def recorded(entry: bytes) -> RecordedEvent:
    """The event that an entry holds; its fact is decoded when somebody asks for it."""
    event = _entries.decode(entry)
    msgspec.structs.force_setattr(event, "entry", entry)
    return event


def planned_event(event: NewEvent, position: int, time: datetime) -> RecordedEvent:
    """An event as it would be read if it were recorded at a position and a time."""
    entry = b'{"position":"%d","time":%s,%s,"data":%s}' % (
        position,
        encode(time),
        event.attributes.encode(),
        event.data,
    )
    return _entries.decode(entry)


def to_aggregate_event(item: RecordedEvent, texts: Mapping[str, str] = NO_TEXTS) -> Entity.Event:
    """The aggregate's event, as it was decided, as far as there are texts by commitment."""
    return Entity.Event(
        originator_id=item.stream,
        originator_version=item.version,
        timestamp=item.recorded_at,
        event_id=item.event_id,
        fact=with_texts_restored(item.fact, texts) if texts else item.fact,
        position=item.position,
    )
