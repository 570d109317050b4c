"""The texts of a bundle, held against its entries while these are verified.

What is signed are commitments to the texts. A text that opens its commitment is the one that was
recorded; one that is gone is explained only by an event of the log that redacts it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from tracker.audit.verify.annex_check import AnnexStatus, check_event, redacts
from tracker.errors import Rejected
from tracker.log.annexes import AnnexLine
from tracker.log.entries import RecordedEvent

MAX_ANNEXES_PER_EVENT = 1000
"""The most texts of an event: an entry has not even room to commit to so many."""


class AnnexChecker:
    """Reads the lines of a file `annexes`, in the order of positions, as far as events have come.

    Only texts of the events `first` to `last` are looked at. A redaction comes after the event that
    it is about: until the end, what is missing may be explained.
    """

    def __init__(
        self, lines: Iterable[bytes], first: int, last: int, *, allow_missing: bool = False
    ):
        self.opened = self.redacted = 0
        """How many texts open their commitments, and how many the log says are gone."""
        self._first = first
        self._lines = lines_between(lines, first, last)
        self._next = next(self._lines, None)
        self._missing: dict[tuple[int, str], None] = {}
        self._allow_missing = allow_missing

    @property
    def missing(self) -> int:
        """The number of texts that are missing and not redacted by any event so far."""
        return len(self._missing)

    def check(self, events: Sequence[RecordedEvent]) -> None:
        """Check the texts of the next events. Raises Rejected (ALTERED_ANNEX) for one that is not
        what the entry commits to."""
        for event in events:
            if event.position < self._first:
                continue
            for finding in check_event(event, self._lines_of(event.position), ()):
                match finding.status:
                    case AnnexStatus.OPENED:
                        self.opened += 1
                    case AnnexStatus.MISSING:
                        self._missing[event.position, finding.field] = None
                    case _:
                        raise _altered_error(event.position, finding.field)
            self._explain(event)

    def end(self) -> None:
        """All events have come. Raises Rejected: ALTERED_ANNEX for a text of no event, and
        MISSING_ANNEX for one that is gone without a redaction, unless that is allowed."""
        if self._next:
            raise _altered_error(int(self._next.position), self._next.field)
        if self._missing and not self._allow_missing:
            (position, field), *others = self._missing
            also = f", nor are {len(others):,} others" if others else ""
            raise Rejected(
                "MISSING_ANNEX",
                f"the text {field} is not in the file annexes{also},"
                " and no event redacts it; export again, or take what there is with"
                " --allow-missing-texts",
                range(position, position + 1),
            )

    def _lines_of(self, position: int) -> Iterator[AnnexLine]:
        """The lines of an event: each of another field, or they could be without end."""
        fields = set[str]()
        while self._next and int(self._next.position) <= position:
            line = self._next
            if (
                int(line.position) < position
                or line.field in fields
                or len(fields) == MAX_ANNEXES_PER_EVENT
            ):
                raise _altered_error(int(line.position), line.field)
            fields.add(line.field)
            yield line
            self._next = next(self._lines, None)

    def _explain(self, event: RecordedEvent) -> None:
        position, fields = redacts(event) or (0, ())
        for field in fields:
            if (position, field) in self._missing:
                del self._missing[position, field]
                self.redacted += 1


def read_lines(lines: Iterable[bytes]) -> Iterator[AnnexLine]:
    """The lines of a file `annexes`. Raises Rejected (ALTERED_ANNEX) for one that is none."""
    decoder = msgspec.json.Decoder(AnnexLine)
    for number, text in enumerate(lines, 1):
        try:
            line = decoder.decode(text)
            int(line.position)
        except (msgspec.MsgspecError, UnicodeError, ValueError) as error:
            raise Rejected(
                "ALTERED_ANNEX", f"line {number} of annexes is no text: {error}"
            ) from None
        yield line


def lines_between(lines: Iterable[bytes], first: int, last: int) -> Iterator[AnnexLine]:
    """The texts of the events `first` to `last`. What an interrupted export has left behind them is
    not looked at. Raises like `read_lines`."""
    for line in read_lines(lines):
        if int(line.position) > last:
            return
        if int(line.position) >= first:
            yield line


def _altered_error(position: int, field: str) -> Rejected:
    return Rejected(
        "ALTERED_ANNEX",
        f"the text {field} in annexes is not what the entry commits to",
        range(position, position + 1),
    )
