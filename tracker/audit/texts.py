"""The texts of a bundle, held against its entries while these are verified.

What is signed are commitments to the texts. A text that opens its commitment is the one that was
recorded; one that is gone is explained only by an event of the log that redacts it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from tracker.audit.opening import Opening, examine, redacts
from tracker.errors import Rejected
from tracker.log.annexes import Line
from tracker.log.mapper import Recorded


class Texts:
    """Reads the lines of a file `annexes`, in the order of positions, as far as events have come.

    A redaction comes after the event that it is about: until the end, what is missing may be
    explained.
    """

    def __init__(self, lines: Iterable[bytes], first: int = 1):
        self.opened = self.redacted = 0
        """How many texts open their commitments, and how many the log says are gone."""
        self._lines = (line for line in read(lines) if int(line.position) >= first)
        self._next = next(self._lines, None)
        self._missing: dict[tuple[int, str], None] = {}

    def check(self, events: Sequence[Recorded]) -> None:
        """Check the texts of the next events. Raises Rejected (ALTERED_ANNEX) for one that is not
        what the entry commits to."""
        for event in events:
            for finding in examine(event, self._of(event.position), ()):
                match finding.opening:
                    case Opening.OPENED:
                        self.opened += 1
                    case Opening.MISSING:
                        self._missing[event.position, finding.field] = None
                    case _:
                        raise _altered(event.position, finding.field)
            self._explain(event)

    def end(self) -> None:
        """All events have come. Raises Rejected: ALTERED_ANNEX for a text of no event, and
        MISSING_ANNEX for one that is gone without a redaction."""
        if self._next:
            raise _altered(int(self._next.position), self._next.field)
        for position, field in self._missing:
            raise Rejected("MISSING_ANNEX", f"the text {field} is not in the file annexes, and no"
                           " event redacts it; if an export was interrupted, export again",
                           range(position, position + 1))

    def _of(self, position: int) -> Iterator[Line]:
        while self._next and int(self._next.position) <= position:
            if int(self._next.position) < position:
                raise _altered(int(self._next.position), self._next.field)
            yield self._next
            self._next = next(self._lines, None)

    def _explain(self, event: Recorded) -> None:
        position, fields = redacts(event) or (0, ())
        for field in fields:
            if (position, field) in self._missing:
                del self._missing[position, field]
                self.redacted += 1


def read(lines: Iterable[bytes]) -> Iterator[Line]:
    """The lines of a file `annexes`. Raises Rejected (ALTERED_ANNEX) for one that is none."""
    decoder = msgspec.json.Decoder(Line)
    for number, text in enumerate(lines, 1):
        try:
            line = decoder.decode(text)
            int(line.position)
        except (msgspec.MsgspecError, UnicodeError, ValueError) as error:
            raise Rejected("ALTERED_ANNEX", f"line {number} of annexes is no text: {error}"
                           ) from None
        yield line


def _altered(position: int, field: str) -> Rejected:
    return Rejected("ALTERED_ANNEX", f"the text {field} in annexes is not what the entry commits"
                    " to", range(position, position + 1))
