"""The frontier of a growing Merkle tree: its partial tiles. Pure.

It has the hashes of the tiles that are not full, at most 255 per level, so its memory grows with the
logarithm of the size. It reads no tile, no row and no proof: writers and verifiers of bundles derive every
hash from the entries with it.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tracker.audit.format.merkle import EMPTY_ROOT, TILE_HEIGHT, TILE_WIDTH, Tile, node_hash


class FullTile(NamedTuple):
    """A tile with its hashes."""

    tile: Tile
    hashes: list[bytes]


class TileFrontier:
    """The partial tiles at the right edge of a growing Merkle tree.

    It continues a tree whose partial tiles are `begun`.
    """

    def __init__(self, begun: Iterable[FullTile] = ()) -> None:
        self._levels = list[list[bytes]]()
        self.size = 0
        for tile, hashes in begun:
            self._level(tile.level).extend(hashes)
            self.size += len(hashes) << TILE_HEIGHT * tile.level

    def add(self, leaves: Sequence[bytes]) -> list[FullTile]:
        """Add leaves, at most to the end of the last tile; return the tiles that become full."""
        self._level(0).extend(leaves)
        self.size += len(leaves)
        filled, level = list[FullTile](), 0
        while len(full := self._level(level)) == TILE_WIDTH:
            filled.append(FullTile(Tile(level, (self.size >> TILE_HEIGHT * (level + 1)) - 1), full))
            self._levels[level] = []
            level += 1
            self._level(level).append(root_over(full))
        return filled

    def partial_tiles(self) -> list[FullTile]:
        """Return the partial tiles, lowest level first."""
        return [
            FullTile(Tile(level, self.size >> TILE_HEIGHT * (level + 1), len(hashes)), hashes)
            for level, hashes in enumerate(self._levels)
            if hashes
        ]

    def root(self) -> bytes:
        """Return the present root of the tree."""
        root = None
        for hashes in self._levels:
            for peak in _peaks(hashes):
                root = peak if root is None else node_hash(peak, root)
        return EMPTY_ROOT if root is None else root

    def _level(self, level: int) -> list[bytes]:
        while len(self._levels) <= level:
            self._levels.append([])
        return self._levels[level]


def root_of_leaves(leaves: Sequence[bytes]) -> bytes:
    """Return the root of the tree of some leaves."""
    frontier = TileFrontier()
    for start in range(0, len(leaves), TILE_WIDTH):
        frontier.add(leaves[start : start + TILE_WIDTH])
    return frontier.root()


def partial_tiles_at(size: int) -> list[Tile]:
    """Return the partial tiles of a tree of `size` entries, lowest level first."""
    tiles, level = list[Tile](), 0
    while hashes := size >> TILE_HEIGHT * level:
        if hashes % TILE_WIDTH:
            tiles.append(Tile(level, hashes // TILE_WIDTH, hashes % TILE_WIDTH))
        level += 1
    return tiles


def root_over(hashes: Sequence[bytes]) -> bytes:
    """Return the root over hashes, whose number is a power of two."""
    row = list(hashes)
    while len(row) > 1:
        row = [node_hash(row[i], row[i + 1]) for i in range(0, len(row), 2)]
    return row[0]


def _peaks(hashes: Sequence[bytes]) -> Iterator[bytes]:
    """Return the roots of the complete subtrees of some hashes, from the right, narrowest first."""
    stop = len(hashes)
    while stop:
        width = stop & -stop
        yield root_over(hashes[stop - width : stop])
        stop -= width
