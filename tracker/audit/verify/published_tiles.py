"""The tiles of a log below its newest head, as they are published: read, and led up to the root."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import NamedTuple

from tracker.audit.format.frontier import FullTile, TileFrontier, partial_tiles_at, root_over
from tracker.audit.format.layout import positions_below
from tracker.audit.format.merkle import TILE_HEIGHT, TILE_WIDTH, Tile
from tracker.audit.verify.log_source import LogSource
from tracker.audit.verify.trust import TrustedCheckpoint
from tracker.errors import Rejected
from tracker.log.entry_hash import leaf_hash


class EntryTile(NamedTuple):
    """A tile of level 0 with the entries below it; `hashes` is None where the source keeps none."""

    tile: Tile
    entries: list[bytes]
    hashes: list[bytes] | None


class PublishedTiles:
    """The tiles of a source, each as wide as it is in the tree of a head."""

    def __init__(self, source: LogSource, head: TrustedCheckpoint):
        self._source, self._head = source, head

    async def frontier(self, size: int) -> TileFrontier:
        """The edge of the tree where the pass begins: what was seen before is taken from tiles."""
        partial = []
        for tile in partial_tiles_at(size):
            hashes = await self._source.tile(self.as_published(tile)) or []
            partial.append(FullTile(tile, hashes[: tile.width]))
        return TileFrontier(partial)

    def as_published(self, tile: Tile) -> Tile:
        """The tile as wide as it is in the tree of the head."""
        there = (self._head.size >> TILE_HEIGHT * tile.level) - tile.number * TILE_WIDTH
        return tile._replace(width=min(TILE_WIDTH, there))

    async def read_from(self, first: int) -> AsyncIterator[EntryTile]:
        """The tiles of level 0 from that of a position on; the next ones are being read meanwhile."""
        reading = deque[asyncio.Task[EntryTile]]()
        try:
            for number in range((first - 1) // TILE_WIDTH, -(-self._head.size // TILE_WIDTH)):
                tile = self.as_published(Tile(0, number))
                reading.append(asyncio.create_task(self._read_tile(tile)))
                if len(reading) > self._source.ahead:
                    yield await reading.popleft()
            while reading:
                yield await reading.popleft()
        finally:
            for task in reading:
                task.cancel()
            await asyncio.gather(*reading, return_exceptions=True)

    async def _read_tile(self, tile: Tile) -> EntryTile:
        entries = await self._source.entries(tile)
        return EntryTile(tile, entries, await self._source.tile(tile))

    async def altered_error(self, tile: Tile, wrong: int, stored: list[bytes]) -> Rejected:
        """The error that a tile has been altered, or what is below it, at a hash of the tile."""
        positions = positions_below(tile, wrong)
        if not await self.lead_to_root(tile, stored):
            return Rejected(
                "ALTERED_TILE",
                f"tile/{tile.path} does not have the hash of what is below it",
                positions,
            )
        return Rejected(
            "ALTERED_ENTRY",
            "the entry is not the one that was signed"
            if not tile.level
            else "entries here are not those that were signed",
            positions,
        )

    async def lead_to_root(self, tile: Tile, hashes: list[bytes]) -> bool:
        """Whether the tiles that are kept lead from this one to the root that was signed."""
        while tile.width == TILE_WIDTH:
            above = self.as_published(Tile(tile.level + 1, tile.number // TILE_WIDTH))
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
        """The hashes of a tile at the edge; from its entries, where no such tile is kept."""
        stored = await self._source.tile(tile)
        return stored or [leaf_hash(entry) for entry in await self._source.entries(tile)]
