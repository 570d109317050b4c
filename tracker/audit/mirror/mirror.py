"""Bring a mirror up to the log that it is a copy of.

The directory has the layout of a bundle, and is at every moment one whole log: files are added, then the
checkpoint is replaced. A crash leaves the older checkpoint, and beyond it files that are proven and need
not be fetched again. Partial tiles stay until the full ones are there, since whoever read an older
checkpoint may still ask for them (C2SP tlog-tiles).
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from tracker.audit.bundle.export import BundleWriter, directory_lock
from tracker.audit.format.layout import encode_entries
from tracker.audit.format.merkle import TILE_WIDTH, Tile, new_tiles, tile_at
from tracker.audit.mirror.continuation import Fork, keep_evidence, prove_continuation
from tracker.audit.mirror.cosigner import Cosigner
from tracker.audit.mirror.proven_tiles import ProvenTiles
from tracker.audit.verify.log_source import LogSource
from tracker.audit.verify.read_ahead import read_ahead
from tracker.audit.verify.trust import TrustedCheckpoint, TrustPolicy, parse_head


class CopiedTile(NamedTuple):
    """A tile of level 0 that was proven: its hashes, and the entries below it."""

    tile: Tile
    hashes: list[bytes]
    entries: list[bytes]


class Companion(Protocol):
    """What lies beside a log and is named in its entries, such as texts; it comes along."""

    name: str

    @property
    def missing(self) -> int:
        """How many of it could not be had, and are not redacted as far as is known."""

    async def begin(self, mirrored: int, size: int) -> int:
        """The position after which it looks at entries of a log of `size`, where so many are mirrored."""

    async def take(self, first: int, entries: Sequence[bytes]) -> None:
        """Take what the next entries name, of which the first is at a position."""

    async def finish(self, size: int) -> None:
        """All entries up to a position have come; the checkpoint is replaced after this."""


@dataclass(frozen=True, slots=True)
class MirrorUpdate:
    """The head that a mirror has now, and the number of events that are new in it."""

    head: TrustedCheckpoint
    new: int


@dataclass(frozen=True, slots=True)
class Mirror:
    """A mirror of a log in a directory; `update` may be called again and again."""

    log: LogSource
    trust: TrustPolicy
    directory: Path
    extras: Mapping[str, bytes] = field(default_factory=dict)
    """Further files by their path, which nothing signs."""
    companions: Sequence[Companion] = ()
    cosigner: Cosigner | None = None
    """Signs what was mirrored, for those who trust it; the checkpoint has its signature too."""

    async def update(
        self, progress: Callable[[int, int], None] = lambda done, size: None, *, whole: bool = False
    ) -> MirrorUpdate:
        """Copy what is new. `progress` gets the position that is reached and the last. With `whole` what is
        there is read again, and fetched again where it is damaged.

        Raises Rejected as `TrustPolicy.verify_head` and `prove_continuation` do, of which a Fork leaves its
        proof in the directory; Unavailable, and InvalidInput where the directory can't be written.
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
        try:
            return await prove_continuation(self.log, self.directory, old, head)
        except Fork as fork:
            keep_evidence(fork)
            raise

    async def _copy(
        self,
        tiles: ProvenTiles,
        writer: BundleWriter,
        first: int,
        mirrored: int,
        progress: Callable[[int, int], None],
    ) -> None:
        """Write the tiles that are new, and let companions take what is named in them."""
        size = tiles.head.size
        reads = _reads(tiles, first // TILE_WIDTH)
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
        """The head with the mirror's signature, where it signs: what it signs is on the disk."""
        if self.cosigner is None:
            return head
        os.sync()
        note = self.cosigner.cosign(head.note, old.note if old else None, int(time.time()))
        return replace(head, note=note)


def _signatures(head: TrustedCheckpoint) -> int:
    """How many have signed a head: witnesses may still sign one that was published."""
    return len(parse_head(head.note, "the checkpoint")[0].signatures)


async def _reads(
    tiles: ProvenTiles, first: int
) -> AsyncGenerator[Coroutine[Any, Any, CopiedTile], None]:
    """A read for every tile of level 0 from a number on. What proves it was read before, so that reads at
    the same time do not each fetch it."""
    for number in range(first, -(-tiles.head.size // TILE_WIDTH)):
        tile = tile_at(0, number, tiles.head.size)
        root = await tiles.root_of(tile) if tile.width == TILE_WIDTH else b""
        yield _read(tiles, tile, root)


async def _read(tiles: ProvenTiles, tile: Tile, root: bytes) -> CopiedTile:
    """A tile and its entries, proven; those of a partial one are known."""
    hashes = tiles.proven.get(tile) or await tiles.hashes_under(tile, root)
    return CopiedTile(tile, hashes, await tiles.entries(tile, hashes))
