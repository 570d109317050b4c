"""Turns researched facts (`facts.jsonl`) into events of the corpus.

Read in this order: `rows` (what comes in and goes out), `figures`,
`announcements`, `alliances`, `instruments` and `controls`. Details that
have no place in an event are refused, so that nothing is lost silently.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from tracker.domain.codec import decode
from tracker.errors import TrackerError
from tracker.sources.facts import alliances, controls, figures
from tracker.sources.facts.announcements import announcement
from tracker.sources.facts.rows import Entry, Row

SAID = frozenset({"sohu-cn-tightened"})
"""Facts about controls that name none: what somebody says of controls is an announcement."""


def read(path: Path) -> Iterator[Row]:
    """The facts of a file, one a line. Raises InvalidInput with the line in the path."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield decode(Row, line)
            except TrackerError as error:
                raise error.below(number) from None


def entries(facts: Iterable[Row]) -> Iterator[Entry]:
    """The events that facts become, in the order of the facts."""
    rows = {row.id: row for row in facts}
    entities = {row.id: entity_of(row) for row in rows.values()}
    for row in rows.values():
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


__all__ = ["Entry", "Row", "entity_of", "entries", "read"]
