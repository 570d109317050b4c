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
    known = row.known
    fact = known.fact
    publishers = dict.fromkeys(source.publisher for source in (fact.source, *fact.more_sources))
    edition = version = None
    if isinstance(fact, Claimed):
        edition, version = fact.edition, fact.edition_version
    columns = (
        known.position,
        entity,
        kind,
        known.type,
        " ".join(publishers),
        NULL if edition is None else one_line(edition),
        NULL if version is None else one_line(version),
        fact.public_on.isoformat(),
        row.since,
        row.until or OPEN_POSITION,
    )
    return "\t".join(map(str, columns))


def one_line(text: str) -> str:
    """A text as it stands in a column of a line."""
    return " ".join(text.split())
