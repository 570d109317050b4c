"""Counts of a file's outcomes, and its receipt."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from tracker.domain.basics.codec import encode
from tracker.domain.basics.text_rules import is_visible
from tracker.domain.basics.values import PartialDate
from tracker.domain.basics.vocabulary import Checked
from tracker.domain.entities.fact import Source
from tracker.domain.evidence.import_receipt import ImportCounts, Receipt, RefusalReason, Remark
from tracker.sources.importing.reconcile import ItemOutcome
from tracker.sources.reader import File, Reader, RefusedItem, SourceLocation

MAX_REMARKS = 20
MAX_REASONS = 20
MAX_COUNTED_REASONS = 1000
"""The maximum number of reasons counted separately; all others are counted together."""
OTHER_REASONS = "other reasons"
FAR_OFF = "FAR_OFF"
"""The code of a figure that is implausible compared with a neighbouring edition."""
RemarkListener = Callable[[str, SourceLocation, str, str, str], None]
"""Callback for items: `refused` or `suspect`, the place, the code, the reason, the text."""


def _ignore(came: str, at: SourceLocation, code: str, reason: str, text: str) -> None:
    """Ignore remarks."""


@dataclass(slots=True)
class ReceiptBuilder:
    """The receipt of a file, with the counts so far.

    `listen` is called for every refused and suspect item; the receipt has only the first ones.
    """

    listen: RemarkListener = _ignore
    outcomes: Counter[ItemOutcome] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    refused: list[Remark] = field(default_factory=list)
    suspects: list[Remark] = field(default_factory=list)
    suspect: int = 0
    withdrawn: int = 0

    def refuse(self, place: RefusedItem) -> None:
        """Count a refused item."""
        self.outcomes[ItemOutcome.REFUSED] += 1
        why = (place.reason, place.code)
        known = why in self.reasons or len(self.reasons) < MAX_COUNTED_REASONS
        self.reasons[why if known else (OTHER_REASONS, None)] += 1
        _note(self.refused, place)
        self.listen("refused", place.at, place.code, place.reason, place.text)

    def suspect_of(self, at: SourceLocation, reason: str, text: str) -> None:
        """Count a suspect fact."""
        self.suspect += 1
        _note(self.suspects, RefusedItem(at, reason, text, FAR_OFF))
        self.listen("suspect", at, FAR_OFF, reason, text)

    def counts(self) -> ImportCounts:
        """Return the counts."""
        return ImportCounts(
            suspect=self.suspect,
            withdrawn=self.withdrawn,
            **{came.value: count for came, count in self.outcomes.items()},
        )

    def receipt(self, reader: Reader, file: File, sha256: str, events: int, on: date) -> Receipt:
        """Return the receipt of a run over a file, on a day, with a number of events."""
        day, name = PartialDate(on.isoformat()), file.name
        return Receipt(
            source=Source(
                publisher="tracker",
                name=printable(f"Import of {name}"),
                published_on=day,
                checked=Checked.DATA_FILE,
            ),
            on=day,
            reader=reader.name,
            reader_version=reader.version,
            file=printable(name) or "?",
            sha256=sha256,
            size=file.size,
            counts=self.counts(),
            encoding=file.encoding,
            events=events,
            reasons=_reasons(self.reasons),
            refused=tuple(self.refused),
            suspects=tuple(self.suspects),
        )


def printable(text: str, most: int = 200) -> str:
    """Return untrusted text for a receipt: printable, and at most a number of bytes of JSON.

    It is empty if no character is visible.
    """
    shown = "".join(char if char.isprintable() else "?" for char in text[:most])
    while len(encode(shown)) > most:
        shown = shown[: -(len(shown) // 8 + 1)]
    if not is_visible(shown):
        return ""
    return shown if len(shown) == len(text) else shown + "\u2026"


def _note(remarks: list[Remark], place: RefusedItem) -> None:
    if len(remarks) < MAX_REMARKS:
        remarks.append(
            Remark(
                reason=printable(place.reason),
                line=place.at.line,
                text=printable(place.text, 80) or None,
                column=printable(place.at.column or "", 80) or None,
                code=place.code,
            )
        )


def _reasons(counted: Counter[tuple[str, str | None]]) -> tuple[RefusalReason, ...]:
    """Return the most frequent reasons, and the number of items with others."""
    frequent = counted.most_common(MAX_REASONS)
    rest = counted.total() - sum(count for _, count in frequent)
    shown = [
        RefusalReason(reason=printable(reason), count=count, code=code)
        for (reason, code), count in frequent
    ]
    return tuple(shown + ([RefusalReason(reason=OTHER_REASONS, count=rest)] if rest else []))
