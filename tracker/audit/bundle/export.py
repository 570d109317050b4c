"""Export of a log as a bundle: a directory with all that an auditor needs.

The export verifies what it writes, starting at the last event of an existing bundle. A crash leaves that
bundle intact, with additional files that its checkpoint does not cover. Full tiles have paths of their own,
and the checkpoint is written last, when all other files are on the disk. Partial tiles remain until the full
ones exist, so readers of an older checkpoint can continue.
"""

import fcntl
import os
import shutil
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from tracker.audit.bundle.files import report_path
from tracker.audit.bundle.snapshots import UNTIL, SnapshotExporter
from tracker.audit.format.bounded_files import check_writable, read_file
from tracker.audit.format.frontier import FullTile, partial_tiles_at
from tracker.audit.format.layout import CHECKPOINT, CHECKPOINTS, encode_entries, max_bytes
from tracker.audit.format.merkle import TILE_HEIGHT, TILE_WIDTH
from tracker.audit.verify.log_source import LogSource
from tracker.audit.verify.trust import TrustedCheckpoint, TrustPolicy, parse_head
from tracker.audit.verify.verifier import Verification, VerifiedPage
from tracker.errors import InvalidInput

PARTIAL_SUFFIX = ".part"
"""Suffix of a file being written; after a crash the next export overwrites it."""


class ExportResult(Struct, frozen=True):
    """The head of the written bundle, and the number of new events in it."""

    head: TrustedCheckpoint
    new: int


async def export(
    source: LogSource,
    trust: TrustPolicy,
    directory: Path,
    extras: Mapping[str, bytes],
    progress: Callable[[int, int], None] = lambda done, size: None,
    *,
    beside: Callable[[TrustedCheckpoint], Awaitable[None]] | None = None,
    snapshots: SnapshotExporter | None = None,
    allow_missing_texts: bool = False,
    allow_missing_snapshots: bool = False,
) -> ExportResult:
    """Write the log of a source as a bundle, or add its new part to an existing bundle.

    `extras` are further files, which are not signed. `progress` gets the present position and the last one.
    `beside` may write more before the checkpoint is that of its head. `snapshots` writes the snapshots that
    events name.

    Raises Rejected if the source differs from what was signed or does not continue the bundle, Unavailable,
    and InvalidInput if the directory cannot be written.
    """
    with directory_lock(directory):
        writer = BundleWriter(directory)
        old = writer.head()
        verification = await Verification.begin(
            source,
            trust,
            old,
            only_new=True,
            since=snapshots.until() if snapshots else None,
            allow_missing_texts=allow_missing_texts,
            allow_missing_snapshots=allow_missing_snapshots,
        )
        last = None
        async for last in verification.pages():
            writer.write_page(last)
            if snapshots:
                await snapshots.write(last.events)
            progress(last.events[-1].position, verification.head.size)
        writer.write_partial_tiles(last, verification.frontier.partial_tiles())
        for path, content in extras.items():
            writer.write_file(path, content)
        if beside:
            await beside(verification.head)
        writer.finish(verification.head)
        if snapshots:
            snapshots.remove_redacted()
            if snapshots.writes and not snapshots.missing:
                writer.write_file(UNTIL, str(verification.head.size).encode())
        writer.remove_partial_tiles(old.size if old else 0, verification.head.size)
        return ExportResult(verification.head, verification.head.size - (old.size if old else 0))


class BundleWriter:
    """Writes a bundle. Every file gets its name when it is complete."""

    def __init__(self, directory: Path):
        self._directory = directory

    def head(self) -> TrustedCheckpoint | None:
        """Return the present head of the bundle; None for a new one.

        Raises Rejected (BAD_CHECKPOINT, NOT_A_FILE, BAD_LENGTH).
        """
        note = read_file(self._directory, CHECKPOINT, max_bytes(CHECKPOINT))
        name = str(self._directory / CHECKPOINT)
        return None if note is None else TrustedCheckpoint(note, parse_head(note, name)[1], ())

    def write_file(self, path: str, content: bytes) -> None:
        """Write a file, replacing an older one unless it is equal.

        Raises InvalidInput if the system refuses, and Rejected (NOT_A_FILE) if the path leads elsewhere.
        """
        for name in (path, PARTIAL_SUFFIX):
            check_writable(self._directory, name)
        with report_path(self._directory / path) as target:
            if target.is_file() and target.read_bytes() == content:
                return
            target.parent.mkdir(parents=True, exist_ok=True)
            part = self._directory / PARTIAL_SUFFIX
            part.write_bytes(content)
            part.replace(target)

    def write_page(self, page: VerifiedPage) -> None:
        """Write the files that a page completes."""
        if page.tile.width == TILE_WIDTH:
            self.write_file(f"tile/{page.tile.entries_path}", encode_entries(page.entries))
        for tile, hashes in page.full_tiles:
            self.write_file(f"tile/{tile.path}", b"".join(hashes))
        for head in page.heads:
            self.write_file(f"{CHECKPOINTS}/{head.size}", head.note)

    def write_partial_tiles(self, last: VerifiedPage | None, begun: list[FullTile]) -> None:
        """Write the tiles that are not full."""
        if last and last.tile.width < TILE_WIDTH:
            self.write_file(f"tile/{last.tile.entries_path}", encode_entries(last.entries))
        for tile, hashes in begun:
            self.write_file(f"tile/{tile.path}", b"".join(hashes))

    def finish(self, head: TrustedCheckpoint) -> None:
        """Replace the checkpoint after all other files are on the disk."""
        self.write_file(f"{CHECKPOINTS}/{head.size}", head.note)
        os.sync()
        self.write_file(CHECKPOINT, head.note)
        os.sync()

    def remove_partial_tiles(self, old: int, new: int) -> None:
        """Remove the partial forms of tiles that have become full since a size.

        Other partial tiles remain, because readers of an older checkpoint may still request them (C2SP
        tlog-tiles).
        """
        for tile in partial_tiles_at(old):
            if (new >> TILE_HEIGHT * (tile.level + 1)) > tile.number:
                full = tile._replace(width=TILE_WIDTH)
                for path in (full.path, full.entries_path)[: 1 if tile.level else 2]:
                    shutil.rmtree(self._directory / f"tile/{path}.p", ignore_errors=True)


@contextmanager
def directory_lock(directory: Path) -> Iterator[None]:
    """Lock a directory for writing, and create it if necessary."""
    with report_path(directory):
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(directory, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InvalidInput(
                f"{directory}: another export or mirror is writing to it", code="IN_USE"
            ) from None
        yield
    finally:
        os.close(descriptor)
