"""Tiles of a tree and checks of inclusion proofs, as made by clients of the log."""

from collections.abc import Iterable, Sequence

from tracker.audit.format.merkle import TILE_HEIGHT, TILE_WIDTH, Tile, node_hash
from tracker.errors import NotProven


def all_tiles(size: int) -> Iterable[Tile]:
    """Yield every tile of a tree, including the partial ones at its right edge."""
    level = 0
    while hashes := size >> TILE_HEIGHT * level:
        yield from (Tile(level, number) for number in range(hashes >> TILE_HEIGHT))
        if hashes % TILE_WIDTH:
            yield Tile(level, hashes >> TILE_HEIGHT, hashes % TILE_WIDTH)
        level += 1


def check_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that an entry is at `index` in the tree of a root (RFC 9162, section 2.1.3.2).

    Raises NotProven.
    """
    if not 0 <= index < size:
        raise NotProven(f"there is no entry number {index} in a tree of {size}")
    at, last, found = index, size - 1, leaf
    for hash in proof:
        if not last:
            raise NotProven("the inclusion proof has more hashes than its tree is high")
        if at & 1 or at == last:
            found = node_hash(hash, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, hash)
        at, last = at >> 1, last >> 1
    if last or found != root:
        raise NotProven(
            f"the inclusion proof of entry {index} does not lead to the root of the tree of {size}"
        )
