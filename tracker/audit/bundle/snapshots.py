"""The snapshots of a log in its bundle: the bytes that events name by their SHA-256.

Each is a separate file, which a later export does not change; a redacted one is removed. The file
`snapshots/until` has the event up to which they were exported. So an export without snapshots, which may be
many times larger than the log, can be followed by one that adds them. The file is not signed.
"""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

from tracker.audit.bundle.files import report_path
from tracker.audit.format.bounded_files import check_writable, read_file
from tracker.audit.format.layout import SNAPSHOTS
from tracker.audit.verify.log_source import LogSource
from tracker.errors import Rejected, Unavailable
from tracker.log.entries import RecordedEvent
from tracker.snapshots.digest import sha256_of
from tracker.snapshots.directory import relative_path
from tracker.snapshots.named import NamedSnapshot, named_snapshots, redacted_snapshot
from tracker.snapshots.store import SnapshotStore

UNTIL = f"{SNAPSHOTS}/until"
MAX_POSITION_DIGITS = 20
PARTIAL_NAME = ".snapshot.part"
"""The file being written; after a crash the next export overwrites it."""
OpenSnapshot: TypeAlias = Callable[[str], Awaitable[AsyncIterator[bytes] | None]]
"""Opens a snapshot by its SHA-256; returns None if its bytes are missing."""


class SnapshotExporter:
    """Writes the snapshots that events name into a bundle, and removes redacted ones.

    Without `open_snapshot` it writes none. `redacted` are further redacted ones, `missing` has the
    unavailable ones with the reason.
    """

    def __init__(
        self, directory: Path, open_snapshot: OpenSnapshot | None, redacted: Iterable[str] = ()
    ):
        self.missing = dict[str, str]()
        self.written = 0
        self.writes = open_snapshot is not None
        self._directory = directory
        self._open = open_snapshot
        self._redacted = set(redacted)

    def until(self) -> int | None:
        """Return the position from which events must be read; None for new ones only."""
        if self._open is None:
            return None
        content = read_file(self._directory, UNTIL, MAX_POSITION_DIGITS) or b""
        return int(content) if content.isdigit() else 0

    async def write(self, events: Iterable[RecordedEvent]) -> None:
        """Write the available snapshots that some events name.

        Raises InvalidInput if the directory cannot be written, and Rejected (NOT_A_FILE) if a path leads
        elsewhere.
        """
        for event in events:
            if gone := redacted_snapshot(event.fact):
                self._redacted.add(gone)
                self.missing.pop(gone, None)
            if self._open:
                for named in named_snapshots(event.fact):
                    await self._write(named, self._open)

    def remove_redacted(self) -> None:
        """Remove the snapshots that the events redact, and others that are redacted."""
        for sha256 in self._redacted:
            with report_path(self._path(sha256)) as path:
                path.unlink(missing_ok=True)

    async def _write(self, named: NamedSnapshot, open_snapshot: OpenSnapshot) -> None:
        sha256 = named.sha256
        if sha256 in self._redacted or sha256 in self.missing or self._is_there(named):
            return
        for name in (f"{SNAPSHOTS}/{relative_path(sha256)}", PARTIAL_NAME):
            check_writable(self._directory, name)
        try:
            chunks = await open_snapshot(sha256)
            if chunks is None:
                self.missing[sha256] = "it is not there"
            else:
                await self._copy(sha256, chunks)
                self.written += 1
        except (Rejected, Unavailable) as error:
            self.missing[sha256] = error.message

    async def _copy(self, sha256: str, chunks: AsyncIterator[bytes]) -> None:
        hashed, part = hashlib.sha256(), self._directory / PARTIAL_NAME
        with report_path(self._path(sha256)) as target:
            target.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                async for chunk in chunks:
                    hashed.update(chunk)
                    file.write(chunk)
            if hashed.hexdigest() != sha256:
                raise Rejected("ALTERED_SNAPSHOT", f"snapshot {sha256} is not what was fetched")
            part.replace(target)

    def _is_there(self, named: NamedSnapshot) -> bool:
        try:
            status = os.lstat(self._path(named.sha256))
        except FileNotFoundError:
            return False
        return named.size in (None, status.st_size)

    def _path(self, sha256: str) -> Path:
        return self._directory / SNAPSHOTS / relative_path(sha256)


def from_store(store: SnapshotStore) -> OpenSnapshot:
    """Return a function that opens the snapshots of a tracker."""

    async def open_snapshot(sha256: str) -> AsyncIterator[bytes] | None:
        info = await store.describe(sha256)
        return None if info is None or info.redaction else store.chunks(info)

    return open_snapshot


def from_log(log: LogSource) -> OpenSnapshot:
    """Return a function that opens the snapshots of another bundle, or of a tracker by its address."""

    async def open_snapshot(sha256: str) -> AsyncIterator[bytes] | None:
        chunks = await asyncio.to_thread(log.snapshot, sha256)
        return None if chunks is None else _each(chunks)

    return open_snapshot


async def put_back(log: LogSource, named: Iterable[NamedSnapshot], store: SnapshotStore) -> int:
    """Store the missing ones of the snapshots of a log, without redacted ones, and return their number.

    Raises Rejected (ALTERED_SNAPSHOT) for one whose bytes do not match its name.
    """
    count = 0
    for snapshot in named:
        if not await store.lacks(snapshot.sha256):
            continue
        content = await asyncio.to_thread(_content, log, snapshot.sha256)
        if content is not None:
            if sha256_of(content) != snapshot.sha256:
                raise Rejected(
                    "ALTERED_SNAPSHOT", f"snapshot {snapshot.sha256} is not what was fetched"
                )
            await store.put(content, snapshot.media_type)
            count += 1
    return count


def _content(log: LogSource, sha256: str) -> bytes | None:
    chunks = log.snapshot(sha256)
    return None if chunks is None else b"".join(chunks)


async def _each(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
