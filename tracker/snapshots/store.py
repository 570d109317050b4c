"""The store of snapshots: in the database or, if configured, in a directory to which the database refers.

The database has a row for every stored snapshot. A redaction removes the bytes in the transaction that
records it (migrations/0023_watch.sql). A file is removed after that transaction: at the next read or write of
the snapshot, or by `remove_redacted_files`, for example at a start.
"""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Collection, Iterable
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import msgspec
from msgspec import Struct

from tracker.errors import Rejected, TooLarge, Unavailable
from tracker.postgres.database import Pool, named_queries
from tracker.snapshots.digest import MAX_SNAPSHOT_BYTES, digest_bytes, sha256_of
from tracker.snapshots.directory import CHUNK_BYTES, SnapshotDirectory

SQL = named_queries(Path(__file__).with_name("store.sql"))
MAX_MEDIA_TYPE_CHARACTERS = 200
PAGE_SNAPSHOTS = 100
STORE_TIMEOUT_SECONDS = 60
"""Timeout in seconds of reading a snapshot from the database."""
logger = logging.getLogger(__name__)
NEWEST = datetime.max.replace(tzinfo=UTC), "f" * 64
"""The place before the first page of a list."""


class SnapshotRedaction(msgspec.Struct, frozen=True):
    """The reason why the bytes of a snapshot were removed; `position` is that of the redaction."""

    position: int
    reason: str
    on: str | None = None
    by: str | None = None


class SnapshotInfo(Struct, frozen=True):
    """A snapshot without its bytes. `sha256` has 64 hexadecimal digits, `media_type` is as declared by its
    publisher.

    `size` in bytes is unknown for a snapshot that was redacted before it was stored. `place` is the place of
    the bytes: the `database`, a `directory`, or None if they were removed.
    """

    sha256: str
    size: int | None
    media_type: str | None
    stored_at: datetime
    place: str | None
    redaction: SnapshotRedaction | None = None


class Snapshot(Struct, frozen=True):
    """A snapshot with its bytes; these are None if they were redacted."""

    info: SnapshotInfo
    content: bytes | None


class SnapshotStore:
    """Stores and returns snapshots. Reading needs the role `tracker_api`, storing `tracker_watcher`."""

    def __init__(self, pool: Pool, directory: Path | None = None):
        self._pool = pool
        self._directory = None if directory is None else SnapshotDirectory(directory)

    async def put(self, content: bytes, media_type: str | None = None) -> str:
        """Store bytes, and return their SHA-256 once they are durable.

        Storing the same bytes again changes nothing, and redacted ones are not stored. A crash leaves them
        stored completely or not at all. Raises TooLarge and Unavailable.
        """
        if len(content) > MAX_SNAPSHOT_BYTES:
            raise TooLarge(f"expected a snapshot of at most {MAX_SNAPSHOT_BYTES:,} bytes")
        sha256 = await asyncio.to_thread(sha256_of, content)
        info = await self.describe(sha256)
        if await self._lacks(info):
            await self._store(sha256, content, media_type, known=info is not None)
        return sha256

    async def lacks(self, sha256: str) -> bool:
        """Return whether the bytes of a snapshot are missing or wrong, and not redacted. Raises
        InvalidInput."""
        return await self._lacks(await self.describe(sha256))

    async def get(self, sha256: str) -> Snapshot | None:
        """Return a snapshot with its bytes or its redaction; None for one that was never stored.

        Raises Rejected (ALTERED_SNAPSHOT), Unavailable (SNAPSHOT_FILE) if the file is missing, and
        InvalidInput.
        """
        info = await self.describe(sha256)
        if info is None:
            return None
        if info.redaction:
            return Snapshot(info, None)
        return Snapshot(info, b"".join([chunk async for chunk in self.chunks(info)]))

    async def describe(self, sha256: str) -> SnapshotInfo | None:
        """Return a snapshot without its bytes; None for one that was never stored. Raises InvalidInput."""
        return (await self.describe_all([sha256])).get(sha256)

    async def describe_all(self, digests: Collection[str]) -> dict[str, SnapshotInfo]:
        """Return the stored ones of some snapshots without their bytes, by SHA-256. Raises InvalidInput."""
        rows = await self._pool.fetch(SQL.describe, [digest_bytes(each) for each in digests])
        by_digest = {info.sha256: info for info in map(_info, rows)}
        await self._remove_files(info.sha256 for info in by_digest.values() if info.redaction)
        return by_digest

    async def page(
        self, before: tuple[datetime, str] = NEWEST, first: int = PAGE_SNAPSHOTS
    ) -> list[SnapshotInfo]:
        """Return a page of all snapshots, newest first: those before a place.

        The place is `stored_at` and `sha256` of the last one of the previous page. Raises InvalidInput.
        """
        rows = await self._pool.fetch(SQL.page, before[0], digest_bytes(before[1]), first)
        return [_info(row) for row in rows]

    async def chunks(self, info: SnapshotInfo) -> AsyncIterator[bytes]:
        """Yield the bytes of a snapshot, in pieces of at most `CHUNK_BYTES`.

        The last piece is yielded only if all pieces together have the hash. Raises as `get`, and Unavailable
        (SNAPSHOT_GONE) after a concurrent redaction.
        """
        hashed, held = hashlib.sha256(), b""
        async for chunk in self._read(info):
            hashed.update(chunk)
            if held:
                yield held
            held = chunk
        if hashed.hexdigest() != info.sha256:
            raise Rejected(
                "ALTERED_SNAPSHOT",
                f"the bytes of snapshot {info.sha256} differ from the stored ones",
            )
        if held:
            yield held

    async def redacted(self) -> list[str]:
        """Return the SHA-256 of all redacted snapshots."""
        return [row["sha256"].hex() for row in await self._pool.fetch(SQL.redacted)]

    async def remove_redacted_file(self, sha256: str) -> None:
        """Remove the file of a snapshot whose redaction was just recorded.

        If the system refuses, the error is logged, and the next read tries again.
        """
        try:
            await self.describe(sha256)
        except Unavailable as error:
            logger.warning("a redacted snapshot is still there: %s", error)

    async def remove_redacted_files(self) -> None:
        """Remove the files of all redacted snapshots, and part files left by crashes.

        It runs at a start, and after a redaction. Raises Unavailable.
        """
        if self._directory:
            await asyncio.to_thread(self._directory.remove_old_parts)
            await self._remove_files(await self.redacted())

    async def _store(
        self, sha256: str, content: bytes, media_type: str | None, *, known: bool
    ) -> None:
        """Store bytes without a row, or whose file is missing here."""
        digest, stored = digest_bytes(sha256), None if self._directory else content
        if self._directory:
            await asyncio.to_thread(self._directory.write, sha256, content)
        if not known:
            declared = media_type and media_type.replace("\0", "")[:MAX_MEDIA_TYPE_CHARACTERS]
            row = digest, len(content), declared, stored
            await self._pool.execute(SQL.insert, *row, timeout=STORE_TIMEOUT_SECONDS)
        elif stored is not None:
            await self._pool.execute(SQL.take_in, digest, stored, timeout=STORE_TIMEOUT_SECONDS)
        if self._directory:
            await self.describe(sha256)  # which removes the file if a redaction was faster

    async def _lacks(self, info: SnapshotInfo | None) -> bool:
        if info is None or info.place != "directory":
            return info is None
        return self._directory is None or not await asyncio.to_thread(
            self._directory.holds, info.sha256
        )

    async def _read(self, info: SnapshotInfo) -> AsyncIterator[bytes]:
        if info.place == "directory":
            if self._directory is None:
                raise Unavailable(
                    f"snapshot {info.sha256} is in a directory, which TRACKER_SNAPSHOTS does not name here",
                    code="SNAPSHOT_FILE",
                )
            chunks = self._directory.chunks(info.sha256)
            while chunk := await asyncio.to_thread(next, chunks, b""):
                yield chunk
            return
        digest = digest_bytes(info.sha256)
        for offset in range(0, info.size or 0, CHUNK_BYTES):
            chunk = await self._pool.fetchval(SQL.part, digest, offset, CHUNK_BYTES)
            if chunk is None:
                raise Unavailable(f"snapshot {info.sha256} is gone", code="SNAPSHOT_GONE")
            yield chunk

    async def _remove_files(self, digests: Iterable[str]) -> None:
        for sha256 in digests:
            if self._directory:
                await asyncio.to_thread(self._directory.remove, sha256)


class _SnapshotRedactionData(msgspec.Struct):
    reason: str
    on: str | None = None
    by: str | None = None


class _SnapshotRedaction(msgspec.Struct):
    """The fields of the redaction of a snapshot that are needed here."""

    position: str
    data: _SnapshotRedactionData


def _info(row: asyncpg.Record) -> SnapshotInfo:
    redaction = None if row["redaction"] is None else _redaction(row["redaction"])
    place = "database" if row["in_database"] else "directory"
    return SnapshotInfo(
        row["sha256"].hex(),
        row["size"],
        row["media_type"],
        row["stored_at"],
        None if redaction else place,
        redaction,
    )


def _redaction(entry: bytes) -> SnapshotRedaction:
    redaction = msgspec.json.decode(entry, type=_SnapshotRedaction)
    return SnapshotRedaction(
        int(redaction.position), redaction.data.reason, redaction.data.on, redaction.data.by
    )
