"""Snapshots of a database for `Verification`: only their bytes are used."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

from tracker.audit.verify.database_source import SQL
from tracker.errors import Unavailable
from tracker.postgres.database import Pool
from tracker.snapshots.directory import SnapshotDirectory, relative_path

READ_TIMEOUT_SECONDS = 60.0
"""Timeout in seconds of reading a snapshot from the database."""


class DatabaseSnapshots:
    """Reads snapshots for a thread that checks them, with the pool of the loop in which it was created."""

    def __init__(self, pool: Pool, directory: Path | None = None):
        self._pool = pool
        self._directory = None if directory is None else SnapshotDirectory(directory)
        self._loop = asyncio.get_running_loop()

    def read(self, sha256: str) -> Iterator[bytes] | None:
        """Return the bytes of a snapshot; None if there are none. Do not call it in the thread of the
        loop.

        Raises Unavailable: SNAPSHOT_FILE if no setting names their directory, SNAPSHOT_TIMEOUT if the
        database is too slow.
        """
        row = asyncio.run_coroutine_threadsafe(self._row(sha256), self._loop)
        try:
            content, in_directory = row.result(READ_TIMEOUT_SECONDS)
        except TimeoutError:
            row.cancel()
            raise Unavailable(
                f"the database did not give snapshot {sha256} within {READ_TIMEOUT_SECONDS:g} s",
                code="SNAPSHOT_TIMEOUT",
            ) from None
        if content is not None or not in_directory:
            return None if content is None else iter((content,))
        if self._directory is None:
            raise Unavailable(
                f"snapshot {sha256} is in a directory, which TRACKER_SNAPSHOTS does not name here; leave"
                " snapshots out with --no-snapshots",
                code="SNAPSHOT_FILE",
            )
        if not (self._directory.path / relative_path(sha256)).exists():
            return None
        return self._directory.chunks(sha256)

    async def _row(self, sha256: str) -> tuple[bytes | None, bool]:
        row = await self._pool.fetchrow(SQL.snapshot, bytes.fromhex(sha256))
        return (row["content"], row["in_directory"]) if row else (None, False)
