"""The annexes of a log beside its bundle: the texts that entries commit to by salted hashes.

The file `annexes` has a JSON line for each. It is written anew with every export, since a text that
has been redacted must go from it. A bundle without it verifies and replays all the same: what is
signed are the commitments.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from tracker.audit.export import naming
from tracker.audit.opening import opens
from tracker.audit.rows import SQL
from tracker.audit.texts import read
from tracker.domain.annex import SCHEME
from tracker.errors import Rejected
from tracker.log.annexes import Annexes, Line, line
from tracker.log.database import OWNER, Connection

ANNEXES = "annexes"
BATCH = 10_000

Row = tuple[bytes, int, str, bytes, str]


async def export_annexes(annexes: Annexes, size: int, directory: Path) -> None:
    """Write the annexes of the first `size` events, in the place of an older file."""
    with naming(directory / ANNEXES) as path:
        part = directory / f".{ANNEXES}.part"
        with part.open("wb") as file:
            async for page in annexes.after(0, size):
                file.writelines(map(line, page))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)


async def restore_annexes(connection: Connection, size: int, directory: Path) -> int:
    """Put the texts of a bundle beside its restored events, except those that the log redacts.

    Returns how many there were. Raises Rejected (ALTERED_ANNEX) for one that does not open its own
    commitment, or is of no event of the log; then none is put there.
    """
    count = 0
    with naming(directory / ANNEXES) as path:
        if not path.exists():
            return 0
        async with connection.transaction():
            await connection.execute(f"SET LOCAL ROLE {OWNER}")
            with path.open("rb") as file:
                rows = _rows(file, size)
                while batch := list(islice(rows, BATCH)):
                    await connection.execute(SQL.add_annexes, *map(list, zip(*batch, strict=True)))
                    count += len(batch)
    return count


def _rows(lines: Iterable[bytes], size: int) -> Iterator[Row]:
    """The texts that are there."""
    for number, annex in enumerate(read(lines), 1):
        if annex.text is None:
            continue
        row = _row(annex, annex.text, size)
        if row is None:
            raise Rejected("ALTERED_ANNEX", f"line {number} of {ANNEXES} is no text that opens its"
                           " commitment")
        yield row


def _row(annex: Line, text: str, size: int) -> Row | None:
    """The row of a text, if it is of an event and opens its commitment."""
    position = int(annex.position)
    if not 0 < position <= size or not opens(annex, annex.commitment):
        return None
    salt = bytes.fromhex(annex.salt or "")
    digest = bytes.fromhex(annex.commitment.removeprefix(f"{SCHEME}:"))
    return digest, position, annex.field, salt, text
