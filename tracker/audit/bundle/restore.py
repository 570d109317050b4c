"""Restore: the log of a database, or its missing tail, from a bundle, verified on the way; all of it or
nothing.

Positions, times and entries are those of the bundle, byte for byte, and so is the root. The tiles
and checkpoints come along, so that the publisher goes on where the bundle ends, and so do the texts
that entries commit to, and the bytes that events name. It refuses what a verification refuses, since
it is one.

What is verified goes into temporary tables first. The log is locked only while it is filled from
them, within PostgreSQL: nothing of a bundle is sent under the lock, where whoever is stopped in the
midst of it would keep all others waiting (see `SILENCE_TIMEOUT_SECONDS`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import islice
from operator import attrgetter
from pathlib import Path

from tracker.audit.bundle.annexes import annex_rows
from tracker.audit.bundle.snapshots import put_back
from tracker.audit.format.frontier import FullTile, root_over
from tracker.audit.verify.database_source import COLUMNS
from tracker.audit.verify.rows import DerivedRows, explain_fork
from tracker.audit.verify.trust import TrustedCheckpoint
from tracker.audit.verify.verifier import Verification, VerifiedPage
from tracker.errors import InvalidInput, Rejected
from tracker.postgres.database import OWNER, Connection, named_queries
from tracker.snapshots.named import NamedSnapshot, add_named
from tracker.snapshots.store import SnapshotStore

SQL = named_queries(Path(__file__).with_name("restore.sql"))
BATCH_PAGES = 32
"""Pages of 256 events that are copied at a time."""

BATCH_TEXTS = 5000
"""Texts that are copied at a time."""

_columns = attrgetter(*COLUMNS, "entry")


async def restore(
    connection: Connection,
    verification: Verification,
    progress: Callable[[int], None] = lambda _: None,
    snapshots: SnapshotStore | None = None,
) -> TrustedCheckpoint:
    """Fill an empty log with all that a verification goes over, in one transaction.

    `progress` gets the positions that are verified, `snapshots` the bytes that events name. Returns the
    head that the log has now. A crash leaves the log empty. Raises InvalidInput (NOT_EMPTY), also when
    somebody records something meanwhile, and Rejected; then nothing is restored. The connection can't
    restore again.
    """
    await _check_empty(connection)
    await connection.execute(SQL.stage)
    named = await _stage(connection, verification, progress)
    await _put_snapshots(verification, named, snapshots)
    async with connection.transaction():
        await connection.execute(f"SET LOCAL ROLE {OWNER}")
        await connection.execute(SQL.lock)
        await _check_empty(connection)
        await _fill(connection)
        await connection.execute(SQL.notify, str(verification.head.size))
    return verification.head


async def append_tail(
    connection: Connection,
    rows: DerivedRows,
    tail: Verification,
    progress: Callable[[int], None] = lambda _: None,
    snapshots: SnapshotStore | None = None,
) -> TrustedCheckpoint:
    """Append to a log what another has beyond its rows, in one transaction: same positions, same times,
    same root. Make `tail` by `begin_tail`.

    `progress` gets the positions that are verified, `snapshots` the bytes that events name. Returns the
    head that the log has now. A crash leaves the log as it was. Raises InvalidInput (LOG_GREW) where
    somebody records something meanwhile, and Rejected; then nothing is appended. The connection can't
    restore again.
    """
    await connection.execute(SQL.stage)
    try:
        named = await _stage(connection, tail, progress, rows.size)
    except Rejected as error:
        raise await explain_fork(error, rows, tail.source, tail.head.size) from None
    await _put_snapshots(tail, named, snapshots)
    await _copy_tiles(connection, rows.full_tiles)
    async with connection.transaction():
        await connection.execute(f"SET LOCAL ROLE {OWNER}")
        await connection.execute(SQL.lock)
        if (end := await connection.fetchval(SQL.end)) != rows.size:
            raise InvalidInput(
                f"the log had {rows.size} events and now has {end}: stop what records into it",
                code="LOG_GREW",
            )
        await _fill(connection)
        await connection.execute(SQL.notify, str(tail.head.size))
    return tail.head


async def _check_empty(connection: Connection) -> None:
    if await connection.fetchval(SQL.used):
        raise InvalidInput(
            "expected an empty log: a restored one can't be mixed with another", code="NOT_EMPTY"
        )


async def _fill(connection: Connection) -> None:
    """Put what is staged into the log, in the caller's transaction."""
    await connection.execute(SQL.fill)


async def _stage(
    connection: Connection,
    verification: Verification,
    progress: Callable[[int], None],
    after: int = 0,
) -> list[NamedSnapshot]:
    """Stage what a verification goes over, of the events those after a position; returns the snapshots
    that these name."""
    pages, last, named = list[VerifiedPage](), -1, dict[str, NamedSnapshot]()
    async for page in verification.pages():
        pages.append(page)
        add_named(named, page.events, after)
        last = max([last, *(head.size for head in page.heads)])
        if len(pages) == BATCH_PAGES:
            await _copy(connection, pages, after)
            pages.clear()
        progress(page.events[-1].position)
    await _copy(connection, pages, after)
    if last < verification.head.size:  # a bundle has its head among the kept ones, others may not
        await _copy_heads(connection, [verification.head])
    rows = annex_rows(verification, after)
    while some := await asyncio.to_thread(lambda: list(islice(rows, BATCH_TEXTS))):
        await connection.copy_records_to_table(
            "staged_annexes",
            columns=["commitment", "position", "field", "salt", "text"],
            records=some,
        )
    return list(named.values())


async def _put_snapshots(
    verification: Verification, named: list[NamedSnapshot], store: SnapshotStore | None
) -> None:
    """Put the snapshots into a store before the log has the events that name them: a crash leaves some
    that the next restore finds there."""
    if store:
        gone = verification.snapshots.gone if verification.snapshots else ()
        await put_back(verification.source, [one for one in named if one.sha256 not in gone], store)


async def _copy(connection: Connection, pages: list[VerifiedPage], after: int) -> None:
    """Copy the events of pages, the tiles that they complete, and the heads on the way."""
    await connection.copy_records_to_table(
        "staged_events",
        columns=[*COLUMNS, "entry"],
        records=[
            _columns(event) for page in pages for event in page.events if event.position > after
        ],
    )
    await _copy_tiles(connection, [tile for page in pages for tile in page.full_tiles])
    await _copy_heads(connection, [head for page in pages for head in page.heads if head.note])


async def _copy_tiles(connection: Connection, tiles: list[FullTile]) -> None:
    await connection.copy_records_to_table(
        "staged_tiles",
        columns=["level", "number", "hashes", "root"],
        records=[
            (tile.level, tile.number, b"".join(hashes), root_over(hashes)) for tile, hashes in tiles
        ],
    )


async def _copy_heads(connection: Connection, heads: list[TrustedCheckpoint]) -> None:
    await connection.copy_records_to_table(
        "staged_checkpoints",
        columns=["size", "root", "note"],
        records=[(head.size, head.checkpoint.root, head.note.decode()) for head in heads],
    )
