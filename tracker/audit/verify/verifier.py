"""Verification: every hash derived anew from the entries, and compared with all that is kept.

It is one pass in the order of positions, in memory that grows with the logarithm of the log. What
is given out is pages that fit their tile; they are to be believed once the pass has come to its
end, for only there stands the root that was signed.

What is wrong is raised as Rejected, for the first position it can be told of. Its codes:

    BAD_LENGTH, MISSING        a file is cut off, too long or not there
    ALTERED_ENTRY              an entry is not the one that was signed
    ALTERED_TILE               a tile does not have the hashes of its entries
    WRONG_ROOT                 entries and tiles agree, but are not what was signed
    NOT_AN_EVENT               an entry can't be read
    WRONG_POSITION, WRONG_TIME, WRONG_VERSION, REPEATED_EVENT_ID
                               what was signed is not in order
    SHRUNK, FORKED             the log is not a continuation of what it was before
    ALTERED_ANNEX, MISSING_ANNEX
                               a text is not the one that its entry commits to, or is gone
    ALTERED_SNAPSHOT, MISSING_SNAPSHOT
                               bytes that an event names are others, or are gone

Bundles are also refused as NOT_A_FILE and TOO_MANY_FILES: see bounded_files.py.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

import msgspec

from tracker.audit.format.frontier import FullTile, TileFrontier, partial_tiles_at, root_over
from tracker.audit.format.layout import CHECKPOINTS, positions_below
from tracker.audit.format.merkle import TILE_HEIGHT, TILE_WIDTH, Tile
from tracker.audit.verify.annex_file import AnnexChecker
from tracker.audit.verify.snapshot_check import SnapshotChecker
from tracker.audit.verify.stream_order import StreamOrderChecker
from tracker.audit.verify.trust import TrustedCheckpoint, TrustPolicy, parse_head
from tracker.domain.watched_source_facts import REDACTED_SNAPSHOT_TYPE
from tracker.errors import Rejected
from tracker.log.entries import MAX_VERSION, RecordedEvent, recorded
from tracker.log.entry_hash import leaf_hash
from tracker.snapshots.named import redacted_snapshot


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

    def snapshot(self, sha256: str) -> Iterator[bytes] | None:
        """The bytes of a snapshot, in pieces; None where it is not there."""


@dataclass(frozen=True, slots=True)
class KnownHead:
    """A checkpoint that the log must have had; `saved` if the auditor kept it from an earlier
    verification.
    """

    name: str
    head: TrustedCheckpoint
    saved: bool


class VerifiedPage(NamedTuple):
    """A tile of level 0 as it was derived: its entries, the events in them, the tiles of any level
    that they fill, and the heads that the log had while it grew over them."""

    tile: Tile
    entries: list[bytes]
    events: list[RecordedEvent]
    full_tiles: list[FullTile]
    heads: list[TrustedCheckpoint]


class Verification:
    """One pass over a log. Make it by `begin`, then go through `pages` to the end."""

    def __init__(
        self,
        source: LogSource,
        trust: TrustPolicy,
        head: TrustedCheckpoint,
        saved: TrustedCheckpoint | None,
        first: int,
        texts: AnnexChecker | None,
        snapshots: SnapshotChecker | None,
    ):
        self.source = source
        """The log that it is about."""
        self._trust, self._saved = trust, saved
        self.head = head
        self.first = first
        """The first position that is looked at."""
        self.recorded_at: datetime | None = None
        """When the last event that was looked at was recorded."""
        self.heads = self.unknown_signers = 0
        """The number of earlier checkpoints that were compared, and of those that no trusted key
        has signed.
        """
        self.frontier = TileFrontier()
        """The right edge of the tree, as far as the pass has come."""
        self.texts = texts
        """What was found of the texts that entries commit to; None where the source has none."""
        self.snapshots = snapshots
        """What was found of the snapshots that events name; None where the source has none."""
        self._stream_order = StreamOrderChecker(whole=first == 1)
        self._matching_size = 0
        self._remaining_heads: AsyncIterator[KnownHead]
        self._next_head: KnownHead | None = None
        self._first_mismatch: KnownHead | None = None

    @staticmethod
    async def begin(
        source: LogSource,
        trust: TrustPolicy,
        saved: TrustedCheckpoint | None = None,
        *,
        only_new: bool = False,
        since: int | None = None,
        allow_missing_texts: bool = False,
        allow_missing_snapshots: bool = False,
    ) -> Verification:
        """Check the newest head, and that it may follow the saved one.

        With `only_new` the pass begins at the last event that the saved head is about, or at the one at
        `since` if that is earlier. With `allow_missing_texts` texts may be missing, which are then
        counted, with `allow_missing_snapshots` snapshots; none may be altered.
        Raises Rejected as `TrustPolicy.verify_head` does, and SHRUNK or FORKED; and Unavailable.
        """
        head = trust.verify_head(await source.head(), "the checkpoint")
        if saved is not None:
            _check_later(head, saved)
        begun = _start(saved.size if saved and only_new else 0, since)
        lines = source.annex_lines()
        texts = (
            None
            if lines is None
            else AnnexChecker(lines, begun + 1, head.size, allow_missing=allow_missing_texts)
        )
        snapshots = (
            SnapshotChecker(source.snapshot, begun + 1, allow_missing=allow_missing_snapshots)
            if source.has_snapshots
            else None
        )
        return Verification(source, trust, head, saved, begun + 1, texts, snapshots)

    async def pages(self) -> AsyncIterator[VerifiedPage]:
        """The log in its order. Raises Rejected."""
        try:
            async for page in self._verify_pages():
                yield page
        except Rejected as error:
            raise self._earliest_error(error) from None
        finally:
            self._stream_order.close()

    async def run(self, progress: Callable[[int], None] = lambda _: None) -> None:
        """Go to the end; `progress` gets the positions that are reached. Raises Rejected."""
        async for page in self.pages():
            progress(page.events[-1].position)

    async def _verify_pages(self) -> AsyncIterator[VerifiedPage]:
        self.frontier = await self._read_frontier(self.first - 1)
        self._remaining_heads = self._known_heads()
        self._next_head = await anext(self._remaining_heads, None)
        async for tile, entries, stored in self._read_ahead():
            leaves = [leaf_hash(entry) for entry in entries]
            wrong = _first_difference(leaves, stored)
            page = VerifiedPage(tile, entries, [], [], [])
            await self._add_leaves(page, leaves[:wrong])
            page.events.extend(
                self._check_entry(entry, tile.number * TILE_WIDTH + number)
                for number, entry in enumerate(entries[:wrong], 1)
            )
            if self.texts:
                self.texts.check(page.events)
            if self.snapshots:
                await asyncio.to_thread(self.snapshots.check, page.events)
            if wrong is not None:
                await self._raise_altered(tile, wrong, stored or [])
            for filled in page.full_tiles:
                await self._compare_tile(filled)
            yield page
        await self._check_end()

    async def _add_leaves(self, page: VerifiedPage, leaves: list[bytes]) -> None:
        """Let the tree grow over a page, and compare its root at every mark on the way."""
        start = page.tile.number * TILE_WIDTH
        while self._next_head and self._next_head.head.size <= start + len(leaves):
            upto = self._next_head.head.size - start
            page.full_tiles.extend(self.frontier.add(leaves[self.frontier.size - start : upto]))
            self._check_known_head(self._next_head)
            page.heads.append(self._next_head.head)
            self._next_head = await anext(self._remaining_heads, None)
        page.full_tiles.extend(self.frontier.add(leaves[self.frontier.size - start :]))

    async def _read_frontier(self, size: int) -> TileFrontier:
        """The edge of the tree where the pass begins: what was seen before is taken from tiles."""
        begun = []
        for tile in partial_tiles_at(size):
            hashes = await self.source.tile(self._as_published(tile)) or []
            begun.append(FullTile(tile, hashes[: tile.width]))
        return TileFrontier(begun)

    def _as_published(self, tile: Tile) -> Tile:
        """The tile as wide as it is in the tree of the head."""
        there = (self.head.size >> TILE_HEIGHT * tile.level) - tile.number * TILE_WIDTH
        return tile._replace(width=min(TILE_WIDTH, there))

    async def _read_ahead(self) -> AsyncIterator[tuple[Tile, list[bytes], list[bytes] | None]]:
        """Every tile of level 0 with its entries; the next ones are being read meanwhile."""
        reading = deque[tuple[Tile, asyncio.Task[tuple[list[bytes], list[bytes] | None]]]]()
        try:
            for tile in self._entry_tiles():
                reading.append((tile, asyncio.create_task(self._read_tile(tile))))
                if len(reading) > self.source.ahead:
                    tile, task = reading.popleft()
                    yield tile, *(await task)
            while reading:
                tile, task = reading.popleft()
                yield tile, *(await task)
        finally:
            for _, task in reading:
                task.cancel()
            await asyncio.gather(*(task for _, task in reading), return_exceptions=True)

    def _entry_tiles(self) -> Iterator[Tile]:
        for index in range((self.first - 1) // TILE_WIDTH, -(-self.head.size // TILE_WIDTH)):
            yield self._as_published(Tile(0, index))

    async def _read_tile(self, tile: Tile) -> tuple[list[bytes], list[bytes] | None]:
        return await self.source.entries(tile), await self.source.tile(tile)

    def _check_entry(self, entry: bytes, position: int) -> RecordedEvent:
        try:
            event = recorded(entry)
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise Rejected(
                "NOT_AN_EVENT", f"the entry is no event: {error}", _at(position)
            ) from None
        if event.recorded_at.tzinfo is None:
            raise Rejected("NOT_AN_EVENT", "its time has no time zone", _at(position))
        if not 0 < event.version <= MAX_VERSION:
            raise Rejected("WRONG_VERSION", f"its version is {event.version}", _at(position))
        if event.position != position:
            raise Rejected(
                "WRONG_POSITION", f"the entry says that it is at {event.position}", _at(position)
            )
        if self.recorded_at is not None and event.recorded_at < self.recorded_at:
            raise Rejected(
                "WRONG_TIME",
                f"it was recorded at {event.recorded_at}, before"
                f" {self.recorded_at} of the one before",
                _at(position),
            )
        self.recorded_at = event.recorded_at
        self._stream_order.add(event)
        return event

    async def _compare_tile(self, filled: FullTile) -> None:
        """Compare a tile of hashes of tiles with the one that is kept, if there is one."""
        if filled.tile.level:
            stored = await self.source.tile(filled.tile)
            wrong = _first_difference(filled.hashes, stored)
            if wrong is not None:
                await self._raise_altered(filled.tile, wrong, stored or [])

    async def _raise_altered(self, tile: Tile, wrong: int, stored: list[bytes]) -> None:
        """Say whether a tile has been altered, or what is below it. Raises Rejected."""
        positions = positions_below(tile, wrong)
        if not await self._leads_to_root(tile, stored):
            raise Rejected(
                "ALTERED_TILE",
                f"tile/{tile.path} does not have the hash of what is below it",
                positions,
            )
        raise Rejected(
            "ALTERED_ENTRY",
            "the entry is not the one that was signed"
            if not tile.level
            else "entries here are not those that were signed",
            positions,
        )

    async def _leads_to_root(self, tile: Tile, hashes: list[bytes]) -> bool:
        """Whether the tiles that are kept lead from this one to the root that was signed."""
        while tile.width == TILE_WIDTH:
            above = self._as_published(Tile(tile.level + 1, tile.number // TILE_WIDTH))
            stored = await self.source.tile(above)
            if stored is None or stored[tile.number % TILE_WIDTH] != root_over(hashes):
                return False
            tile, hashes = above, stored
        edge = [
            FullTile(begun, hashes if begun == tile else await self._read_partial_tile(begun))
            for begun in partial_tiles_at(self.head.size)
        ]
        return TileFrontier(edge).root() == self.head.checkpoint.root

    async def _read_partial_tile(self, tile: Tile) -> list[bytes]:
        """The hashes of a tile at the edge; from its entries, where no such tile is kept."""
        stored = await self.source.tile(tile)
        return stored or [leaf_hash(entry) for entry in await self.source.entries(tile)]

    async def _known_heads(self) -> AsyncIterator[KnownHead]:
        """The earlier checkpoints that the log must have had, in the order of sizes."""
        saved = self._saved and KnownHead("your saved checkpoint", self._saved, True)
        async for size, note in self.source.checkpoints(self.first - 1):
            name = f"{CHECKPOINTS}/{size}"
            head = self._check_kept_head(name, size, note)
            if saved and saved.head.size <= head.size:
                yield saved
                saved = None
            if head.size <= self.head.size:
                yield KnownHead(name, head, False)
        if saved:
            yield saved

    def _check_kept_head(self, name: str, size: int, note: bytes) -> TrustedCheckpoint:
        """A head of an earlier size. Its key may be an old one; its root must fit all the same."""
        self.heads += 1
        checkpoint = parse_head(note, name)[1]
        if checkpoint.size != size:
            raise Rejected("BAD_CHECKPOINT", f"{name} is of size {checkpoint.size}")
        try:
            return TrustPolicy(self._trust.keys).verify_head(note, name)
        except Rejected as error:
            if error.code != "UNKNOWN_KEY":
                raise
        self.unknown_signers += 1
        return TrustedCheckpoint(note, checkpoint, ())

    def _check_known_head(self, mark: KnownHead) -> None:
        """Compare the root at a mark. Whether one that is wrong is a fork shows at the end."""
        if mark.head.checkpoint.root == self.frontier.root():
            self._matching_size = mark.head.size
        elif self._first_mismatch is None:
            self._first_mismatch = mark

    async def _check_end(self) -> None:
        """Compare what is begun, and the root. Raises Rejected."""
        for begun in self.frontier.partial_tiles():
            await self._compare_tile(begun)
        if self.frontier.root() != self.head.checkpoint.root:
            raise self._wrong_events_error("WRONG_ROOT")
        if self._first_mismatch:
            raise self._wrong_events_error("FORKED")
        if fault := self._stream_order.first_fault(self.head.size):
            raise fault
        if self.texts:
            self.texts.end()
        if self.snapshots:
            await self._explain_by_earlier_events(self.snapshots)
            self.snapshots.end()

    async def _explain_by_earlier_events(self, snapshots: SnapshotChecker) -> None:
        """Find what redacts missing snapshots before the first event that is looked at: bytes that went
        then may have been fetched again since. An entry there counts if it leads to the root."""
        for number in range((self.first - 1) // TILE_WIDTH if snapshots.missing else 0):
            tile, gone = Tile(0, number), set[str]()
            entries = await self.source.entries(tile)
            for entry in entries:
                if REDACTED_SNAPSHOT_TYPE.encode() in entry:
                    gone.add(redacted_snapshot(recorded(entry).fact) or "")
            if gone.intersection(snapshots.missing) and await self._leads_to_root(
                tile, [leaf_hash(entry) for entry in entries]
            ):
                snapshots.explain(gone)

    def _wrong_events_error(self, code: str) -> Rejected:
        """The error that events are not those of a head, the first that they do not fit."""
        name, size = (
            (self._first_mismatch.name, self._first_mismatch.head.size)
            if self._first_mismatch
            else ("the checkpoint", self.head.size)
        )
        return Rejected(
            code,
            f"these are not the events that {name} of size {size} was signed for",
            range(self._matching_size + 1, size + 1) or None,
        )

    def _earliest_error(self, error: Rejected) -> Rejected:
        """The error, or one about earlier positions that would have shown at the end."""
        first = error.positions[0] if error.positions else 1
        if self._first_mismatch and self._first_mismatch.head.size < first:
            return self._wrong_events_error("WRONG_ROOT")
        return self._stream_order.first_fault(first - 1) or error


def _start(size: int, since: int | None) -> int:
    """The number of events before the tile in which a pass begins that goes on from a size."""
    last = size if since is None else min(size, since)
    return max(0, last - 1) // TILE_WIDTH * TILE_WIDTH


def _check_later(head: TrustedCheckpoint, saved: TrustedCheckpoint) -> None:
    """Check that a head may follow one that was seen before. Raises Rejected."""
    if head.checkpoint.origin != saved.checkpoint.origin:
        raise Rejected(
            "WRONG_ORIGIN",
            f"the checkpoint is of {head.checkpoint.origin!r}, your"
            f" saved one of {saved.checkpoint.origin!r}",
        )
    if head.size < saved.size:
        raise Rejected(
            "SHRUNK",
            f"the checkpoint is about {head.size} events, your saved one"
            f" about {saved.size}: it is stale, or events were taken away",
            range(head.size + 1, saved.size + 1),
        )
    if head.size == saved.size and head.checkpoint.root != saved.checkpoint.root:
        raise Rejected(
            "FORKED",
            f"the checkpoint and your saved one are about {head.size} events"
            " each, and not about the same",
            range(1, head.size + 1),
        )


def _first_difference(ours: list[bytes], stored: list[bytes] | None) -> int | None:
    if stored is None or ours == stored:
        return None
    return next(
        (i for i, (a, b) in enumerate(zip(ours, stored, strict=False)) if a != b), len(ours) - 1
    )


def _at(position: int) -> range:
    return range(position, position + 1)
