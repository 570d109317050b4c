"""The published log: checkpoints, tiles, entries, and proofs.

Tiles are read once per query, for any number of proofs. The hashes of a partial tile are computed from the
present entries. So a tampered entry gives hashes, and proofs, that do not lead to the signed root. Nothing is
verified here; the client does that.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import asyncpg
from msgspec import Struct

from tracker.audit.format.checkpoint import ConsistencyProof, InclusionProof
from tracker.audit.format.frontier import TileFrontier
from tracker.audit.format.merkle import (
    EMPTY_ROOT,
    HASH_BYTES,
    TILE_WIDTH,
    Node,
    Tile,
    TreeHashes,
    consistency_parts,
    covering_subtrees,
    inclusion_parts,
    tile_at,
    tile_hashes,
    tiles_of,
)
from tracker.errors import NotFound, NotProven
from tracker.log.entry_hash import leaf_hash
from tracker.postgres.batching import Batcher
from tracker.postgres.database import Connection, Pool, named_queries

SQL = named_queries(Path(__file__).with_name("queries.sql"))
MAX_TREE_SIZE = 2**63 - 1
ENTRIES_PER_READ = 64 * TILE_WIDTH
"""Entries in memory at once, if a log without tiles is hashed."""


class StoredCheckpoint(Struct, frozen=True):
    """A stored checkpoint. `note` has the signatures of the log and of its witnesses."""

    size: int
    """The number of events that it commits to, which is the position of the last one."""
    root: bytes
    note: str
    """The whole signed note, as `/log/checkpoint/<size>` serves it. Verify this text, and store it."""
    signed_at: datetime
    """The time of signing, by the server's clock. The note does not contain it."""


class InclusionResult(Struct, frozen=True):
    """An inclusion proof, the hash of the published entry, and the checkpoint."""

    proof: InclusionProof
    leaf: bytes
    checkpoint: StoredCheckpoint


class ProofService:
    """Serves checkpoints, tiles and proofs to auditors."""

    def __init__(self, pool: Pool):
        self._pool = pool
        self._proving = Batcher(self._prove)
        self._root: tuple[int, bytes] = 0, EMPTY_ROOT
        """The last size that was asked for, and its root: most pages show the newest position."""

    async def last(self) -> StoredCheckpoint:
        """Return the newest checkpoint. Raises NotFound before the first."""
        return _checkpoint(await self._pool.fetchrow(SQL.last_checkpoint))

    async def checkpoint(self, size: int | None = None) -> StoredCheckpoint:
        """Return the checkpoint of a size; the newest by default. Raises NotFound."""
        if size is None:
            return await self.last()
        row = await self._pool.fetchrow(SQL.checkpoint, size) if size <= MAX_TREE_SIZE else None
        return _checkpoint(row, size)

    async def size(self) -> int | None:
        """Return the size of the newest checkpoint; None before the first."""
        size: int | None = await self._pool.fetchval(SQL.last_size)
        return size

    async def root(self, size: int) -> bytes:
        """Return the root of the tree of a size, signed or not. Without tiles all entries are hashed."""
        known, root = self._root
        if size != known:
            async with self._pool.acquire() as connection:
                try:
                    hashes = await read_hashes(connection, covering_subtrees(0, size), size)
                    root = hashes.root()
                except NotProven:
                    root = await _root_of_entries(connection, size)
            self._root = size, root
        return root

    async def tile(self, tile: Tile) -> bytes:
        """Return a tile of a published tree. Raises NotFound."""
        await self._check_published(tile)
        async with self._pool.acquire() as connection:
            return (await read_tiles(connection, [tile]))[tile]

    async def bundle(self, tile: Tile) -> bytes:
        """Return the entries of a tile of level 0, each after its length in two bytes. Raises NotFound."""
        await self._check_published(tile)
        first = tile.number * TILE_WIDTH
        rows = await self._pool.fetch(SQL.entries, first, first + tile.width)
        return b"".join(len(row["entry"]).to_bytes(2, "big") + row["entry"] for row in rows)

    async def _check_published(self, tile: Tile) -> None:
        if tile.entries > (await self.size() or 0):
            raise NotFound(f"tile {tile.path} is in no tree that is published", path=("tile",))

    async def inclusion(self, position: int, size: int | None = None) -> InclusionResult:
        """Return the proof that an event is in the tree of the checkpoint of a size, by default the
        newest.

        Raises NotFound if there is no such event, or the checkpoint does not cover it.
        """
        [proof] = await self._inclusions([position], await self.checkpoint(size))
        if proof is None:
            raise NotFound(
                f"there is no event at position {position} in the requested checkpoint",
                path=("position",),
            )
        return proof

    async def proof(self, position: int) -> InclusionResult | None:
        """Return the proof in the newest checkpoint, if it covers the event. Concurrent calls share a
        query."""
        return await self._proving.submit(position)

    async def _prove(
        self, positions: Sequence[int]
    ) -> Sequence[InclusionResult | Exception | None]:
        try:
            return await self._inclusions(positions, await self.last())
        except NotFound:
            return [None] * len(positions)
        except Exception as error:
            return [error] * len(positions)

    async def _inclusions(
        self, positions: Sequence[int], checkpoint: StoredCheckpoint
    ) -> list[InclusionResult | None]:
        """Return proofs for events; None for those that the checkpoint does not cover."""
        size = checkpoint.size
        covered = {
            position: inclusion_parts(position - 1, size)
            for position in positions
            if 0 < position <= size
        }
        leaves = {position: Node(0, position - 1) for position in covered}
        nodes = [node for parts in covered.values() for part in parts for node in part]
        async with self._pool.acquire() as connection:
            hashes = await read_hashes(connection, [*nodes, *leaves.values()], size)
        return [
            InclusionResult(
                InclusionProof(
                    position - 1, tuple(hashes.proof(covered[position])), checkpoint.note
                ),
                hashes.node(leaves[position]),
                checkpoint,
            )
            if position in covered
            else None
            for position in positions
        ]

    async def consistency(
        self, old: int, size: int | None = None
    ) -> tuple[ConsistencyProof, StoredCheckpoint]:
        """Return the proof that the checkpoint of a size, or the newest, continues the log at size `old`.

        Raises NotFound for a size without a checkpoint, and InvalidInput for an old one above it.
        """
        checkpoint = await self.checkpoint(size)
        async with self._pool.acquire() as connection:
            hashes = await consistency(connection, old, checkpoint.size)
        return ConsistencyProof(old, hashes, checkpoint.note), checkpoint


async def consistency(connection: Connection, old: int, new: int) -> tuple[bytes, ...]:
    """Return the hashes of the consistency proof of two sizes of the log."""
    parts = consistency_parts(old, new)
    hashes = await read_hashes(connection, [node for part in parts for node in part], new)
    return tuple(hashes.proof(parts))


async def read_hashes(connection: Connection, nodes: Iterable[Node], size: int) -> TreeHashes:
    """Return the hashes of nodes of the tree of a size."""
    return TreeHashes(size, await read_tiles(connection, tiles_of(nodes, size)))


async def read_tiles(connection: Connection, tiles: Iterable[Tile]) -> dict[Tile, bytes]:
    """Return tiles of the log. Raises NotProven if the log or its tiles have gaps."""
    ordered = sorted(tiles)
    if not ordered:
        return {}
    levels, numbers, widths = (list(column) for column in zip(*ordered, strict=True))
    rows = await connection.fetch(SQL.tiles, levels, numbers, widths)
    hashes_by_tile = {
        Tile(row["level"], row["number"], row["width"]): row["hashes"] or b"" for row in rows
    }
    hashes_by_tile |= await _hash_entries(
        connection, [t for t in ordered if t.level == 0 and not hashes_by_tile[t]]
    )
    for tile, hashes in hashes_by_tile.items():
        if len(hashes) != tile.width * HASH_BYTES:
            raise NotProven(f"tile {tile.path} is not whole: events or tiles are missing")
    return hashes_by_tile


async def _hash_entries(connection: Connection, tiles: Sequence[Tile]) -> dict[Tile, bytes]:
    """Compute tiles of level 0 from the entries of the log."""
    hashes = {tile.number: [b""] * tile.width for tile in tiles}
    if tiles:
        for position, entry in await connection.fetch(
            SQL.entries_of_tiles, list(hashes), [tile.width for tile in tiles]
        ):
            number, slot = divmod(position - 1, TILE_WIDTH)
            hashes[number][slot] = leaf_hash(entry)
    return {tile: b"".join(hashes[tile.number]) for tile in tiles}


async def _root_of_entries(connection: Connection, size: int) -> bytes:
    """Return the root over the entries of the log. Raises NotProven if it has gaps."""
    frontier = TileFrontier()
    for first in range(0, size, ENTRIES_PER_READ):
        count = min(ENTRIES_PER_READ, size - first)
        numbers = range(first // TILE_WIDTH, -(-(first + count) // TILE_WIDTH))
        tiles = [tile_at(0, number, size) for number in numbers]
        for tile, hashes in (await _hash_entries(connection, tiles)).items():
            leaves = tile_hashes(hashes)
            if len(leaves) != tile.width:
                raise NotProven(f"tile {tile.path} is not whole: events are missing")
            frontier.add(leaves)
    return frontier.root()


def _checkpoint(row: asyncpg.Record | None, size: int | None = None) -> StoredCheckpoint:
    if row is None:
        raise NotFound(
            "no checkpoint is published: expected a signed log with at least one event"
            if size is None
            else f"there is no checkpoint of {size} events: /log/checkpoint is the newest",
            path=("size",),
        )
    return StoredCheckpoint(row["size"], row["root"], row["note"], row["signed_at"])
