"""Counts what becomes of a file, and writes the receipt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from tracker.domain.codec import encode
from tracker.domain.import_receipt import Counts, Reason, Receipt, Remark
from tracker.domain.values import PartialDate, Source
from tracker.domain.vocabulary import Checked
from tracker.domain.wording import is_visible
from tracker.sources.importing.reconcile import Came
from tracker.sources.reader import At, File, Reader

MAX_REMARKS = 20
MAX_REASONS = 20
MAX_COUNTED_REASONS = 1000
"""How many different reasons are counted by themselves; the others are counted together."""
OTHER_REASONS = "other reasons"


def _ignore(came: str, at: At, reason: str, text: str) -> None:
    """Tell nobody."""


@dataclass(slots=True)
class Tally:
    """What has become of a file so far.

    `listen` is told of every refused and suspect place, of which the receipt keeps the first.
    """

    listen: Callable[[str, At, str, str], None] = _ignore
    came: Counter[Came] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    refused: list[Remark] = field(default_factory=list)
    suspects: list[Remark] = field(default_factory=list)
    suspect: int = 0
    withdrawn: int = 0

    def refuse(self, at: At, reason: str, text: str = "") -> None:
        """A place was refused."""
        self.came[Came.REFUSED] += 1
        known = reason in self.reasons or len(self.reasons) < MAX_COUNTED_REASONS
        self.reasons[reason if known else OTHER_REASONS] += 1
        _note(self.refused, at, reason, text)
        self.listen("refused", at, reason, text)

    def suspect_of(self, at: At, reason: str, text: str) -> None:
        """A recorded fact is suspect."""
        self.suspect += 1
        _note(self.suspects, at, reason, text)
        self.listen("suspect", at, reason, text)

    def counts(self) -> Counts:
        """The counts."""
        return Counts(suspect=self.suspect, withdrawn=self.withdrawn,
                      **{came.value: count for came, count in self.came.items()})

    def receipt(self, reader: Reader, file: File, sha256: str, events: int, on: date) -> Receipt:
        """The receipt of a run over a file, on a day, that makes so many events."""
        day, name = PartialDate(on.isoformat()), file.name
        return Receipt(
            source=Source(publisher="tracker", name=plain(f"Import of {name}"), published_on=day,
                          checked=Checked.DATA_FILE),
            on=day, reader=reader.name, reader_version=reader.version,
            file=plain(name) or "?", sha256=sha256, size=file.size, counts=self.counts(),
            encoding=file.encoding, events=events,
            reasons=_reasons(self.reasons), refused=tuple(self.refused),
            suspects=tuple(self.suspects),
        )


def plain(text: str, most: int = 200) -> str:
    """Foreign text as a receipt can hold it: printable, and at most so many bytes of JSON; empty
    where there is nothing to see in it."""
    shown = "".join(char if char.isprintable() else "?" for char in text[:most])
    while len(encode(shown)) > most:
        shown = shown[:-(len(shown) // 8 + 1)]
    if not is_visible(shown):
        return ""
    return shown if len(shown) == len(text) else shown + "\u2026"


def _note(remarks: list[Remark], at: At, reason: str, text: str) -> None:
    if len(remarks) < MAX_REMARKS:
        remarks.append(Remark(reason=plain(reason), line=at.line, text=plain(text, 80) or None,
                              column=plain(at.column or "", 80) or None))


def _reasons(counted: Counter[str]) -> tuple[Reason, ...]:
    """The most frequent reasons, and how many items had others."""
    frequent = counted.most_common(MAX_REASONS)
    rest = counted.total() - sum(count for _, count in frequent)
    shown = [Reason(reason=plain(reason), count=count) for reason, count in frequent]
    return tuple(shown + ([Reason(reason=OTHER_REASONS, count=rest)] if rest else []))
