"""Turns researched facts (`facts.jsonl`) into events.

Read in this order: `rows` (what comes in and goes out), `figures`,
`announcements`, `alliances`, `instruments` and `controls`. Details that
have no place in an event are refused, so that nothing is lost silently.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tracker.domain.codec import decode
from tracker.errors import TrackerError
from tracker.sources.reader import (
    File,
    Item,
    Reader,
    ReadFact,
    RefusedItem,
    SourceLocation,
    dotted_path,
    read_fact,
)
from tracker.sources.readers.researched import alliances, controls, figures
from tracker.sources.readers.researched.announcements import announcement
from tracker.sources.readers.researched.rows import Entry, Row
from tracker.sources.text_files import lines

MAX_FILE_BYTES = 64 * 1024 * 1024
"""The largest file: facts refer to each other across it."""

MISFIT = (TrackerError, KeyError, ValueError, TypeError, AttributeError, ArithmeticError)
"""What facts are met with that lack a detail, or have one of another kind than was researched."""

SAID = frozenset({"sohu-cn-tightened"})
"""Facts about controls that name none: what somebody says of controls is an announcement."""


def recognise(head: bytes, name: str) -> bool:
    """Whether a file begins with a researched fact."""
    first = head.partition(b"\n")[0]
    return first.startswith(b"{") and b'"family"' in first and b'"effective_from"' in first


def read(file: File) -> Iterator[Item]:
    """What the facts of a file become, in the order of their days, after what is refused."""
    facts = dict[int, Row]()
    for line in lines(file.at_most(MAX_FILE_BYTES)):
        try:
            if line.content.strip():
                facts[line.number] = decode(Row, line.content)
        except TrackerError as error:
            yield RefusedItem.because(SourceLocation(line.number, dotted_path(error)), error)
    rows, entities = {row.id: row for row in facts.values()}, dict[str, str]()
    for number, row in facts.items():
        try:
            entities[row.id] = entity_of(row)
        except MISFIT as error:
            yield _refused(number, row, error)
    events: list[tuple[Entry, ReadFact]] = []
    for number, row in facts.items():
        try:
            if row.id in entities:
                events += [
                    (
                        entry,
                        read_fact(SourceLocation(number), entry.entity, entry.fact, entry.event_id),
                    )
                    for entry in events_of(row, rows, entities)
                ]
        except MISFIT as error:
            yield _refused(number, row, error)
    yield from (event for _, event in sorted(events, key=lambda item: item[0].order))


def _refused(number: int, row: Row, error: Exception) -> RefusedItem:
    """A fact that breaks a rule, or has details of which nothing can be made."""
    if isinstance(error, TrackerError):
        return RefusedItem.because(SourceLocation(number, dotted_path(error)), error, row.id)
    return RefusedItem(
        SourceLocation(number, "details"), f"expected known details: {error!r}", row.id
    )


def researched(file: File) -> list[Row]:
    """The facts of a file, one a line. Raises InvalidInput with the line in the path."""
    found = []
    for line in lines(file):
        try:
            found.append(decode(Row, line.content))
        except TrackerError as error:
            raise error.below(line.number) from None
    return found


def entries(facts: Iterable[Row]) -> Iterator[Entry]:
    """The events that facts become, in the order of the facts."""
    rows = {row.id: row for row in facts}
    entities = {row.id: entity_of(row) for row in rows.values()}
    for row in rows.values():
        yield from events_of(row, rows, entities)


def events_of(row: Row, rows: Mapping[str, Row], entities: Mapping[str, str]) -> Iterator[Entry]:
    """The events that one fact becomes, beside the others of its file."""
    if row.family == "production":
        yield figures.claim(row)
    elif _is_control(row):
        yield from controls.acts(row, rows)
    elif alliances.is_change(row):
        yield from alliances.changes(row)
    else:
        yield from announcement(row, entities)


def entity_of(row: Row) -> str:
    """The entity that a fact is about."""
    if row.family == "production":
        return figures.series(row).stream
    if _is_control(row):
        return controls.entity(row)
    if alliances.is_change(row):
        return alliances.entity(row)
    return f"announcement/{row.id}"


def _is_control(row: Row) -> bool:
    return row.family == "export_control" and row.id not in SAID


READER = Reader(
    name="facts",
    title="Researched facts, one JSON object a line",
    version="1",
    licence="as the researcher says",
    example="facts.jsonl",
    recognise=recognise,
    read=read,
    strict=True,
)

__all__ = ["READER", "Entry", "Row", "entity_of", "entries", "researched"]
