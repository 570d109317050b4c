"""Rows of facts: which count at which positions, and from which day. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from projections.fold.effective_facts import FactRow
from projections.versions.rows import NULL, OPEN_POSITION, Line
from tracker.domain.figure_facts import Claimed


def fact_lines(entity: str, rows: Iterable[FactRow]) -> list[Line]:
    """The rows of facts of an entity, each a line, its columns in the order of `add_facts`."""
    kind = entity.partition("/")[0]
    return [_line(entity, kind, row) for row in rows]


def _line(entity: str, kind: str, row: FactRow) -> Line:
    known, fact = row.known, row.known.fact
    publishers = " ".join(fact.cited_publishers)
    edition = version = NULL
    if isinstance(fact, Claimed):
        edition = one_line(fact.edition)
        version = NULL if fact.edition_version is None else one_line(fact.edition_version)
    return (
        f"{known.position}\t{entity}\t{kind}\t{known.type}\t{publishers}\t{edition}\t{version}"
        f"\t{fact.public_on.isoformat()}\t{row.since}\t{row.until or OPEN_POSITION}"
    )


def one_line(text: str) -> str:
    """A text as it stands in a column of a line."""
    return " ".join(text.split())
