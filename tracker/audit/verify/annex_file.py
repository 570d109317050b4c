"""Check of the texts of a bundle during the verification of its entries.

Only commitments to the texts are signed. A text that opens its commitment is the recorded one. A missing text
is explained only by an event of the log that redacts it.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from tracker.audit.verify.annex_check import AnnexStatus, check_event, redacts
from tracker.errors import Rejected
from tracker.log.annexes import AnnexLine
from tracker.log.entries import RecordedEvent

MAX_ANNEXES_PER_EVENT = 1000
"""Maximum number of texts of an event: an entry has no room for more commitments."""


class AnnexChecker:
    """Reads the lines of a file `annexes`, in the order of positions, up to the present event.

    Only texts of the events `first` to `last` are checked. A redaction comes after its event, so a missing
    text may be explained until the end.
    """

    def __init__(
        self, lines: Iterable[bytes], first: int, last: int, *, allow_missing: bool = False
    ):
        self.opened = self.redacted = 0
        """Number of texts that open their commitments, then of redacted ones."""
        self._first = first
        self._lines = lines_between(lines, first, last)
        self._next = next(self._lines, None)
        self._missing: dict[tuple[int, str], None] = {}
        self._allow_missing = allow_missing

    @property
    def missing(self) -> int:
        """The number of missing texts that no event so far redacts."""
        return len(self._missing)

    def check(self, events: Sequence[RecordedEvent]) -> None:
        """Check the texts of the next events.

        Raises Rejected (ALTERED_ANNEX) for a text that differs from the entry's commitment.
        """
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
        """Complete the check after all events.

        Raises Rejected: ALTERED_ANNEX for a text of no event, and MISSING_ANNEX for one that is missing
        without a redaction, unless that is allowed.
        """
        if self._next:
            raise _altered_error(int(self._next.position), self._next.field)
        if self._missing and not self._allow_missing:
            (position, field), *others = self._missing
            also = f", nor are {len(others):,} others" if others else ""
            raise Rejected(
                "MISSING_ANNEX",
                f"the text {field} is not in the file annexes{also},"
                " and no event redacts it; export again, or verify with --allow-missing-texts",
                range(position, position + 1),
            )

    def _lines_of(self, position: int) -> Iterator[AnnexLine]:
        """Return the lines of an event, each of another field: otherwise their number would be unlimited."""
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
    """Parse the lines of a file `annexes`. Raises Rejected (ALTERED_ANNEX) for an invalid one."""
    decoder = msgspec.json.Decoder(AnnexLine)
    for number, text in enumerate(lines, 1):
        try:
            line = decoder.decode(text)
            int(line.position)
        except (msgspec.MsgspecError, UnicodeError, ValueError) as error:
            raise Rejected(
                "ALTERED_ANNEX", f"line {number} of annexes is not a text: {error}"
            ) from None
        yield line


def lines_between(lines: Iterable[bytes], first: int, last: int) -> Iterator[AnnexLine]:
    """Yield the texts of the events `first` to `last`.

    Lines after them, from an interrupted export, are ignored. Raises like `read_lines`.
    """
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
