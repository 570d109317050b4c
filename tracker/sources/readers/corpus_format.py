"""The corpus format: one JSON object per line, each a fact to be recorded.

    {"id": "cn-mofcom-2023-23", "type": "ExportControl.Announced",
     "entity": "export-control/cn-mofcom-2023-23", "data": {…}}

`id` becomes the event id, so a line that is imported repeatedly counts once. `entity` may be omitted if
the fact determines it: the series of a claim, the scope of an order of publishers. `data` is the fact, as
in the event itself.
"""

from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import msgspec

import tracker
from tracker.commands.commands import PlannedEvent
from tracker.domain.basics.codec import decode, decode_input, encode
from tracker.domain.entities.entity import check_stream
from tracker.domain.entities.fact import Fact
from tracker.domain.entities.recordable import check_not_reviewed
from tracker.domain.events.registry import check_may_be_stated, entity_type, fact_type
from tracker.errors import InvalidInput, TooLarge, TrackerError
from tracker.sources import reader
from tracker.sources.text_files import MAX_ROW_BYTES, lines

SHIPPED_CORPUS = reader.File(
    Path(tracker.__file__).parent / "corpus" / "corpus.jsonl", "corpus.jsonl"
)
"""The corpus that is part of the package."""


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A line of the file."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    type: str
    data: msgspec.Raw
    entity: str | None = None


def format_line(event_id: str, type_: str, fact: Fact, entity: str | None = None) -> bytes:
    """Return a line of the corpus format, with its line end."""
    data = msgspec.Raw(encode(fact))
    return encode(Line(id=event_id, type=type_, data=data, entity=entity)) + b"\n"


def parse_line(line: bytes) -> PlannedEvent:
    """Return the planned event of a line. Raises InvalidInput or TooLarge, with the path of the field."""
    if len(line) > MAX_ROW_BYTES:
        raise TooLarge(f"expected at most {MAX_ROW_BYTES} bytes, got {len(line)}")
    parsed = decode(Line, line)
    if not parsed.id.isprintable():
        raise InvalidInput("expected printable characters", path=("id",))
    kind = fact_type(parsed.type)
    check_may_be_stated(kind)
    try:
        reader.check_storable(parsed.data)
        fact = decode_input(kind, parsed.data)
        check_not_reviewed(fact)
    except InvalidInput as error:
        raise error.below("data") from None
    return PlannedEvent(_stream(parsed, fact), fact, parsed.id)


def _stream(line: Line, fact: Fact) -> str:
    if line.entity is None:
        if fact.stream is None:
            raise InvalidInput("expected the entity that the fact is about", path=("entity",))
        return fact.stream
    check_stream(line.entity, "entity")
    if entity_type(line.entity).__name__ != line.type.partition(".")[0]:
        raise InvalidInput(f"expected an entity that {line.type} is about", path=("entity",))
    return line.entity


def recognise(head: bytes, name: str) -> bool:
    """Return whether a file begins with a line of this format."""
    first = head.removeprefix(BOM_UTF8).lstrip().partition(b"\n")[0]
    return first.startswith(b"{") and b'"type"' in first and b'"data"' in first


def read(file: reader.File) -> Iterator[reader.Item]:
    """Yield the facts of a file, one per line; empty lines are ignored."""
    for line in lines(file):
        if not line.whole:
            yield reader.RefusedItem(
                reader.SourceLocation(line.number),
                f"expected at most {MAX_ROW_BYTES:,} bytes in a line",
                code=TooLarge.code,
            )
        elif line.content.strip():
            try:
                yield reader.ReadFact(reader.SourceLocation(line.number), parse_line(line.content))
            except TrackerError as error:
                yield reader.RefusedItem.because(
                    reader.SourceLocation(line.number, reader.dotted_path(error)), error
                )


READER = reader.Reader(
    name="corpus",
    title="The tracker's own format: one fact a line, as JSON (see `tracker schema corpus`)",
    version="1",
    licence="as its author says",
    example="corpus.jsonl",
    recognise=recognise,
    read=read,
    strict=True,
    corrects=False,
)
SHIPPED_READER = replace(READER, corrects=True)
"""The reader of the shipped corpus. All releases use our own ids, so a changed fact is corrected."""
