"""Companions of the log of a tracker: the texts that entries commit to, and snapshots.

Neither is part of the log. A text is proven by the commitment in an entry, a snapshot by the SHA-256 in one.
When a later event redacts them, the mirror removes them too.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

import msgspec

from tracker.audit.bundle.annexes import export_annexes
from tracker.audit.bundle.export import BundleWriter
from tracker.audit.bundle.snapshots import UNTIL, SnapshotExporter, from_log
from tracker.audit.format.layout import BundleFiles, LogFiles
from tracker.audit.format.merkle import TILE_WIDTH, Tile
from tracker.audit.verify.annex_check import redacts
from tracker.audit.verify.annex_file import AnnexChecker, read_lines
from tracker.domain.entities.commitments import SCHEME
from tracker.domain.entities.redaction import Redaction
from tracker.log.entries import RecordedEvent, recorded

TEXT_WORDS = (SCHEME.encode(), Redaction.KIND.encode())
SNAPSHOT_WORDS = (b'"sha256"', b'"snapshot"')
"""Words of entries that commit to texts, redact them, or name a snapshot."""


class MirroredTexts:
    """Copies the texts of a log into the file `annexes` of its mirror."""

    name = "texts"

    def __init__(self, log: LogFiles, directory: Path):
        self.missing = 0
        """Number of missing texts of the last entries, without those redacted by later ones."""
        self.absent = False
        """Whether the log serves no texts."""
        self._log = log
        self._directory = directory
        self._mirror = BundleFiles(directory)
        self._since = 0
        self._checker: AnnexChecker | None = None
        self._new: IO[bytes] | None = None
        self._redacted = set[tuple[int, str]]()

    async def begin(self, mirrored: int, size: int) -> int:
        """Request the texts that the mirror lacks, up to a position; return the position after which they
        start.

        Raises Rejected (ALTERED_ANNEX), and Unavailable.
        """
        self._checker, self._redacted = None, set()
        self._since = 0 if self._mirror.texts(0, mirrored) is None else mirrored
        if self.absent or self._since == size:
            return mirrored
        return await asyncio.to_thread(self._read_annexes, mirrored, size)

    async def take(self, first: int, entries: Sequence[bytes]) -> None:
        """Check the texts of the next entries. Raises as `AnnexChecker.check`, and Unavailable."""
        if self._checker is None:
            return
        events = [
            each for each in events_with(TEXT_WORDS, first, entries) if each.position > self._since
        ]
        await asyncio.to_thread(self._checker.check, events)
        for event in events:
            position, fields = redacts(event) or (0, ())
            self._redacted.update((position, field) for field in fields)

    async def finish(self, size: int) -> None:
        """Rewrite the file if it has changed. Raises as `AnnexChecker.end`."""
        if self._checker is None or self._new is None:
            return
        self._checker.end()
        self.missing = self._checker.missing
        with self._new:
            if self._new.tell() or self._redacted or not self._since:
                self._new.seek(0)
                await export_annexes(self._lines(self._new, size), self._directory)

    def _read_annexes(self, mirrored: int, size: int) -> int:
        lines = self._log.texts(self._since, size)
        if lines is None:
            self.absent = True
            return mirrored
        if self._new:
            self._new.close()
        self._new = tempfile.TemporaryFile(dir=self._directory)  # noqa: SIM115 - closed when all is there
        self._checker = AnnexChecker(
            _noted(lines, self._new), self._since + 1, size, allow_missing=True
        )
        return self._since

    async def _lines(self, new: Iterable[bytes], size: int) -> AsyncIterator[bytes]:
        """Yield the previous and the new lines, without redacted texts."""
        for lines, first, last in (
            (self._mirror.annex_lines(), 1, self._since),
            (new, self._since + 1, size),
        ):
            for line in lines:
                [annex] = read_lines([line])
                position = int(annex.position)
                if first <= position <= last and (position, annex.field) not in self._redacted:
                    yield line


async def copy_texts(log: LogFiles, directory: Path, size: int) -> MirroredTexts:
    """Copy the texts of a log into a bundle that has its entries up to a size, before its checkpoint
    covers them.

    Raises as the methods of `MirroredTexts`.
    """
    texts, bundle = MirroredTexts(log, directory), BundleFiles(directory)
    old = BundleWriter(directory).head()
    after = await texts.begin(old.size if old else 0, size)
    for number in range(after // TILE_WIDTH, -(-size // TILE_WIDTH)):
        start = number * TILE_WIDTH
        entries = await bundle.entries(Tile(0, number, min(TILE_WIDTH, size - start)))
        await texts.take(start + 1, entries)
    await texts.finish(size)
    return texts


class MirroredSnapshots:
    """Copies the snapshots that events name into a mirror."""

    name = "snapshots"

    def __init__(self, log: LogFiles, directory: Path):
        self._exporter = SnapshotExporter(directory, from_log(log))
        self._writer = BundleWriter(directory)
        self._taken = 0

    @property
    def missing(self) -> int:
        """Number of unavailable snapshots; a later process retries them."""
        return len(self._exporter.missing)

    async def begin(self, mirrored: int, size: int) -> int:
        """Return the position after which events are read: those that this process has not read, and whose
        snapshots the mirror may lack."""
        return min(mirrored, max(self._exporter.until() or 0, self._taken))

    async def take(self, first: int, entries: Sequence[bytes]) -> None:
        """Copy the available snapshots that the next entries name. Raises as `SnapshotExporter.write`."""
        await self._exporter.write(events_with(SNAPSHOT_WORDS, first, entries))

    async def finish(self, size: int) -> None:
        """Remove redacted snapshots, and record the position up to which all are present."""
        self._taken = size
        self._exporter.remove_redacted()
        if not self._exporter.missing:
            self._writer.write_file(UNTIL, str(size).encode())


def events_with(
    words: Iterable[bytes], first: int, entries: Sequence[bytes]
) -> Iterator[RecordedEvent]:
    """Yield the events that contain one of some words, among entries from a position on.

    Entries of another kind of log are ignored.
    """
    for position, entry in enumerate(entries, first):
        if any(word in entry for word in words):
            try:
                event = recorded(entry)
            except (msgspec.MsgspecError, UnicodeError):
                continue
            if event.position == position:
                yield event


def _noted(lines: Iterable[bytes], file: IO[bytes]) -> Iterator[bytes]:
    """Yield lines, and write them to a file at the same time."""
    for line in lines:
        file.write(line)
        yield line
