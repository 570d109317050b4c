"""The Merkle tree over the log's entries, and proofs from it. Pure.

Hashes and proofs are those of RFC 6962, section 2.1, with SHA-256; tiles are those of C2SP tlog-tiles. Entry
number `index` of a tree is the event at position `index + 1`.

Proofs are computed from complete tiles and the partial ones at the right edge. The steps are the nodes of the
proof (`…_parts`), the tiles with them (`tiles_of`), and their hashes (`TreeHashes`). So remote tiles are read
only once.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

from tracker.errors import InvalidInput, NotProven

HASH_BYTES = 32
"""Size of a hash in bytes."""
TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
"""Number of hashes in a complete tile."""
MAX_LEVEL = 63
EMPTY_ROOT = sha256(b"").digest()
"""The root of an empty tree."""

TILE_PATH = re.compile(
    r"(?P<level>entries|0|[1-9][0-9]?)/(?P<number>(x[0-9]{3}/)*[0-9]{3})"
    r"(\.p/(?P<width>[1-9][0-9]{0,2}))?",
    re.ASCII,
)


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node with two children (RFC 6962, section 2.1)."""
    return sha256(b"\x01" + left + right).digest()


class Node(NamedTuple):
    """A complete subtree: the `1 << height` entries from `number << height` on."""

    height: int
    number: int


class Tile(NamedTuple):
    """A tile: `width` hashes of one level, from `number * 256` on; 256 are complete.

    A hash at level L is the root of 256**L entries.
    """

    level: int
    number: int
    width: int = TILE_WIDTH

    @property
    def entries(self) -> int:
        """The number of entries that a tree needs to contain this tile."""
        return self.number * TILE_WIDTH + self.width << TILE_HEIGHT * self.level

    @property
    def path(self) -> str:
        """Its path below `tile/`, such as `0/x001/x234/067.p/8`."""
        return f"{self.level}/{self.number_path}"

    @property
    def entries_path(self) -> str:
        """The path of the entries of a tile of level 0, below `tile/`."""
        return f"entries/{self.number_path}"

    @property
    def number_path(self) -> str:
        """The part of the path with number and width."""
        digits = str(self.number)
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        parts = [digits[i : i + 3] for i in range(0, len(digits), 3)]
        whole = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
        return whole if self.width == TILE_WIDTH else f"{whole}.p/{self.width}"


def parse_tile(path: str) -> tuple[Tile, bool]:
    """Parse the path of a tile below `tile/`; return whether it is for entries rather than hashes.

    Only the canonical form of the specification is accepted. Raises InvalidInput.
    """
    match = TILE_PATH.fullmatch(path)
    if match:
        entries = match["level"] == "entries"
        tile = Tile(
            0 if entries else int(match["level"]),
            int(re.sub("[x/]", "", match["number"])),
            int(match["width"] or TILE_WIDTH),
        )
        partial = match["width"] is not None
        same = path == (tile.entries_path if entries else tile.path)
        if same and tile.level <= MAX_LEVEL and tile.width < TILE_WIDTH + (not partial):
            return tile, entries
    raise InvalidInput(
        f"{path[:100]!r} is not a tile: expected a path such as 0/x001/234.p/8", path=("tile",)
    )


def tile_at(level: int, number: int, size: int) -> Tile:
    """Return a tile with its width in a tree of `size` entries, which contains it."""
    return Tile(level, number, min(TILE_WIDTH, (size >> TILE_HEIGHT * level) - number * TILE_WIDTH))


def tile_hashes(data: bytes) -> list[bytes]:
    """Return the hashes in the bytes of a tile."""
    return [data[i : i + HASH_BYTES] for i in range(0, len(data), HASH_BYTES)]


def tile_root(data: bytes) -> bytes:
    """Return the root of a power of two of hashes, as in a complete tile."""
    hashes = tile_hashes(data)
    while len(hashes) > 1:
        hashes = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes), 2)]
    return hashes[0]


def new_tiles(old: int, new: int) -> list[Tile]:
    """Yield the tiles that become complete when a tree of `old` entries grows to `new`, lowest first."""
    tiles, level = [], 0
    while new >> TILE_HEIGHT * (level + 1):
        shift = TILE_HEIGHT * (level + 1)
        tiles += [Tile(level, number) for number in range(old >> shift, new >> shift)]
        level += 1
    return tiles


def covering_subtrees(start: int, stop: int) -> list[Node]:
    """Return the complete subtrees that cover the entries [start, stop), from the left.

    `start` must be a multiple of the largest of them, as for every subtree in RFC 6962.
    """
    nodes = []
    while start < stop:
        height = (stop - start).bit_length() - 1
        nodes.append(Node(height, start >> height))
        start += 1 << height
    return nodes


def fold(hashes: Sequence[bytes]) -> bytes:
    """Return the root over the hashes of `covering_subtrees`."""
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def inclusion_parts(index: int, size: int) -> list[list[Node]]:
    """Return the subtrees whose roots are the inclusion proof of an entry (RFC 6962, section 2.1.1)."""
    if not 0 <= index < size:
        raise InvalidInput(
            f"expected an entry of the tree of {size}, not number {index}", path=("index",)
        )
    parts, start, stop = [], 0, size
    while stop - start > 1:
        middle = start + _split_width(stop - start)
        if index < middle:
            parts.append(covering_subtrees(middle, stop))
            stop = middle
        else:
            parts.append(covering_subtrees(start, middle))
            start = middle
    return parts[::-1]


def consistency_parts(old: int, new: int) -> list[list[Node]]:
    """Return the subtrees whose roots are the consistency proof of two sizes (RFC 6962, section 2.1.2)."""
    if not 0 <= old <= new:
        raise InvalidInput(f"expected a tree of at most {new} entries, not {old}", path=("from",))
    if old in (0, new):
        return []
    parts, start, stop, known = [], 0, new, True
    while old != stop:
        middle = start + _split_width(stop - start)
        if old <= middle:
            parts.append(covering_subtrees(middle, stop))
            stop = middle
        else:
            parts.append(covering_subtrees(start, middle))
            start, known = middle, False
    if not known:
        parts.append(covering_subtrees(start, stop))
    return parts[::-1]


def _split_width(width: int) -> int:
    """Return the largest power of two below `width`."""
    return 1 << (width - 1).bit_length() - 1


def tiles_of(nodes: Iterable[Node], size: int) -> set[Tile]:
    """Return the tiles that contain some nodes, in a tree of `size` entries."""
    return {_tile_of(node, size) for node in nodes}


def _tile_of(node: Node, size: int) -> Tile:
    level, above = divmod(node.height, TILE_HEIGHT)
    return tile_at(level, node.number >> TILE_HEIGHT - above, size)


class TreeHashes:
    """The hashes of a tree of `size` entries, from some of its tiles."""

    def __init__(self, size: int, tiles: Mapping[Tile, bytes]):
        self.size = size
        self._tiles = tiles
        self._known: dict[Node, bytes] = {}

    def node(self, node: Node) -> bytes:
        """Return the hash of a node in the tiles. Raises NotProven if its tile is too short."""
        if node not in self._known:
            self._known[node] = self._find(node)
        return self._known[node]

    def _find(self, node: Node) -> bytes:
        tile = _tile_of(node, self.size)
        data, slots = self._tiles[tile], 1 << node.height % TILE_HEIGHT
        first = node.number * slots % TILE_WIDTH
        hashes = data[first * HASH_BYTES : (first + slots) * HASH_BYTES]
        if len(data) != tile.width * HASH_BYTES or len(hashes) != slots * HASH_BYTES:
            raise NotProven(
                f"tile {tile.path} has {len(data)} bytes: expected {tile.width * HASH_BYTES}"
            )
        return tile_root(hashes)

    def fold(self, nodes: Sequence[Node]) -> bytes:
        """Return the root over nodes."""
        return fold([self.node(node) for node in nodes])

    def root(self, size: int | None = None) -> bytes:
        """Return the root of the tree, or of a smaller size of it."""
        nodes = covering_subtrees(0, self.size if size is None else size)
        return self.fold(nodes) if nodes else EMPTY_ROOT

    def proof(self, parts: Iterable[Sequence[Node]]) -> list[bytes]:
        """Return the hashes of a proof."""
        return [self.fold(part) for part in parts]


def check_consistency(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Check that a tree of `new` entries begins with one of `old` (RFC 9162, section 2.1.4.2).

    Raises NotProven.
    """
    if old > new:
        raise NotProven(f"a tree of {new} entries does not begin with one of {old}")
    if old in (0, new):
        if proof or old_root != (new_root if old else EMPTY_ROOT):
            raise NotProven(f"two roots of one tree of {old} entries are not the same")
        return
    if not proof or _roots(old, new, proof, old_root) != (old_root, new_root):
        raise NotProven(
            f"the consistency proof does not lead from the root of {old} entries to that of {new}"
        )


def _roots(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes
) -> tuple[bytes, bytes] | None:
    """The old and the new root that a consistency proof leads to; None for one of a wrong shape."""
    rest = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = rest[0]
    for hash in rest[1:]:
        if not last:
            return None
        if at & 1 or at == last:
            before, after = node_hash(hash, before), node_hash(hash, after)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            after = node_hash(after, hash)
        at, last = at >> 1, last >> 1
    return None if last else (before, after)
