"""Update a mirror to the present state of its log.

The directory has the layout of a bundle, and is one complete log at every moment: files are added, then the
checkpoint is replaced. After a crash the older checkpoint is valid, and files beyond it are proven and need
not be fetched again. Partial tiles remain until the full ones exist, because readers of an older checkpoint
may still request them (C2SP tlog-tiles).
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from msgspec import Struct, field

from tracker.audit.bundle.export import BundleWriter, directory_lock
from tracker.audit.format.layout import BundleFiles, encode_entries
from tracker.audit.format.merkle import TILE_WIDTH, new_tiles
from tracker.audit.mirror.continuation import prove_continuation
from tracker.audit.mirror.cosigner import Cosigner
from tracker.audit.mirror.proven_tiles import ProvenTiles, proven_reads
from tracker.audit.verify.log_source import LogSource
from tracker.audit.verify.read_ahead import read_ahead
from tracker.audit.verify.trust import TrustedCheckpoint, TrustPolicy, parse_head


class Companion(Protocol):
    """Data that entries name but the log does not contain, such as texts; they are mirrored too."""

    name: str

    @property
    def missing(self) -> int:
        """Number of unavailable parts that are not known to be redacted."""

    async def begin(self, mirrored: int, size: int) -> int:
        """Return the position after which entries are needed, for a log of `size` with a mirrored part."""

    async def take(self, first: int, entries: Sequence[bytes]) -> None:
        """Process the next entries, which begin at a position."""

    async def finish(self, size: int) -> None:
        """Complete the update: all entries up to a position were passed, and the checkpoint is replaced
        next."""


class MirrorUpdate(Struct, frozen=True):
    """The present head of a mirror, and the number of new events in it."""

    head: TrustedCheckpoint
    new: int


class Mirror(Struct, frozen=True):
    """A mirror of a log in a directory; `update` may be called repeatedly."""

    log: LogSource
    trust: TrustPolicy
    directory: Path
    extras: Mapping[str, bytes] = field(default_factory=dict)
    """Further files by path, which are not signed."""
    companions: Sequence[Companion] = ()
    cosigner: Cosigner | None = None
    """Signs mirrored checkpoints; its signature is added to the checkpoint."""

    async def update(
        self, progress: Callable[[int, int], None] = lambda done, size: None, *, whole: bool = False
    ) -> MirrorUpdate:
        """Copy the new part of the log. `progress` gets the present position and the last one.

        With `whole` the existing files are read again, and fetched again if damaged. Raises Rejected as
        `TrustPolicy.verify_head` and `prove_continuation` do, Unavailable, and InvalidInput if the directory
        cannot be written. A Fork leaves its proof in the directory.
        """
        with directory_lock(self.directory):
            head = self.trust.verify_head(await self.log.head(), "the checkpoint")
            writer = BundleWriter(self.directory)
            old = writer.head()
            mirrored = old.size if old and not whole else 0
            tiles = None
            if whole or old is None or head.checkpoint != old.checkpoint:
                tiles = await self._prove(old, head)
            first = min(
                [mirrored, *[await each.begin(mirrored, head.size) for each in self.companions]]
            )
            if tiles or first < mirrored:
                tiles = tiles or await self._prove(old, head)
                await self._copy(tiles, writer, first, mirrored, progress)
            head = self._cosigned(head, old)
            if (
                old is None
                or head.checkpoint != old.checkpoint
                or _signatures(head) > _signatures(old)
            ):
                writer.finish(head)
                writer.remove_partial_tiles(old.size if old else 0, head.size)
            return MirrorUpdate(head, head.size - (old.size if old else 0))

    async def _prove(self, old: TrustedCheckpoint | None, head: TrustedCheckpoint) -> ProvenTiles:
        return await prove_continuation(
            self.log, BundleFiles(self.directory), self.directory, old, head
        )

    async def _copy(
        self,
        tiles: ProvenTiles,
        writer: BundleWriter,
        first: int,
        mirrored: int,
        progress: Callable[[int, int], None],
    ) -> None:
        """Write new tiles, and pass their entries to companions."""
        size = tiles.head.size
        reads = proven_reads(tiles, first // TILE_WIDTH)
        async with aclosing(read_ahead(reads, self.log.ahead)) as copied:
            async for tile, hashes, entries in copied:
                start = tile.number * TILE_WIDTH
                if start + tile.width > mirrored:
                    writer.write_file(f"tile/{tile.entries_path}", encode_entries(entries))
                    writer.write_file(f"tile/{tile.path}", b"".join(hashes))
                for companion in self.companions:
                    await companion.take(start + 1, entries)
                progress(start + tile.width, size)
        for above in new_tiles(mirrored, size):
            if above.level:
                writer.write_file(f"tile/{above.path}", b"".join(await tiles.hashes(above)))
        for begun, hashes in tiles.edge:
            writer.write_file(f"tile/{begun.path}", b"".join(hashes))
        for path, content in self.extras.items():
            writer.write_file(path, content)
        for companion in self.companions:
            await companion.finish(size)

    def _cosigned(
        self, head: TrustedCheckpoint, old: TrustedCheckpoint | None
    ) -> TrustedCheckpoint:
        """Return the head with the mirror's signature, if it signs: the signed data are on the disk."""
        if self.cosigner is None:
            return head
        os.sync()
        note = self.cosigner.cosign(head.note, old.note if old else None, int(time.time()))
        return replace(head, note=note)


def _signatures(head: TrustedCheckpoint) -> int:
    """Return the number of signatures of a head: witnesses may still sign a published one."""
    return len(parse_head(head.note, "the checkpoint")[0].signatures)
