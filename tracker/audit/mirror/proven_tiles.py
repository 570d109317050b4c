"""The tiles of a log, each proven by its signed head before use.

Proofs run from the top down. The head proves the partial tiles at the right edge of the tree. A tile proves
the full ones below it by their roots, and a tile of level 0 proves its entries. So data are proven before
they are written, however far the copy gets, and no hash is computed twice.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Coroutine, Sequence
from typing import Any, NamedTuple

from tracker.audit.format.checkpoint import Checkpoint
from tracker.audit.format.frontier import FullTile, TileFrontier, partial_tiles_at, root_over
from tracker.audit.format.layout import positions_below, positions_of
from tracker.audit.format.merkle import TILE_WIDTH, Tile, tile_at
from tracker.audit.verify.log_source import LogSource
from tracker.errors import Rejected
from tracker.log.entry_hash import leaf_hash


class CopiedTile(NamedTuple):
    """A proven tile of level 0: its hashes, and the entries below it."""

    tile: Tile
    hashes: list[bytes]
    entries: list[bytes]


class ProvenTiles:
    """Reads tiles and entries from the first source that has correct ones.

    The last source is the log itself, and errors name it if no source is correct. Create with `begin`.
    """

    def __init__(self, sources: Sequence[LogSource], head: Checkpoint, edge: list[FullTile]):
        self.head = head
        self.edge = edge
        """The partial tiles of the tree, lowest level first."""
        self.proven = dict[Tile, list[bytes]](edge)
        """The proven tiles, without level 0 of the copied part: about 35 MB for a hundred million entries."""
        self._sources = sources

    @staticmethod
    async def begin(sources: Sequence[LogSource], head: Checkpoint) -> ProvenTiles:
        """Read the edge of the tree.

        Raises Rejected (WRONG_ROOT) if it does not have the root of the head, and errors of the log.
        """
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
        """Return the hashes of a tile in its published width, and cache them.

        Raises Rejected (ALTERED_TILE), and errors of the log.
        """
        if tile not in self.proven:
            self.proven[tile] = await self.hashes_under(tile, await self.root_of(tile))
        return self.proven[tile]

    async def root_of(self, tile: Tile) -> bytes:
        """Return the root of a full tile, from the one above it. Raises as `hashes`."""
        above = tile_at(tile.level + 1, tile.number // TILE_WIDTH, self.head.size)
        return (await self.hashes(above))[tile.number % TILE_WIDTH]

    async def hashes_under(self, tile: Tile, root: bytes) -> list[bytes]:
        """Return the hashes of a full tile with a known root. Raises as `hashes`."""
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
        """Return the entries of a tile of level 0 with known hashes.

        Raises Rejected (ALTERED_ENTRY), and errors of the log.
        """
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
        """Return the tree at an earlier size. Raises as `hashes`."""
        begun = []
        for tile in partial_tiles_at(size):
            published = tile_at(tile.level, tile.number, self.head.size)
            begun.append(FullTile(tile, (await self.hashes(published))[: tile.width]))
        return TileFrontier(begun)


async def proven_reads(
    tiles: ProvenTiles, first: int
) -> AsyncGenerator[Coroutine[Any, Any, CopiedTile], None]:
    """Yield a read for every tile of level 0 from a number on.

    The tiles that prove it are read before, so that concurrent reads do not each fetch them.
    """
    for number in range(first, -(-tiles.head.size // TILE_WIDTH)):
        tile = tile_at(0, number, tiles.head.size)
        root = await tiles.root_of(tile) if tile.width == TILE_WIDTH else b""
        yield _read(tiles, tile, root)


async def _read(tiles: ProvenTiles, tile: Tile, root: bytes) -> CopiedTile:
    """Return a proven tile with its entries; those of a partial one are known."""
    hashes = tiles.proven.get(tile) or await tiles.hashes_under(tile, root)
    return CopiedTile(tile, hashes, await tiles.entries(tile, hashes))


async def _tile_in(source: LogSource, tile: Tile, *, blame: bool) -> list[bytes]:
    """Return a source's hashes of a full tile; empty if a source other than the log lacks a complete one."""
    try:
        hashes = await source.tile(tile) or []
    except Rejected:
        if blame:
            raise
        return []
    return hashes if len(hashes) == TILE_WIDTH else []


async def _entries_in(source: LogSource, tile: Tile, *, blame: bool) -> list[bytes]:
    """Return a source's entries below a tile; empty if a source other than the log lacks them."""
    try:
        return await source.entries(tile)
    except Rejected:
        if blame:
            raise
        return []
