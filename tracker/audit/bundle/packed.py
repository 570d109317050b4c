"""A log packed into few files, as it ships with the program.

    checkpoint, checkpoints/<size>, key    as in every bundle
    entries.xz                             the files tile/entries/<N>, one after the other
    annexes.xz                             the file annexes

The tiles of hashes are left out, because they follow from the entries. Every addition is a further stream of
xz at the end of a file, so the files before it are the first bytes of the new ones.
"""

import lzma
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

from tracker.audit.bundle.export import BundleWriter
from tracker.audit.format import layout
from tracker.audit.format.bounded_files import read_file
from tracker.audit.format.frontier import root_over
from tracker.audit.format.merkle import TILE_WIDTH, Tile
from tracker.audit.format.signed_note import Verifier
from tracker.audit.verify.trust import TrustedCheckpoint, TrustPolicy, parse_head
from tracker.errors import Rejected
from tracker.log.entry_hash import leaf_hash

ENTRIES_FILE, ANNEXES_FILE = "entries.xz", f"{layout.ANNEXES}.xz"
MAX_PACKED_BYTES = 64_000_000
MAX_UNPACKED_BYTES = 1_000_000_000
"""Maximum bytes of a file, packed and unpacked: a small file could fill the memory."""


class PackedLog(layout.BundleFiles):
    """A packed log, read like any bundle. It is unpacked once, in memory."""

    has_snapshots = False

    def __init__(self, directory: Path):
        super().__init__(directory)
        self._entries: list[bytes] | None = None
        self._lines: list[bytes] | None = None

    @staticmethod
    def is_at(directory: Path) -> bool:
        """Return whether the log in a directory is packed."""
        return (directory / ENTRIES_FILE).is_file()

    async def trust(self) -> TrustPolicy:
        """Return the keys in the log itself, which prove nothing about its origin."""
        lines = (await self.read_required(layout.KEY)).decode().splitlines()
        return TrustPolicy(tuple(map(Verifier.parse, lines)))

    async def all_entries(self) -> list[bytes]:
        """Return the entries in order; none if there is no log. Raises Rejected (BAD_LENGTH)."""
        if self._entries is None:
            note = await self.read(layout.CHECKPOINT)
            if note is None:
                return []
            tile = Tile(0, 0, parse_head(note, layout.CHECKPOINT)[1].size)
            entries, fault = layout.decode_entries(self._unpack(ENTRIES_FILE), tile, ENTRIES_FILE)
            if fault:
                raise fault
            self._entries = entries
        return self._entries

    async def entries(self, tile: Tile) -> list[bytes]:
        """Return the entries below a tile of level 0. Raises Rejected (BAD_LENGTH)."""
        first = layout.positions_below(tile, 0)[0] - 1
        return (await self.all_entries())[first : first + tile.width]

    async def tile(self, tile: Tile) -> list[bytes]:
        """Return the hashes of a tile, computed from the entries."""
        if not tile.level:
            return [leaf_hash(entry) for entry in await self.entries(tile)]
        first = tile.number * TILE_WIDTH
        below = (Tile(tile.level - 1, number) for number in range(first, first + tile.width))
        return [root_over(await self.tile(one)) for one in below]

    def annex_lines(self) -> Iterator[bytes]:
        """Return the lines of the texts. Raises Rejected (BAD_LENGTH)."""
        if self._lines is None:
            self._lines = self._unpack(ANNEXES_FILE).splitlines(keepends=True)
        return iter(self._lines)

    def texts(self, after: int, until: int) -> Iterator[bytes]:
        """Return the lines of all texts."""
        return self.annex_lines()

    def packed(self, name: str) -> bytes:
        """Return the bytes of a file as they are stored; none if it does not exist."""
        return read_file(self.directory, name, MAX_PACKED_BYTES) or b""

    def _unpack(self, name: str) -> bytes:
        try:
            with lzma.open(BytesIO(self.packed(name))) as file:
                content = file.read(MAX_UNPACKED_BYTES + 1)
        except (lzma.LZMAError, EOFError) as error:
            raise Rejected("BAD_LENGTH", f"{name} cannot be unpacked: {error}") from None
        if len(content) > MAX_UNPACKED_BYTES:
            raise Rejected("BAD_LENGTH", f"{name} has more than {MAX_UNPACKED_BYTES:,} bytes")
        return content


def append_packed(
    log: PackedLog,
    entries: Sequence[bytes],
    annexes: Sequence[bytes],
    head: TrustedCheckpoint,
    keys: Sequence[Verifier],
) -> None:
    """Append entries and lines of texts to a packed log, and give it a new head.

    `keys` are those of all its heads. Raises InvalidInput if the directory cannot be written.
    """
    writer = BundleWriter(log.directory)
    for name, more in (
        (ENTRIES_FILE, layout.encode_entries(entries)),
        (ANNEXES_FILE, b"".join(annexes)),
    ):
        writer.write_file(name, log.packed(name) + lzma.compress(more))
    writer.write_file(layout.KEY, "".join(f"{key}\n" for key in keys).encode())
    writer.finish(head)
