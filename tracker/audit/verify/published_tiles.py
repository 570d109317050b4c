"""The published tiles of a log below its newest head, and their connection to the root."""

from collections.abc import AsyncGenerator, Coroutine
from typing import Any, NamedTuple

from tracker.audit.format.frontier import FullTile, TileFrontier, partial_tiles_at, root_over
from tracker.audit.format.layout import positions_below
from tracker.audit.format.merkle import TILE_WIDTH, Tile, tile_at
from tracker.audit.verify.log_source import LogSource
from tracker.audit.verify.read_ahead import read_ahead
from tracker.audit.verify.trust import TrustedCheckpoint
from tracker.errors import Rejected
from tracker.log.entry_hash import leaf_hash


class EntryTile(NamedTuple):
    """A tile of level 0 with the entries below it; `hashes` is None if the source does not store it."""

    tile: Tile
    entries: list[bytes]
    hashes: list[bytes] | None


class PublishedTiles:
    """The tiles of a source, each with its width in the tree of a head."""

    def __init__(self, source: LogSource, head: TrustedCheckpoint):
        self._source, self._head = source, head

    async def frontier(self, size: int) -> TileFrontier:
        """Return the edge of the tree at the start of the pass: earlier parts are read from tiles."""
        partial = []
        for tile in partial_tiles_at(size):
            published = tile_at(tile.level, tile.number, self._head.size)
            hashes = await self._source.tile(published) or []
            partial.append(FullTile(tile, hashes[: tile.width]))
        return TileFrontier(partial)

    def read_from(self, first: int) -> AsyncGenerator[EntryTile, None]:
        """Yield the tiles of level 0 from that of a position on, with the next ones read in advance."""
        return read_ahead(self._reads(first), self._source.ahead)

    async def _reads(self, first: int) -> AsyncGenerator[Coroutine[Any, Any, EntryTile], None]:
        for number in range((first - 1) // TILE_WIDTH, -(-self._head.size // TILE_WIDTH)):
            yield self._read_tile(tile_at(0, number, self._head.size))

    async def _read_tile(self, tile: Tile) -> EntryTile:
        entries = await self._source.entries(tile)
        return EntryTile(tile, entries, await self._source.tile(tile))

    async def altered_error(self, tile: Tile, wrong: int, stored: list[bytes]) -> Rejected:
        """Return the error for an altered tile, or altered data below it, at a hash of the tile."""
        positions = positions_below(tile, wrong)
        differs = f"tile/{tile.path} does not have the hash of the level below"
        try:
            signed = await self.lead_to_root(tile, stored)
        except Rejected as later:  # of a later position, which must not be reported first
            return Rejected("ALTERED_TILE", f"{differs}, and {later.message}", positions)
        if not signed:
            return Rejected("ALTERED_TILE", differs, positions)
        return Rejected(
            "ALTERED_ENTRY",
            "the entry is not the one that was signed"
            if not tile.level
            else "entries here are not those that were signed",
            positions,
        )

    async def lead_to_root(self, tile: Tile, hashes: list[bytes]) -> bool:
        """Return whether the stored tiles lead from this one to the signed root."""
        while tile.width == TILE_WIDTH:
            above = tile_at(tile.level + 1, tile.number // TILE_WIDTH, self._head.size)
            stored = await self._source.tile(above)
            if stored is None or stored[tile.number % TILE_WIDTH] != root_over(hashes):
                return False
            tile, hashes = above, stored
        edge = [
            FullTile(partial, hashes if partial == tile else await self._read_partial_tile(partial))
            for partial in partial_tiles_at(self._head.size)
        ]
        return TileFrontier(edge).root() == self._head.checkpoint.root

    async def _read_partial_tile(self, tile: Tile) -> list[bytes]:
        """Return the hashes of a tile at the edge; computed from its entries if it is not stored."""
        stored = await self._source.tile(tile)
        return stored or [leaf_hash(entry) for entry in await self._source.entries(tile)]
