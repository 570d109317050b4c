"""Imports and their receipts as GraphQL shows them."""

from __future__ import annotations

from strawberry import field

from projections.query.moment import Moment
from schema.base.decorators import object_type
from schema.base.memo import memoize_by_identity
from schema.base.scalars import Day, Position
from schema.types.common import Node, at_moment, from_state
from schema.types.links import node_of
from tracker.domain import import_receipt as domain

CODE = (
    "The stable code of the reason: that of the rule that is broken, such as `INVALID_NUMBER`, or"
    " `NOT_UNDERSTOOD`; see docs/sources.md. Null for imports recorded before codes were"
)


@object_type
class ImportCounts:
    """Counts of the outcomes of a file's items."""

    new: int = field(description="Facts that were recorded.")
    restated: int = field(
        description="Recorded claims on a series on which the publisher already had a claim in another"
        " edition."
    )
    corrected: int = field(
        description="Facts that replaced what an earlier import read in the same row, which was"
        " retracted."
    )
    withdrawn: int = field(
        description="Retracted facts: a later version of the reader reads nothing in their row."
    )
    unchanged: int = field(description="Facts that were in the log already.")
    repeated: int = field(description="Rows that repeat an earlier row of the file.")
    refused: int = field(description="Places that were not understood, or left out deliberately.")
    suspect: int = field(description="Recorded facts that are implausible.")


@object_type
class RefusalReason:
    """A reason for refusals, with the number of places."""

    code: str | None = field(description=f"{CODE} and for `other reasons` together.")
    reason: str = field(description="The reason.")
    count: int = field(description="The number of places.")


@object_type
class Remark:
    """A remark on one place in a file."""

    line: int = field(description="The line, counted from 1.")
    column: str | None = field(description="The column or field.")
    text: str | None = field(description="The text of the place, or the id of the fact.")
    code: str | None = field(description=f"{CODE}.")
    reason: str = field(description="The remark.")


@object_type
class Import(Node):
    """A file that was imported: its receipt, recorded with its facts in one transaction."""

    key: str = field(description="Its key; keys sort by time.")
    entity: str = field(description="Its name in the log, `import/<key>`.")
    on: Day = field(description="The day of the import (UTC).")
    reader: str = field(description="The source, such as `usgs`: see `tracker sources`.")
    reader_version: str = field(description="The version of the reader.")
    file: str = field(description="The name of the file.")
    sha256: str = field(description="The SHA-256 of the file, as hexadecimal digits.")
    size: float = field(description="The size of the file in bytes.")
    encoding: str | None = field(
        description="The encoding of its text, such as `utf-8` or `gb18030`; null for workbooks, and for"
        " imports recorded before encodings were."
    )
    items: float = field(description="The number of facts and refused places in the file.")
    counts: ImportCounts = field(description="Exact counts of the outcomes.")
    reasons: list[RefusalReason] = field(description="The most frequent reasons of refusals.")
    refused: list[Remark] = field(description="The first 20 refused places.")
    suspects: list[Remark] = field(description="The first 20 suspect facts.")
    events: int = field(
        description="The number of recorded events; they are directly before the receipt in the log."
    )
    position: Position = field(description="The position of the receipt in the log.")


@node_of.register(domain.ImportState)
def import_(state: domain.ImportState, moment: Moment | None) -> Import:
    """The GraphQL type of an import at a moment; in a history it has none."""
    return at_moment(_content(state), moment)


@memoize_by_identity(lambda _: 1)
def _content(state: domain.ImportState) -> Import:
    return from_state(
        Import,
        state,
        key=state.id,
        entity=f"import/{state.id}",
        on=Day(str(state.on)),
        size=float(state.size),
        items=float(state.counts.items),
        counts=from_state(ImportCounts, state.counts),
        reasons=[from_state(RefusalReason, reason) for reason in state.reasons],
        refused=[from_state(Remark, remark) for remark in state.refused],
        suspects=[from_state(Remark, remark) for remark in state.suspects],
        position=Position(str(state.because[0].position)),
    )
