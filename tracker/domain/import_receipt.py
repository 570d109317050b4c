"""Receipts of imports: which file was read by which reader, and what became of its rows.

A receipt stands in the log right behind the events of its run, recorded in the same transaction:
it can neither be missing nor lie. `events` says how many they are, so its own position tells which.
"""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from tracker.domain.entity import CitingFold, Entity, RecordedFact, Retracted, StateWithEvidence
from tracker.domain.values import Fact, Name, PartialDate, Sha256, Value
from tracker.errors import InvalidInput


class ImportCounts(Value, frozen=True, kw_only=True):
    """The counts of the outcomes of a file's items. Every item counts once, with two exceptions.

    `new` facts are recorded, `restated` ones as well: claims on a series that the publisher had a
    claim on in another edition. `corrected` facts took the place of what an earlier reader read
    in the same row; `withdrawn` ones it read where this one reads nothing. `unchanged` is in the
    log already, `repeated` says again what an earlier row of the file says, `refused` was not
    understood or left out, with a reason. `suspect` facts are recorded, and counted there too.
    """

    new: int = 0
    restated: int = 0
    corrected: int = 0
    withdrawn: int = 0
    unchanged: int = 0
    repeated: int = 0
    refused: int = 0
    suspect: int = 0

    @property
    def items(self) -> int:
        """The number of facts and refused places in the file."""
        return (
            self.new
            + self.restated
            + self.corrected
            + self.unchanged
            + self.repeated
            + self.refused
        )


class RefusalReason(Value, frozen=True, kw_only=True):
    """Why so many items were refused."""

    reason: Name
    count: int
    code: Name | None = None


class Remark(Value, frozen=True, kw_only=True):
    """A remark on one place in the file. Older receipts have no codes."""

    reason: Name
    line: int
    column: Name | None = None
    text: Name | None = None
    code: Name | None = None


class Receipt(Fact, frozen=True, kw_only=True):
    """A file was imported. Counts are exact; `reasons`, `refused` and `suspects` are the first.

    `encoding` is what its text was read in, as Python calls it; workbooks have none, and neither
    have receipts of before it was noted.
    """

    on: PartialDate
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

    @property
    def public_on(self) -> date:
        """The day of the import."""
        return self.on.first


class ImportState(StateWithEvidence, frozen=True, kw_only=True):
    """An import: what its receipt says."""

    on: PartialDate
    reader: str
    reader_version: str
    file: str
    sha256: str
    size: int
    counts: ImportCounts
    encoding: str | None = None
    events: int = 0
    reasons: tuple[RefusalReason, ...] = ()
    refused: tuple[Remark, ...] = ()
    suspects: tuple[Remark, ...] = ()


class ImportFold(CitingFold[ImportState]):
    """The fold of an import's facts: its receipt."""

    __slots__ = ("receipt",)

    def __init__(self) -> None:
        super().__init__()
        self.receipt: Receipt | None = None

    def take(self, known: RecordedFact) -> None:
        """Take in the receipt."""
        if self.receipt is None and isinstance(known.fact, Receipt):
            self.receipt = known.fact
        self.cite(known)

    def state(self, id: str, day: date) -> ImportState | None:
        """The receipt, from the day of the import on."""
        receipt = self.receipt
        if receipt is None:
            return None
        return ImportState(
            id=id,
            because=self.because,
            on=receipt.on,
            reader=receipt.reader,
            reader_version=receipt.reader_version,
            file=receipt.file,
            sha256=receipt.sha256,
            size=receipt.size,
            counts=receipt.counts,
            encoding=receipt.encoding,
            events=receipt.events,
            reasons=receipt.reasons,
            refused=receipt.refused,
            suspects=receipt.suspects,
        )


class Import(Entity):
    """One run of a reader over one file."""

    KIND: ClassVar[str] = "import"
    INITIAL_FACT: ClassVar[type[Fact]] = Receipt
    FACTS: ClassVar[dict[str, type[Fact]]] = {"Import.Recorded": Receipt}
    FOLD = ImportFold

    @classmethod
    def type_of(cls, fact: Fact) -> str:
        """The event type of a receipt. Raises InvalidInput for a retraction: a run has happened."""
        if isinstance(fact, Retracted):
            raise InvalidInput(
                "expected a fact: a receipt stays; retract what was imported",
                code="RECEIPT_STAYS",
                path=("eventId",),
            )
        return super().type_of(fact)

    def check(self, fact: Fact) -> None:
        """A run has one receipt."""
        if self.exists:
            raise InvalidInput(
                f"{self.id} has its receipt already", code="ALREADY_EXISTS", path=("id",)
            )
