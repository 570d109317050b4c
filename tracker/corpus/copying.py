"""The copy of the shipped log into a database."""

from collections.abc import Callable

from tracker.audit.bundle.packed import PackedLog
from tracker.audit.bundle.restore import append_tail
from tracker.audit.format.frontier import TileFrontier, root_of_leaves
from tracker.audit.verify.database_source import DatabaseSource
from tracker.audit.verify.rows import DerivedRows, begin_tail
from tracker.log.durability import head
from tracker.log.entry_hash import leaf_hash
from tracker.postgres.database import Connection, Pool


async def copy_shipped_log(
    connection: Connection,
    pool: Pool,
    log: PackedLog,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Copy the shipped events that a database lacks, and return their number.

    A database with other events gets none, because positions would differ. The copied log is verified
    against its checkpoint before anything is stored. It has no signature of the release: the database signs
    the same root under its own name. Raises Rejected for an altered log, and InvalidInput (LOG_GREW).
    """
    entries, size = await log.all_entries(), await head(connection)
    if size >= len(entries):
        return 0
    rows = DerivedRows(DatabaseSource(pool), TileFrontier())
    await rows.extend(size)
    beginning = root_of_leaves([leaf_hash(entry) for entry in entries[:size]])
    if rows.head("").checkpoint.root != beginning:
        return 0
    tail = await begin_tail(
        rows, log, await log.trust(), allow_missing_texts=False, allow_missing_snapshots=True
    )
    await append_tail(connection, rows, tail, progress, with_heads=False)
    return len(entries) - size
