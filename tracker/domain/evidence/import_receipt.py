"""Receipts of imports: the file, the reader, and the result of each row.

A receipt is recorded in the same transaction as the events of its run, directly after them. So it always
exists and is always correct. `events` is their number, so the position of the receipt identifies them.
"""

from datetime import date
from typing import ClassVar

from tracker.domain.basics.values import Name, PartialDate, Sha256, Value
from tracker.domain.entities.entity import (
    CitingFold,
    Entity,
    RecordedFact,
    Retracted,
    StateWithEvidence,
)
from tracker.domain.entities.fact import DatedFact, Fact
from tracker.domain.entities.fold import shared_fields
from tracker.errors import InvalidInput


class ImportCounts(Value, frozen=True, kw_only=True):
    """Counts of the outcomes of a file's items; `restated` and `suspect` facts are counted as `new` too."""

    new: int = 0
    """Facts that were recorded."""
    restated: int = 0
    """Claims on a series on which the publisher already had a claim in another edition."""
    corrected: int = 0
    """Facts that replaced an earlier import's fact from the same row, which was retracted."""
    withdrawn: int = 0
    """Retracted facts: a later version of the reader reads nothing in their row."""
    unchanged: int = 0
    """Facts that were already in the log."""
    repeated: int = 0
    """Rows that repeat an earlier row of the file."""
    refused: int = 0
    """Items that could not be parsed, or were omitted deliberately."""
    suspect: int = 0
    """Recorded facts that are implausible."""

    @property
    def items(self) -> int:
        """The number of facts and refused items in the file."""
        return (
            self.new
            + self.restated
            + self.corrected
            + self.unchanged
            + self.repeated
            + self.refused
        )


class RefusalReason(Value, frozen=True, kw_only=True):
    """The reason for a number of refusals."""

    reason: Name
    """The reason."""
    count: int
    """The number of places."""
    code: Name | None = None
    """The stable code of the reason: that of the broken rule, such as `INVALID_NUMBER`, or
    `NOT_UNDERSTOOD`; see docs/sources.md. Null for imports that were recorded before codes existed, and
    for `other reasons` together."""


class Remark(Value, frozen=True, kw_only=True):
    """A remark on one place in the file. Older receipts have no codes."""

    reason: Name
    """The remark."""
    line: int
    """The line, counted from 1."""
    column: Name | None = None
    """The column or field."""
    text: Name | None = None
    """The text of the item, or the id of the fact."""
    code: Name | None = None
    """The stable code of the reason: that of the broken rule, such as `INVALID_NUMBER`, or
    `NOT_UNDERSTOOD`; see docs/sources.md. Null for imports that were recorded before codes existed."""


class Receipt(DatedFact, frozen=True, kw_only=True):
    """A file was imported. Counts are exact; `reasons`, `refused` and `suspects` have only the first ones.

    `encoding` is the codec name of its text; workbooks and older receipts have none.
    """

    reader: Name
    reader_version: Name
    file: Name
    sha256: Sha256
    size: int
    counts: ImportCounts
    encoding: Name | None = None
    events: int = 0
    reasons: tuple[RefusalReason, ...] = ()
    refused: tuple[Remark, ...] = ()
    suspects: tuple[Remark, ...] = ()


class ImportState(StateWithEvidence, frozen=True, kw_only=True):
    """An import: the content of its receipt."""

    on: PartialDate
    """The day of the import (UTC)."""
    reader: str
    """The source, such as `usgs`: see `tracker sources`."""
    reader_version: str
    """The version of the reader."""
    file: str
    """The name of the file."""
    sha256: str
    """The SHA-256 of the file, as hexadecimal digits."""
    size: int
    """The size of the file in bytes."""
    counts: ImportCounts
    """Exact counts of the outcomes."""
    encoding: str | None = None
    """The encoding of its text, such as `utf-8` or `gb18030`; null for workbooks, and for imports that
    were recorded before encodings were."""
    events: int = 0
    """The number of recorded events; they are directly before the receipt in the log."""
    reasons: tuple[RefusalReason, ...] = ()
    """The most frequent reasons of refusals."""
    refused: tuple[Remark, ...] = ()
    """The first 20 refused places."""
    suspects: tuple[Remark, ...] = ()
    """The first 20 suspect facts."""


class ImportFold(CitingFold[ImportState]):
    """The fold of an import's facts: its receipt."""

    __slots__ = ("receipt",)

    def __init__(self) -> None:
        super().__init__()
        self.receipt: Receipt | None = None

    def take(self, known: RecordedFact) -> None:
        """Apply the receipt."""
        if self.receipt is None and isinstance(known.fact, Receipt):
            self.receipt = known.fact
        self.cite(known)

    def state(self, id: str, day: date) -> ImportState | None:
        """Return the receipt, from the day of the import on."""
        receipt = self.receipt
        if receipt is None:
            return None
        return ImportState(**shared_fields(receipt, ImportState), id=id, because=self.because)


class Import(Entity):
    """One run of a reader over one file."""

    KIND: ClassVar[str] = "import"
    INITIAL_FACT: ClassVar[type[Fact]] = Receipt
    FACTS: ClassVar[dict[str, type[Fact]]] = {"Import.Recorded": Receipt}
    FOLD = ImportFold

    @classmethod
    def type_of(cls, fact: Fact) -> str:
        """Return the event type of a receipt. Raises InvalidInput for a retraction: a run cannot be
        undone."""
        if isinstance(fact, Retracted):
            raise InvalidInput(
                "expected a fact: a receipt stays; retract what was imported",
                code="RECEIPT_STAYS",
                path=("eventId",),
            )
        return super().type_of(fact)

    def check(self, fact: Fact) -> None:
        """Check that a run has only one receipt."""
        if self.exists:
            raise InvalidInput(
                f"{self.id} has its receipt already", code="ALREADY_EXISTS", path=("id",)
            )
