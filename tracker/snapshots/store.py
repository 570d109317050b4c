"""The store of snapshots: in the database or, by a setting, in a directory that the database leads to.

A row of the database says of every snapshot that it was kept. The bytes go by a redaction, in the
transaction that records it (migrations/0023_watch.sql). A file goes after that transaction: by whoever
reads it or stores it again, and of all that are left by `remove_redacted_files`, as at a start.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import msgspec

from tracker.errors import Rejected, TooLarge, Unavailable
from tracker.postgres.database import Pool, named_queries
from tracker.snapshots.digest import MAX_SNAPSHOT_BYTES, digest_bytes, sha256_of
from tracker.snapshots.directory import CHUNK_BYTES, SnapshotDirectory

SQL = named_queries(Path(__file__).with_name("store.sql"))
MAX_MEDIA_TYPE_CHARACTERS = 200
PAGE_SNAPSHOTS = 100
STORE_TIMEOUT_SECONDS = 60
"""Seconds that the database may take for the bytes of a snapshot."""
logger = logging.getLogger(__name__)
NEWEST = datetime.max.replace(tzinfo=UTC), "f" * 64
"""The place before the first page of a list."""


class SnapshotRedaction(msgspec.Struct, frozen=True):
    """Why the bytes of a snapshot are gone; `position` is that of the event that says so."""

    position: int
    reason: str
    on: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class SnapshotInfo:
    """A snapshot without its bytes. `sha256` has 64 hexadecimal digits, `media_type` is as its publisher
    declared it. `size` in bytes is unknown of one that was redacted where it never was.

    `place` says where the bytes are: in the `database`, in a `directory`, or None for one that is gone.
    """

    sha256: str
    size: int | None
    media_type: str | None
    stored_at: datetime
    place: str | None
    redaction: SnapshotRedaction | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot with its bytes; they are None where they were redacted."""

    info: SnapshotInfo
    content: bytes | None


class SnapshotStore:
    """Keeps and gives snapshots. Reading needs the role `tracker_api`, storing `tracker_watcher`."""

    def __init__(self, pool: Pool, directory: Path | None = None):
        self._pool = pool
        self._directory = None if directory is None else SnapshotDirectory(directory)

    async def put(self, content: bytes, media_type: str | None = None) -> str:
        """Keep bytes, and return their SHA-256 once they are durable. The same bytes again change nothing;
        those that were redacted are not kept.

        A crash leaves them kept, or not, never in part. Raises TooLarge and Unavailable.
        """
        if len(content) > MAX_SNAPSHOT_BYTES:
            raise TooLarge(f"expected a snapshot of at most {MAX_SNAPSHOT_BYTES:,} bytes")
        sha256 = await asyncio.to_thread(sha256_of, content)
        info = await self.describe(sha256)
        if await self._lacks(info):
            await self._store(sha256, content, media_type, known=info is not None)
        return sha256

    async def lacks(self, sha256: str) -> bool:
        """Whether the bytes of a snapshot are not here, or others, and not redacted. Raises InvalidInput."""
        return await self._lacks(await self.describe(sha256))

    async def get(self, sha256: str) -> Snapshot | None:
        """A snapshot with its bytes, or why they are gone; None for one that was never kept.

        Raises Rejected (ALTERED_SNAPSHOT), Unavailable (SNAPSHOT_FILE) where the file is not there, and
        InvalidInput.
        """
        info = await self.describe(sha256)
        if info is None:
            return None
        if info.redaction:
            return Snapshot(info, None)
        return Snapshot(info, b"".join([chunk async for chunk in self.chunks(info)]))

    async def describe(self, sha256: str) -> SnapshotInfo | None:
        """A snapshot without its bytes; None for one that was never kept. Raises InvalidInput."""
        return (await self.describe_all([sha256])).get(sha256)

    async def describe_all(self, digests: Collection[str]) -> dict[str, SnapshotInfo]:
        """Some snapshots without their bytes, those that were kept, by SHA-256. Raises InvalidInput."""
        rows = await self._pool.fetch(SQL.describe, [digest_bytes(each) for each in digests])
        found = {info.sha256: info for info in map(_info, rows)}
        await self._remove_files(info.sha256 for info in found.values() if info.redaction)
        return found

    async def page(
        self, before: tuple[datetime, str] = NEWEST, first: int = PAGE_SNAPSHOTS
    ) -> list[SnapshotInfo]:
        """A page of all snapshots, those that were kept last first: those before a place, which is
        `stored_at` and `sha256` of the last one of the page before. Raises InvalidInput."""
        rows = await self._pool.fetch(SQL.page, before[0], digest_bytes(before[1]), first)
        return [_info(row) for row in rows]

    async def chunks(self, info: SnapshotInfo) -> AsyncIterator[bytes]:
        """The bytes of a snapshot, in pieces of at most `CHUNK_BYTES`.

        The last piece comes only where all of them have the hash. Raises as `get`, and Unavailable
        (SNAPSHOT_GONE) where a redaction comes in between.
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
                f"the bytes of snapshot {info.sha256} are not those that were kept",
            )
        if held:
            yield held

    async def redacted(self) -> list[str]:
        """The SHA-256 of all snapshots whose bytes are gone."""
        return [row["sha256"].hex() for row in await self._pool.fetch(SQL.redacted)]

    async def remove_redacted_file(self, sha256: str) -> None:
        """Remove the file of a snapshot whose redaction was just recorded. Where the system refuses, that is
        logged, and whoever reads next tries again."""
        try:
            await self.describe(sha256)
        except Unavailable as error:
            logger.warning("a redacted snapshot is still there: %s", error)

    async def remove_redacted_files(self) -> None:
        """Remove the files of all redacted snapshots, and what crashes left; at a start, and after a
        redaction. Raises Unavailable."""
        if self._directory:
            await asyncio.to_thread(self._directory.remove_old_parts)
            await self._remove_files(await self.redacted())

    async def _store(
        self, sha256: str, content: bytes, media_type: str | None, *, known: bool
    ) -> None:
        """Keep bytes, of which there is no row, or one whose file is not here."""
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
            await self.describe(sha256)  # which removes the file where a redaction was faster

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
    """What is needed of the event that redacts a snapshot."""

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
    said = msgspec.json.decode(entry, type=_SnapshotRedaction)
    return SnapshotRedaction(int(said.position), said.data.reason, said.data.on, said.data.by)
