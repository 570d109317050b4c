"""Imports and their receipts as GraphQL shows them."""

from __future__ import annotations

from strawberry import field

from schema.base.decorators import object_type
from schema.base.scalars import Day, Position
from schema.types.common import Node, from_state
from tracker.domain import import_receipt as domain

CODE = (
    "The stable code of the reason: that of the rule that is broken, such as `INVALID_NUMBER`, or"
    " `NOT_UNDERSTOOD`; see docs/sources.md. Null for imports of before codes were noted"
)


@object_type
class ImportCounts:
    """How many items of a file came to what."""

    new: int = field(description="Facts that were recorded.")
    restated: int = field(
        description="Claims that were recorded on a series on which the publisher"
        " had a claim in another edition."
    )
    corrected: int = field(
        description="Facts that took the place of what was read in the same row"
        " before; that was retracted."
    )
    withdrawn: int = field(
        description="Facts that were retracted since a later version of the"
        " reader reads nothing in their row."
    )
    unchanged: int = field(description="Facts that were in the log already.")
    repeated: int = field(description="Rows that say again what an earlier row of the file says.")
    refused: int = field(description="Places that were not understood, or left out deliberately.")
    suspect: int = field(description="Recorded facts that can hardly be right.")


@object_type
class RefusalReason:
    """Why so many places were refused."""

    code: str | None = field(description=f"{CODE} and for `other reasons` together.")
    reason: str = field(description="The reason.")
    count: int = field(description="How many places.")


@object_type
class Remark:
    """What is to be said of one place in a file."""

    line: int = field(description="The line, counted from 1.")
    column: str | None = field(description="The column or field.")
    text: str | None = field(description="What stands there, or the id of the fact.")
    code: str | None = field(description=f"{CODE}.")
    reason: str = field(description="What is to be said of it.")


@object_type
class Import(Node):
    """A file that was imported: its receipt, recorded with its facts in one transaction."""

    key: str = field(description="What it is known by; keys sort by time.")
    entity: str = field(description="Its name in the log, `import/<key>`.")
    on: Day = field(description="The day (UTC).")
    reader: str = field(description="The source, such as `usgs`: see `tracker sources`.")
    reader_version: str = field(description="The version of the reader.")
    file: str = field(description="The name of the file.")
    sha256: str = field(description="The SHA-256 of the file, as hexadecimal digits.")
    size: float = field(description="The size of the file in bytes.")
    encoding: str | None = field(
        description="What its text was read in, such as `utf-8` or"
        " `gb18030`; null for workbooks, and for imports of"
        " before this was noted."
    )
    items: float = field(description="How many facts and refusals the file gave.")
    counts: ImportCounts = field(description="How many came to what; exact.")
    reasons: list[RefusalReason] = field(description="The most frequent reasons of refusals.")
    refused: list[Remark] = field(description="The first refused places.")
    suspects: list[Remark] = field(description="The first suspect facts.")
    events: int = field(
        description="How many events were recorded; they stand right before the receipt."
    )
    position: Position = field(description="The place of the receipt in the log.")


def import_(state: domain.ImportState) -> Import:
    """An import as it is shown."""
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
