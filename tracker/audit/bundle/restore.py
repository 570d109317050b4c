"""Restore: the log of a database from a bundle, verified on the way; all of it or nothing.

Positions, times and entries are those of the bundle, byte for byte, and so is the root. The tiles
and checkpoints come along, so that the publisher goes on where the bundle ends, and so do the texts
that entries commit to. It refuses what a verification refuses, since it is one.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter

from tracker.audit.bundle.annexes import restore_annexes
from tracker.audit.format.frontier import root_over
from tracker.audit.verify.database_source import COLUMNS, SQL
from tracker.audit.verify.trust import Head
from tracker.audit.verify.verifier import Page, Verification
from tracker.errors import InvalidInput
from tracker.postgres.database import OWNER, Connection

PAGES = 32
"""Pages of 256 events that are copied at a time."""

_columns = attrgetter(*COLUMNS, "entry")


async def restore(
    connection: Connection, verification: Verification,
    progress: Callable[[int], None] = lambda _: None,
) -> Head:
    """Fill an empty log with all that a verification goes over, in one transaction.

    `progress` gets the positions that are reached. Returns the head that the log has now. A crash
    leaves the log empty. Raises InvalidInput (NOT_EMPTY), and Rejected; then nothing is restored.
    """
    async with connection.transaction():
        await connection.execute(f"SET LOCAL ROLE {OWNER}")
        await connection.execute(SQL.lock)
        if await connection.fetchval(SQL.used):
            raise InvalidInput("expected an empty log: a restored one can't be mixed with another",
                               code="NOT_EMPTY")
        await _fill(connection, verification, progress)
        await restore_annexes(connection, verification)
        await connection.execute("ANALYZE log.events, log.tiles, log.checkpoints")
        await connection.execute(SQL.notify, str(verification.head.size))
    return verification.head


async def _fill(
    connection: Connection, verification: Verification, progress: Callable[[int], None]
) -> None:
    pages, last = list[Page](), -1
    async for page in verification.pages():
        pages.append(page)
        last = max([last, *(head.size for head in page.heads)])
        if len(pages) == PAGES:
            await _copy(connection, pages)
            pages.clear()
        progress(page.events[-1].position)
    await _copy(connection, pages)
    if last < verification.head.size:  # a bundle has its head among the kept ones, others may not
        await _copy_heads(connection, [verification.head])


async def _copy(connection: Connection, pages: list[Page]) -> None:
    """Copy the events of pages, the tiles that they complete, and the heads on the way."""
    await connection.copy_records_to_table(
        "events", schema_name="log", columns=[*COLUMNS, "entry"],
        records=[_columns(event) for page in pages for event in page.events])
    await connection.copy_records_to_table(
        "tiles", schema_name="log", columns=["level", "number", "hashes", "root"],
        records=[(tile.level, tile.number, b"".join(hashes), root_over(hashes))
                 for page in pages for tile, hashes in page.filled])
    await _copy_heads(connection, [head for page in pages for head in page.heads])


async def _copy_heads(connection: Connection, heads: list[Head]) -> None:
    await connection.copy_records_to_table(
        "checkpoints", schema_name="log", columns=["size", "root", "note"],
        records=[(head.size, head.checkpoint.root, head.note.decode()) for head in heads])
