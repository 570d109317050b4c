"""Restore of a log, or of its missing tail, from a bundle: verified, and all or nothing.

Positions, times and entries are those of the bundle, byte for byte, and so is the root. The tiles and
checkpoints are restored too, so that the publisher continues at the end of the bundle. So are the texts that
entries commit to, and the bytes that events name. A restore is a verification and refuses the same faults.

Verified data are first written to temporary tables. The log is locked only while it is filled from these
within PostgreSQL. No data of a bundle are sent under the lock, where a stopped client would block all others
(see `SILENCE_TIMEOUT_SECONDS`).
"""

import asyncio
from collections.abc import Callable, Sequence
from itertools import islice
from operator import attrgetter
from pathlib import Path

from tracker.audit.bundle.annexes import Row, annex_rows
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
"""Number of pages of 256 events copied at a time."""

BATCH_TEXTS = 5000
"""Number of texts copied at a time."""

_columns = attrgetter(*COLUMNS, "entry")


async def restore(
    connection: Connection,
    verification: Verification,
    progress: Callable[[int], None] = lambda _: None,
    snapshots: SnapshotStore | None = None,
) -> TrustedCheckpoint:
    """Fill an empty log with the verified events in one transaction.

    `progress` gets the verified positions, `snapshots` stores the bytes that events name. Returns the new
    head of the log. A crash leaves the log empty.

    Raises InvalidInput (NOT_EMPTY), also if events are recorded meanwhile, and Rejected; then nothing is
    restored. The connection cannot be used for another restore.
    """
    await _check_empty(connection)
    await connection.execute(SQL.stage)
    named = await _stage(connection, verification, progress)
    await _put_snapshots(verification, named, snapshots)
    async with connection.transaction():
        await connection.execute(f"SET LOCAL ROLE {OWNER}")
        await connection.execute(SQL.lock)
        await _check_empty(connection)
        await _fill(connection, is_empty=True)
        await connection.execute(SQL.notify, str(verification.head.size))
    await connection.execute(SQL.analyze)
    return verification.head


async def append_tail(
    connection: Connection,
    rows: DerivedRows,
    tail: Verification,
    progress: Callable[[int], None] = lambda _: None,
    snapshots: SnapshotStore | None = None,
    *,
    with_heads: bool = True,
) -> TrustedCheckpoint:
    """Append to a log the events of another one beyond its rows, in one transaction.

    Positions, times and root are those of the other log. Create `tail` with `begin_tail`. `progress` gets the
    verified positions, `snapshots` stores the bytes that events name. Without its heads, the log can have
    another name and keys of its own. Returns the new head of the log. A crash leaves the log unchanged.

    Raises InvalidInput (LOG_GREW) if events are recorded meanwhile, and Rejected; then nothing is appended.
    The connection cannot be used for another restore.
    """
    await connection.execute(SQL.stage)
    try:
        named = await _stage(connection, tail, progress, rows.size, with_heads=with_heads)
    except Rejected as error:
        raise await explain_fork(error, rows, tail.source, tail.head.size) from None
    await _put_snapshots(tail, named, snapshots)
    await _copy_tiles(connection, rows.full_tiles)
    await _append(connection, rows.size, tail.head.size)
    await connection.execute(SQL.analyze)
    return tail.head


async def append_proven(
    connection: Connection, after: int, pages: list[VerifiedPage], texts: Sequence[Row]
) -> None:
    """Append proven pages to a log of `after` events, with their texts, in one transaction.

    The connection must have the staging tables (`SQL.stage`). Raises InvalidInput (LOG_GREW).
    """
    await _copy(connection, pages, after)
    await _copy_texts(connection, texts)
    await _append(connection, after, pages[-1].events[-1].position)


async def _append(connection: Connection, after: int, size: int) -> None:
    """Copy the staged data into a log of `after` events, and notify followers of its new size."""
    async with connection.transaction():
        await connection.execute(f"SET LOCAL ROLE {OWNER}")
        await connection.execute(SQL.lock)
        if (end := await connection.fetchval(SQL.end)) != after:
            raise InvalidInput(
                f"the log had {after} events and now has {end}: stop all writers, and try again",
                code="LOG_GREW",
            )
        await _fill(connection, is_empty=after == 0)
        await connection.execute(SQL.notify, str(size))


async def _check_empty(connection: Connection) -> None:
    if await connection.fetchval(SQL.used):
        raise InvalidInput(
            "expected an empty log: a restored one can't be mixed with another", code="NOT_EMPTY"
        )


async def _fill(connection: Connection, *, is_empty: bool) -> None:
    """Copy the staged data into the log, in the caller's transaction."""
    await connection.execute(
        f"{SQL.collect_words}{SQL.fill}{SQL.index_words}" if is_empty else SQL.fill
    )


async def _stage(
    connection: Connection,
    verification: Verification,
    progress: Callable[[int], None],
    after: int = 0,
    *,
    with_heads: bool = True,
) -> list[NamedSnapshot]:
    """Stage the data of a verification, with the events after a position; return the snapshots that these
    name."""
    pages, last, named = list[VerifiedPage](), -1, dict[str, NamedSnapshot]()
    async for page in verification.pages():
        pages.append(page if with_heads else page._replace(heads=[]))
        add_named(named, page.events, after)
        last = max([last, *(head.size for head in page.heads)])
        if len(pages) == BATCH_PAGES:
            await _copy(connection, pages, after)
            pages.clear()
        progress(page.events[-1].position)
    await _copy(connection, pages, after)
    if (
        with_heads and last < verification.head.size
    ):  # other sources than bundles may lack their own
        await _copy_heads(connection, [verification.head])
    rows = annex_rows(verification, after)
    while some := await asyncio.to_thread(lambda: list(islice(rows, BATCH_TEXTS))):
        await _copy_texts(connection, some)
    return list(named.values())


async def _put_snapshots(
    verification: Verification, named: list[NamedSnapshot], store: SnapshotStore | None
) -> None:
    """Store the snapshots before the log has the events that name them.

    After a crash, the next restore uses those already stored.
    """
    if store:
        gone = verification.snapshots.gone if verification.snapshots else ()
        await put_back(verification.source, [one for one in named if one.sha256 not in gone], store)


async def _copy(connection: Connection, pages: list[VerifiedPage], after: int) -> None:
    """Copy the events of pages, the tiles that they complete, and the heads in between."""
    await connection.copy_records_to_table(
        "staged_events",
        columns=[*COLUMNS, "entry"],
        records=[
            _columns(event) for page in pages for event in page.events if event.position > after
        ],
    )
    await _copy_tiles(connection, [tile for page in pages for tile in page.full_tiles])
    await _copy_heads(connection, [head for page in pages for head in page.heads if head.note])


async def _copy_texts(connection: Connection, texts: Sequence[Row]) -> None:
    await connection.copy_records_to_table(
        "staged_annexes", columns=["commitment", "position", "field", "salt", "text"], records=texts
    )


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
