"""A log as files in the layout of C2SP tlog-tiles: in a directory, or below an address.

    checkpoint            the signed head
    checkpoints/<size>    heads of earlier sizes, signed at their time
    tile/<L>/<N>          hashes; tile/0 has those of entries
    tile/entries/<N>      256 entries, each after its length in two bytes
    key                   the log's verifier keys, one per line
    annexes               the texts that entries commit to: see bundle/annexes.py
    snapshots/<XX>/<S>    bytes that events name by their SHA-256, S, below its first two digits

The last tile of a level has fewer than 256 hashes, and a path with their number, such as
`tile/0/001.p/44`. If the partial form of a tile is missing, readers use the full one.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

from tracker.audit.format.bounded_files import names_in, open_file, read_chunks, read_file
from tracker.audit.format.checkpoint import NUMBER
from tracker.audit.format.merkle import HASH_BYTES, TILE_WIDTH, Tile, tile_hashes
from tracker.audit.format.signed_note import MAX_NOTE_BYTES as MOST_NOTE_BYTES
from tracker.errors import InvalidInput, Rejected, TrackerError
from tracker.log.entry_hash import leaf_hash
from tracker.snapshots.digest import MAX_SNAPSHOT_BYTES
from tracker.snapshots.directory import CHUNK_BYTES, relative_path

CHECKPOINT = "checkpoint"
CHECKPOINTS = "checkpoints"
KEY = "key"
ANNEXES = "annexes"
SNAPSHOTS = "snapshots"
LENGTH_BYTES = 2
"""Number of bytes with the length of an entry."""
MAX_ENTRIES_BYTES = TILE_WIDTH * (LENGTH_BYTES + 65_535)
MAX_ANNEX_LINE_BYTES = 1_000_000
"""Maximum length of a line of `annexes`: a text has at most 60,000 bytes, and JSON may write each as six."""

MAX_ANNEXES_BYTES = 256_000_000
"""Maximum bytes of texts read from an address at a time."""


def max_bytes(path: str) -> int:
    """Return the maximum size in bytes of a file of a log, by its kind."""
    if path.startswith("tile/entries/"):
        return MAX_ENTRIES_BYTES
    if path == ANNEXES:
        return MAX_ANNEXES_BYTES
    return TILE_WIDTH * HASH_BYTES if path.startswith("tile/") else MOST_NOTE_BYTES


class LogFiles(ABC):
    """A log as files, as read by `Verification`. `ahead` tiles are prefetched."""

    name: str
    ahead: int
    has_snapshots = False
    """Whether this log includes the bytes that events name."""

    @abstractmethod
    async def read(self, path: str) -> bytes | None:
        """Return the content of a file, or None if there is none. Raises Unavailable."""

    @abstractmethod
    def missing_error(self, path: str, positions: range | None = None) -> TrackerError:
        """The error to raise when a required file is missing."""

    @abstractmethod
    def checkpoints(self, after: int) -> AsyncIterator[tuple[int, bytes]]:
        """Yield the notes of heads of sizes above `after`, in the order of sizes."""

    def annex_lines(self) -> Iterator[bytes] | None:
        """Return the lines of texts that entries commit to; None if they are not part of the log."""
        return None

    def texts(self, after: int, until: int) -> Iterator[bytes] | None:
        """Return the lines of texts of the events after one position up to another, in order.

        It may contain lines of other events. None if the log has no texts.
        """
        return self.annex_lines()

    def snapshot(self, sha256: str) -> Iterator[bytes] | None:
        """Return the bytes of a snapshot, in pieces; None if it is missing."""
        return None

    async def redacts(self, sha256: str) -> bool:
        """Return whether the log reports, outside of its entries, that a snapshot was redacted."""
        return False

    async def head(self) -> bytes:
        """Return the note of the newest checkpoint."""
        return await self.read_required(CHECKPOINT)

    async def next_head(self, size: int, seconds: float) -> bytes:
        """Return the newest head; some logs wait up to some seconds for one above a size."""
        return await self.head()

    async def read_required(self, path: str) -> bytes:
        """Return a required file. Raises `missing_error`."""
        content = await self.read(path)
        if content is None:
            raise self.missing_error(path)
        return content

    async def entries(self, tile: Tile) -> list[bytes]:
        """Return the entries below a tile of level 0. Raises Rejected (MISSING, BAD_LENGTH)."""
        path = f"tile/{tile.entries_path}"
        content, exact = await self._read_tile(tile, path, f"tile/{_full(tile).entries_path}")
        entries, fault = decode_entries(content, tile, path, exact=exact)
        if fault:
            raise await self._length_fault(tile, entries) or fault
        return entries

    async def _length_fault(self, tile: Tile, entries: list[bytes]) -> Rejected | None:
        """Return the fault before the end of a tile with too few or too many entries."""
        for number, (entry, hash) in enumerate(zip(entries, await self.tile(tile), strict=False)):
            if leaf_hash(entry) != hash:
                return Rejected(
                    "BAD_LENGTH",
                    "from here on its file has other entries than the"
                    " tile, or other lengths of them",
                    positions_below(tile, number),
                )
        return None

    async def tile(self, tile: Tile) -> list[bytes]:
        """Return the hashes of a tile. Raises Rejected (MISSING, BAD_LENGTH)."""
        path = f"tile/{tile.path}"
        content, exact = await self._read_tile(tile, path, f"tile/{_full(tile).path}")
        size = tile.width * HASH_BYTES
        if len(content) < size or (exact and len(content) > size):
            raise Rejected(
                "BAD_LENGTH",
                f"{path} has {len(content)} bytes: expected {size}",
                positions_below(tile, min(len(content) // HASH_BYTES, tile.width - 1)),
            )
        return tile_hashes(content[:size])

    async def _read_tile(self, tile: Tile, path: str, full: str) -> tuple[bytes, bool]:
        """Return the partial form of a tile or, if that is missing, the full one, and which of them it is."""
        content = await self.read(path)
        if content is not None:
            return content, True
        content = await self.read(full) if full != path else None
        if content is None:
            raise self.missing_error(path, positions_of(tile))
        return content, False


class BundleFiles(LogFiles):
    """A log in a directory, as written by `tracker export`."""

    ahead = 1
    has_snapshots = True

    def __init__(self, directory: Path):
        self.directory = directory
        self.name = str(directory)

    async def read(self, path: str) -> bytes | None:
        """Return the content of a file, or None if there is none. Raises as `read_file` does."""
        return read_file(self.directory, path, max_bytes(path))

    def annex_lines(self) -> Iterator[bytes]:
        """Yield the lines of the file `annexes`; none if it does not exist. Raises Rejected."""
        file = open_file(self.directory, ANNEXES)
        if file is None:
            return
        with file:
            while line := file.readline(MAX_ANNEX_LINE_BYTES + 1):
                if len(line) > MAX_ANNEX_LINE_BYTES:
                    raise Rejected(
                        "ALTERED_ANNEX",
                        f"{ANNEXES} has a line of more than {MAX_ANNEX_LINE_BYTES:,} bytes",
                    )
                yield line

    def texts(self, after: int, until: int) -> Iterator[bytes] | None:
        """Return all lines of the file `annexes`; None if it does not exist. Raises as `annex_lines`."""
        file = open_file(self.directory, ANNEXES)
        if file is None:
            return None
        file.close()
        return self.annex_lines()

    def snapshot(self, sha256: str) -> Iterator[bytes] | None:
        """Return the bytes of a snapshot, in pieces; an oversized one is cut off.

        Raises as `open_file` does, and Unavailable during reading.
        """
        path = f"{SNAPSHOTS}/{relative_path(sha256)}"
        file = open_file(self.directory, path)
        return None if file is None else read_chunks(file, MAX_SNAPSHOT_BYTES + 1, CHUNK_BYTES)

    def missing_error(self, path: str, positions: range | None = None) -> TrackerError:
        """Return the error of a missing file: without a checkpoint it is not a bundle, otherwise it is
        incomplete."""
        if path == CHECKPOINT:
            return InvalidInput(
                f"{self.name} is not a bundle: expected a directory with a file"
                " `checkpoint`, as `tracker export` makes it",
                code="NO_BUNDLE",
            )
        return Rejected("MISSING", f"{path} is missing", positions)

    async def checkpoints(self, after: int) -> AsyncIterator[tuple[int, bytes]]:
        """Yield the notes of heads of sizes above `after`, in the order of sizes."""
        sizes = [
            int(name) for name in names_in(self.directory, CHECKPOINTS) if NUMBER.fullmatch(name)
        ]
        for size in sorted(sizes):
            if size > after:
                yield size, await self.read_required(f"{CHECKPOINTS}/{size}")


def positions_below(tile: Tile, index: int) -> range:
    """Return the positions below a hash of a tile."""
    width = TILE_WIDTH**tile.level
    first = (tile.number * TILE_WIDTH + index) * width + 1
    return range(first, first + width)


def positions_of(tile: Tile) -> range:
    """Return the positions below a tile."""
    return range(positions_below(tile, 0)[0], positions_below(tile, tile.width - 1)[-1] + 1)


def encode_entries(entries: Sequence[bytes]) -> bytes:
    """Encode entries as the bytes of their file."""
    return b"".join(len(entry).to_bytes(LENGTH_BYTES, "big") + entry for entry in entries)


def decode_entries(
    content: bytes, tile: Tile, path: str, *, exact: bool = True
) -> tuple[list[bytes], Rejected | None]:
    """Decode the entries of a file, and return the fault of its length, if any.

    Unless it must be `exact`, a file may continue after them.
    """
    entries, start = list[bytes](), 0
    while len(entries) < tile.width:
        stop = start + LENGTH_BYTES + int.from_bytes(content[start : start + LENGTH_BYTES], "big")
        if len(content) < max(stop, start + LENGTH_BYTES):
            return entries, Rejected(
                "BAD_LENGTH",
                f"{path} ends within its entry {len(entries) + 1} of {tile.width}",
                positions_below(tile, len(entries)),
            )
        entries.append(content[start + LENGTH_BYTES : stop])
        start = stop
    if exact and start != len(content):
        return entries, Rejected(
            "BAD_LENGTH",
            f"{path} goes on after its {tile.width} entries",
            positions_below(tile, tile.width),
        )
    return entries, None


def _full(tile: Tile) -> Tile:
    return Tile(tile.level, tile.number)
