"""The annexes of a log in its bundle: the texts that entries commit to by salted hashes.

The file `annexes` has a JSON line for each. It is rewritten with every export, because redacted texts must be
removed. Only the commitments are signed, so a bundle without the texts can still be verified with an explicit
option.
"""

import filecmp
import os
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path

from tracker.audit.bundle.files import report_path
from tracker.audit.format.bounded_files import check_writable
from tracker.audit.format.layout import ANNEXES
from tracker.audit.verify.annex_check import opens_commitment
from tracker.audit.verify.annex_file import lines_between
from tracker.audit.verify.verifier import Verification
from tracker.domain.entities.commitments import SCHEME
from tracker.errors import Rejected
from tracker.log.annexes import Annexes, AnnexLine, export_line

PARTIAL_NAME = ".annexes.part"
"""The file being written; after a crash the next export overwrites it."""

Row = tuple[bytes, int, str, bytes, str]


async def export_annexes(lines: AsyncIterable[bytes], directory: Path) -> None:
    """Write the lines of the annexes of a log, replacing an older file unless it is equal."""
    check_writable(directory, PARTIAL_NAME)
    check_writable(directory, ANNEXES)
    with report_path(directory / ANNEXES) as path:
        part = directory / PARTIAL_NAME
        with part.open("wb") as file:
            async for some in lines:
                file.write(some)
            file.flush()
            os.fsync(file.fileno())
        if path.is_file() and filecmp.cmp(part, path, shallow=False):
            part.unlink()
        else:
            part.replace(path)


async def annex_lines(
    annexes: Annexes, size: int, note_redaction: Callable[[int], object] = lambda _: None
) -> AsyncIterator[bytes]:
    """Yield the lines of the annexes of the first `size` events.

    `note_redaction` gets the position of the redaction of each redacted annex.
    """
    async for page in annexes.pages(0, size):
        for annex in page:
            if annex.redaction:
                note_redaction(annex.redaction.position)
        yield b"".join(map(export_line, page))


def annex_rows(verification: Verification, after: int = 0) -> Iterator[Row]:
    """Yield the texts of the events after a position of a verified log, as rows. Nothing is read before the
    first one is asked for.

    Raises Rejected (ALTERED_ANNEX) for a text that does not open its own commitment.
    """
    lines = verification.source.texts(after, verification.head.size) or ()
    yield from rows_between(lines, after + 1, verification.head.size)


def rows_between(lines: Iterable[bytes], first: int, last: int) -> Iterator[Row]:
    """Yield the texts of the events `first` to `last`, as rows. Raises as `annex_rows`."""
    for annex in lines_between(lines, first, last):
        if annex.text is not None:
            yield _row(annex, annex.text)


def _row(annex: AnnexLine, text: str) -> Row:
    """Return the row of a text. Raises Rejected if it does not open its commitment."""
    if not opens_commitment(annex, annex.commitment):
        raise Rejected(
            "ALTERED_ANNEX",
            f"the text {annex.field} of position {annex.position} does not open its commitment",
        )
    salt = bytes.fromhex(annex.salt or "")
    digest = bytes.fromhex(annex.commitment.removeprefix(f"{SCHEME}:"))
    return digest, int(annex.position), annex.field, salt, text
