"""The source of a verified log: a bundle, an address, a database."""

from collections.abc import AsyncIterator, Iterator
from typing import Protocol

from tracker.audit.format.merkle import Tile


class LogSource(Protocol):
    """The source of a log: a bundle, an address, a database. `ahead` tiles are read in advance."""

    name: str
    ahead: int
    has_snapshots: bool

    async def head(self) -> bytes:
        """Return the note of the newest checkpoint."""

    async def entries(self, tile: Tile) -> list[bytes]:
        """Return the entries below a tile of level 0."""

    async def tile(self, tile: Tile) -> list[bytes] | None:
        """Return the hashes of a tile; None if this source does not store it."""

    def checkpoints(self, after: int) -> AsyncIterator[tuple[int, bytes]]:
        """Yield the notes of heads of sizes above `after`, in the order of sizes."""

    def annex_lines(self) -> Iterator[bytes] | None:
        """Return the lines of texts that entries commit to; None if they are not part of the log."""

    def texts(self, after: int, until: int) -> Iterator[bytes] | None:
        """Return the lines of texts of the events after one position up to another, and perhaps of others.

        None if the source has no texts.
        """

    def snapshot(self, sha256: str) -> Iterator[bytes] | None:
        """Return the bytes of a snapshot, in pieces; None if it is missing."""

    async def redacts(self, sha256: str) -> bool:
        """Return whether the source reports a redaction of a snapshot; only a signed event proves it."""
