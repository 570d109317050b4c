"""The log of a database for `Verification`: its rows, and their published form.

The functions and queries that serve the log are not used. The columns of an event must equal the values in
its entry, and the published rows must be as signed.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import msgspec

from tracker.audit.format.frontier import FullTile, root_over
from tracker.audit.format.layout import positions_below, positions_of
from tracker.audit.format.merkle import TILE_WIDTH, Tile, tile_hashes
from tracker.audit.verify.snapshot_check import ReadSnapshot
from tracker.audit.verify.trust import parse_head
from tracker.errors import NotFound, Rejected
from tracker.log.entries import recorded
from tracker.postgres.database import Pool, named_queries

SQL = named_queries(Path(__file__).with_name("database_source.sql"))
COLUMNS = ("position", "event_id", "stream", "version", "type", "recorded_at")
"""Columns that repeat values of entries for indexes."""


class DatabaseSource:
    """The log of a database; hashes of events in incomplete tiles are not stored.

    Raises Rejected if rows differ from what was signed: also MISSING_ROW and WRONG_COLUMN.
    """

    name, ahead = "the database", 1

    def __init__(self, pool: Pool, snapshots: ReadSnapshot | None = None):
        """Create the source; without `snapshots` none are checked."""
        self._pool = pool
        self._read_snapshot = snapshots
        self.has_snapshots = snapshots is not None

    async def head(self) -> bytes:
        """Return the note of the newest checkpoint. Raises NotFound if there is none."""
        row = await self._pool.fetchrow(SQL.last_checkpoint)
        if row is None:
            raise NotFound(
                "This log has never been signed: `tracker serve` does that, with the"
                " keys of TRACKER_AUDIT_DIR",
                code="NOT_SIGNED",
            )
        return _note(row)

    async def entries(self, tile: Tile) -> list[bytes]:
        """Return the entries below a tile of level 0."""
        positions = positions_of(tile)
        rows = await self._pool.fetch(SQL.events, positions[0] - 1, positions[-1])
        for position, row in zip(positions, rows, strict=False):
            if row["position"] != position:
                raise _missing(position)
            _check_columns(row)
        if len(rows) < len(positions):
            raise _missing(positions[len(rows)])
        return [row["entry"] for row in rows]

    async def tile(self, tile: Tile) -> list[bytes] | None:
        """Return the hashes of a tile; None for an incomplete one."""
        if tile.width < TILE_WIDTH:
            return await self._partial_tile(tile) if tile.level else None
        hashes = await self._stored_tile(tile)
        if hashes is None:
            raise Rejected(
                "MISSING_ROW", f"the row of tile/{tile.path} is missing", positions_of(tile)
            )
        return hashes

    async def compare_tile(self, full: FullTile) -> None:
        """Compare a computed tile with the stored one, if it exists. Raises Rejected (ALTERED_TILE)."""
        if await self._stored_tile(full.tile) not in (None, full.hashes):
            raise Rejected(
                "ALTERED_TILE",
                f"the row of tile/{full.tile.path} does not have the hashes of the level below",
                positions_of(full.tile),
            )

    async def _stored_tile(self, tile: Tile) -> list[bytes] | None:
        """Return the hashes of a complete tile; None if it is not stored."""
        row = await self._pool.fetchrow(SQL.tile, tile.level, tile.number)
        if row is None:
            return None
        hashes = tile_hashes(row["hashes"])
        if root_over(hashes) != row["root"]:
            raise Rejected(
                "ALTERED_TILE",
                f"the row of tile/{tile.path} does not have the root of its hashes",
                positions_of(tile),
            )
        return hashes

    async def checkpoints(self, after: int) -> AsyncIterator[tuple[int, bytes]]:
        """Yield the notes of heads of sizes above `after`, in the order of sizes."""
        while rows := await self._pool.fetch(SQL.checkpoints, after):
            for row in rows:
                yield row["size"], _note(row)
            after = rows[-1]["size"]

    def annex_lines(self) -> None:
        """Return None: texts of a database are not part of the log."""

    def texts(self, after: int, until: int) -> None:
        """Return None: texts of a database are not part of the log."""

    def snapshot(self, sha256: str) -> Iterator[bytes] | None:
        """Return the bytes of a snapshot; None if there are none. Raises Unavailable."""
        return self._read_snapshot(sha256) if self._read_snapshot else None

    async def redacts(self, sha256: str) -> bool:
        """Return whether a row of the log reports that a snapshot was redacted."""
        return bool(await self._pool.fetchval(SQL.redacts, bytes.fromhex(sha256)))

    async def _partial_tile(self, tile: Tile) -> list[bytes]:
        """Return an incomplete tile: the roots of complete ones below it."""
        first = tile.number * TILE_WIDTH
        rows = await self._pool.fetch(SQL.roots, tile.level - 1, first, first + tile.width)
        if len(rows) < tile.width:
            raise Rejected(
                "MISSING_ROW", f"a row below tile/{tile.path} is missing", positions_of(tile)
            )
        return [row["root"] for row in rows]


def _note(row: asyncpg.Record) -> bytes:
    note = str(row["note"]).encode()
    checkpoint = parse_head(note, f"the checkpoint of {row['size']}")[1]
    if (checkpoint.size, checkpoint.root) != (row["size"], row["root"]):
        raise Rejected(
            "BAD_CHECKPOINT", f"the row of the checkpoint of {row['size']} is not as its note"
        )
    return note


def _missing(position: int) -> Rejected:
    return Rejected("MISSING_ROW", "there is no row", range(position, position + 1))


def _check_columns(row: asyncpg.Record) -> None:
    """Check that the columns equal the entry. An invalid event is reported elsewhere."""
    try:
        event = recorded(row["entry"])
    except (msgspec.MsgspecError, UnicodeError):
        return
    for name in COLUMNS:
        if row[name] != getattr(event, name):
            raise Rejected(
                "WRONG_COLUMN",
                f"its column {name} says {row[name]}, the entry {getattr(event, name)}",
                positions_below(Tile(0, 0), row["position"] - 1),
            )
