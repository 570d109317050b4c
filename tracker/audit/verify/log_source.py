"""The source of a log that is verified: a bundle, an address, a database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Protocol

from tracker.audit.format.merkle import Tile


class LogSource(Protocol):
    """The source of a log: a bundle, an address, a database. `ahead` tiles are read in advance."""

    name: str
    ahead: int
    has_snapshots: bool

    async def head(self) -> bytes:
        """The note of the newest checkpoint."""

    async def entries(self, tile: Tile) -> list[bytes]:
        """The entries below a tile of level 0."""

    async def tile(self, tile: Tile) -> list[bytes] | None:
        """The hashes of a tile; None where this source keeps none."""

    def checkpoints(self, after: int) -> AsyncIterator[tuple[int, bytes]]:
        """The notes of heads of sizes above `after`, in the order of sizes."""

    def annex_lines(self) -> Iterator[bytes] | None:
        """The lines of texts that entries commit to; None where they do not belong to the log."""

    def texts(self, after: int, until: int) -> Iterator[bytes] | None:
        """The lines of texts of the events after a position up to another, and perhaps of others; None where
        there are none."""

    def snapshot(self, sha256: str) -> Iterator[bytes] | None:
        """The bytes of a snapshot, in pieces; None where it is not there."""

    async def redacts(self, sha256: str) -> bool:
        """Whether it says that the bytes of a snapshot were redacted, which only a signed event proves."""
