"""The tiles of a log, each proven by its signed head before it is given out.

Proof goes from the top down. The head proves the partial tiles at the right edge of the tree, a tile
proves the full ones below it, by their roots, and a tile of level 0 its entries. So what is copied is
known to be right before it is written, however far the copy gets, and no hash is derived twice.
"""

from __future__ import annotations

from collections.abc import Sequence

from tracker.audit.format.checkpoint import Checkpoint
from tracker.audit.format.frontier import FullTile, TileFrontier, partial_tiles_at, root_over
from tracker.audit.format.layout import positions_below, positions_of
from tracker.audit.format.merkle import TILE_WIDTH, Tile, tile_at
from tracker.audit.verify.log_source import LogSource
from tracker.errors import Rejected
from tracker.log.entry_hash import leaf_hash


class ProvenTiles:
    """Reads tiles and entries from the first of some sources that has the right ones; the last of them
    is the log itself, and is blamed where none has. Make it by `begin`."""

    def __init__(self, sources: Sequence[LogSource], head: Checkpoint, edge: list[FullTile]):
        self.head = head
        self.edge = edge
        """The partial tiles of the tree, the lowest level first."""
        self.proven = dict[Tile, list[bytes]](edge)
        """What was read and proven, but for level 0 of what was copied: some 35 MB for a hundred million
        entries."""
        self._sources = sources

    @staticmethod
    async def begin(sources: Sequence[LogSource], head: Checkpoint) -> ProvenTiles:
        """Read the edge of the tree. Raises Rejected (WRONG_ROOT) where it is not that of the head, and
        what the log raises."""
        log = sources[-1]
        edge = [FullTile(tile, await log.tile(tile) or []) for tile in partial_tiles_at(head.size)]
        if TileFrontier(edge).root() != head.root:
            raise Rejected(
                "WRONG_ROOT",
                f"the tiles of {log.name} do not have the root that the checkpoint of size"
                f" {head.size} was signed for",
            )
        return ProvenTiles(sources, head, edge)

    async def hashes(self, tile: Tile) -> list[bytes]:
        """The hashes of a tile, as wide as it is published; they are kept. Raises Rejected
        (ALTERED_TILE), and what the log raises."""
        if tile not in self.proven:
            self.proven[tile] = await self.hashes_under(tile, await self.root_of(tile))
        return self.proven[tile]

    async def root_of(self, tile: Tile) -> bytes:
        """The root of a full tile, by the one above it. Raises as `hashes`."""
        above = tile_at(tile.level + 1, tile.number // TILE_WIDTH, self.head.size)
        return (await self.hashes(above))[tile.number % TILE_WIDTH]

    async def hashes_under(self, tile: Tile, root: bytes) -> list[bytes]:
        """The hashes of a full tile whose root is known. Raises as `hashes`."""
        for source in self._sources:
            hashes = await _tile_in(source, tile, blame=source is self._sources[-1])
            if hashes and root_over(hashes) == root:
                return hashes
        raise Rejected(
            "ALTERED_TILE",
            f"tile/{tile.path} does not have the root that the tile above it says",
            positions_of(tile),
        )

    async def entries(self, tile: Tile, hashes: list[bytes]) -> list[bytes]:
        """The entries of a tile of level 0 whose hashes are known. Raises Rejected (ALTERED_ENTRY), and
        what the log raises."""
        wrong = 0
        for source in self._sources:
            entries = await _entries_in(source, tile, blame=source is self._sources[-1])
            leaves = [leaf_hash(entry) for entry in entries]
            if leaves == hashes:
                return entries
            wrong = next(
                (
                    i
                    for i, pair in enumerate(zip(leaves, hashes, strict=False))
                    if pair[0] != pair[1]
                ),
                0,
            )
        raise Rejected(
            "ALTERED_ENTRY",
            "the entry is not the one that was signed",
            positions_below(tile, wrong),
        )

    async def frontier(self, size: int) -> TileFrontier:
        """The tree as it was at an earlier size. Raises as `hashes`."""
        begun = []
        for tile in partial_tiles_at(size):
            published = tile_at(tile.level, tile.number, self.head.size)
            begun.append(FullTile(tile, (await self.hashes(published))[: tile.width]))
        return TileFrontier(begun)


async def _tile_in(source: LogSource, tile: Tile, *, blame: bool) -> list[bytes]:
    """The hashes that a source has for a full tile; none where it has no whole one and is not to blame
    for that."""
    try:
        hashes = await source.tile(tile) or []
    except Rejected:
        if blame:
            raise
        return []
    return hashes if len(hashes) == TILE_WIDTH else []


async def _entries_in(source: LogSource, tile: Tile, *, blame: bool) -> list[bytes]:
    """The entries that a source has below a tile; none, likewise."""
    try:
        return await source.entries(tile)
    except Rejected:
        if blame:
            raise
        return []
