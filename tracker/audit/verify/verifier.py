"""Verification: computes every hash from the entries, and compares it with all stored data.

It is one pass in the order of positions, with memory that grows with the logarithm of the log. Pages are
yielded when they match their tile. They are proven only after the complete pass, because the signed root
is compared at the end.

Faults are raised as Rejected, with the first position that can be determined. The codes:

    BAD_LENGTH, MISSING        a file is cut off, too long or missing
    ALTERED_ENTRY              an entry differs from the signed one
    ALTERED_TILE               a tile does not have the hashes of its entries
    WRONG_ROOT                 entries and tiles agree, but differ from the signed ones
    NOT_AN_EVENT               an entry cannot be parsed
    WRONG_POSITION, WRONG_TIME, WRONG_VERSION, REPEATED_EVENT_ID
                               the signed events are not in order
    SHRUNK, FORKED             the log is not a continuation of its earlier state
    ALTERED_ANNEX, MISSING_ANNEX
                               a text differs from the commitment in its entry, or is missing
    ALTERED_SNAPSHOT, MISSING_SNAPSHOT
                               bytes that an event names differ, or are missing

Bundles are also refused with NOT_A_FILE and TOO_MANY_FILES: see bounded_files.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import aclosing
from datetime import datetime
from typing import NamedTuple

from tracker.audit.format.frontier import FullTile, TileFrontier
from tracker.audit.format.merkle import TILE_WIDTH, Tile
from tracker.audit.verify.annex_file import AnnexChecker
from tracker.audit.verify.entry_check import EntryChecker
from tracker.audit.verify.known_heads import KnownHead, KnownHeads, check_later
from tracker.audit.verify.log_source import LogSource
from tracker.audit.verify.published_tiles import EntryTile, PublishedTiles
from tracker.audit.verify.snapshot_check import SnapshotChecker
from tracker.audit.verify.trust import TrustedCheckpoint, TrustPolicy
from tracker.domain.evidence.watched_source_facts import REDACTED_SNAPSHOT_TYPE
from tracker.errors import Rejected
from tracker.log.entries import RecordedEvent, recorded
from tracker.log.entry_hash import leaf_hash
from tracker.snapshots.named import redacted_snapshot


class VerifiedPage(NamedTuple):
    """A computed tile of level 0: its entries, their events, the tiles of any level that they complete,
    and the heads of the log within it."""

    tile: Tile
    entries: list[bytes]
    events: list[RecordedEvent]
    full_tiles: list[FullTile]
    heads: list[TrustedCheckpoint]


class Verification:
    """One pass over a log. Create it with `begin`, then iterate over `pages` to the end."""

    def __init__(
        self,
        source: LogSource,
        trust: TrustPolicy,
        head: TrustedCheckpoint,
        saved: TrustedCheckpoint | None,
        first: int,
        texts: AnnexChecker | None,
        snapshots: SnapshotChecker | None,
        claims: Iterable[TrustedCheckpoint] = (),
    ):
        self.source = source
        """The verified log."""
        self._trust = trust
        self.head = head
        self.first = first
        """The first verified position."""
        self.frontier = TileFrontier()
        """The right edge of the tree, up to the present position."""
        self.texts = texts
        """Results for the texts that entries commit to; None if the source has none."""
        self.snapshots = snapshots
        """Results for the snapshots that events name; None if the source has none."""
        self.known_heads = KnownHeads(source, trust, head, saved, first, claims)
        self._tiles = PublishedTiles(source, head)
        self._entries = EntryChecker(whole=first == 1)
        self._remaining_heads: AsyncIterator[KnownHead]
        self._next_head: KnownHead | None = None

    @property
    def recorded_at(self) -> datetime | None:
        """Recording time of the last checked event."""
        return self._entries.recorded_at

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
        with_snapshots: bool = True,
        claims: Iterable[TrustedCheckpoint] = (),
    ) -> Verification:
        """Check the newest head, and that it may follow the saved one.

        With `only_new` the pass begins at the last event of the saved head, or at position `since` if that is
        earlier. With `allow_missing_texts` missing texts are counted, with `allow_missing_snapshots` missing
        snapshots; altered ones are never allowed. Snapshots are checked `with_snapshots` if the source has
        some. The roots at the sizes of `claims` are computed for the caller. Raises Rejected as
        `TrustPolicy.verify_head` does, and SHRUNK or FORKED; and Unavailable.
        """
        head = trust.verify_head(await source.head(), "the checkpoint")
        if saved is not None:
            check_later(head, saved)
        before = _events_before(saved.size if saved and only_new else 0, since)
        lines = source.annex_lines()
        texts = (
            None
            if lines is None
            else AnnexChecker(lines, before + 1, head.size, allow_missing=allow_missing_texts)
        )
        snapshots = (
            SnapshotChecker(source.snapshot, before + 1, allow_missing=allow_missing_snapshots)
            if source.has_snapshots and with_snapshots
            else None
        )
        return Verification(source, trust, head, saved, before + 1, texts, snapshots, claims)

    async def pages(self) -> AsyncIterator[VerifiedPage]:
        """Yield the pages of the log in order. Raises Rejected."""
        try:
            async for page in self._verify_pages():
                yield page
        except Rejected as error:
            raise self._earliest_error(error) from None
        finally:
            self._entries.stream_order.close()

    async def run(self, progress: Callable[[int], None] = lambda _: None) -> None:
        """Run to the end; `progress` gets the verified positions. Raises Rejected."""
        async for page in self.pages():
            progress(page.events[-1].position)

    async def _verify_pages(self) -> AsyncIterator[VerifiedPage]:
        self.frontier = await self._tiles.frontier(self.first - 1)
        self._remaining_heads = self.known_heads.in_order()
        self._next_head = await anext(self._remaining_heads, None)
        async with aclosing(self._tiles.read_from(self.first)) as tiles:
            async for tile in tiles:
                yield await self._verify_page(tile)
        await self._check_end()

    async def _verify_page(self, read: EntryTile) -> VerifiedPage:
        tile, entries, stored = read
        leaves = [leaf_hash(entry) for entry in entries]
        wrong = _first_difference(leaves, stored)
        page = VerifiedPage(tile, entries, [], [], [])
        await self._add_leaves(page, leaves[:wrong])
        page.events.extend(
            self._entries.check(entry, tile.number * TILE_WIDTH + number)
            for number, entry in enumerate(entries[:wrong], 1)
        )
        if self.texts:
            await asyncio.to_thread(self.texts.check, page.events)
        if self.snapshots:
            await asyncio.to_thread(self.snapshots.check, page.events)
        if wrong is not None:
            raise await self._tiles.altered_error(tile, wrong, stored or [])
        for filled in page.full_tiles:
            await self._compare_tile(filled)
        return page

    async def _add_leaves(self, page: VerifiedPage, leaves: list[bytes]) -> None:
        """Extend the tree over a page, and compare its root at every checkpoint in it."""
        start = page.tile.number * TILE_WIDTH
        while self._next_head and self._next_head.head.size <= start + len(leaves):
            upto = self._next_head.head.size - start
            page.full_tiles.extend(self.frontier.add(leaves[self.frontier.size - start : upto]))
            self.known_heads.compare(self._next_head, self.frontier.root())
            if not self._next_head.is_claim:
                page.heads.append(self._next_head.head)
            self._next_head = await anext(self._remaining_heads, None)
        page.full_tiles.extend(self.frontier.add(leaves[self.frontier.size - start :]))

    async def _compare_tile(self, filled: FullTile) -> None:
        """Compare a tile of a higher level with the stored one, if there is one."""
        if filled.tile.level:
            stored = await self.source.tile(filled.tile)
            wrong = _first_difference(filled.hashes, stored)
            if wrong is not None:
                raise await self._tiles.altered_error(filled.tile, wrong, stored or [])

    async def _check_end(self) -> None:
        """Compare the tiles at the edge, and the root. Raises Rejected."""
        for partial in self.frontier.partial_tiles():
            await self._compare_tile(partial)
        if self.frontier.root() != self.head.checkpoint.root:
            raise self.known_heads.wrong_events_error("WRONG_ROOT")
        if self.known_heads.mismatch_size is not None:
            raise self.known_heads.wrong_events_error("FORKED")
        if fault := self._entries.stream_order.first_fault(self.head.size):
            raise fault
        if self.texts:
            self.texts.end()
        if self.snapshots:
            await self._explain_by_earlier_events(self.snapshots)
            await self._explain_by_later_events(self.snapshots)
            missing = () if self.snapshots.allow_missing else self.snapshots.missing
            self.snapshots.end([each for each in missing if await self.source.redacts(each)])

    async def _explain_by_earlier_events(self, snapshots: SnapshotChecker) -> None:
        """Find redactions of missing snapshots before the first verified event.

        Redacted bytes may have been fetched again since. An entry counts if it leads to the root.
        """
        for number in range((self.first - 1) // TILE_WIDTH if snapshots.missing else 0):
            tile, gone = Tile(0, number), set[str]()
            entries = await self.source.entries(tile)
            for entry in entries:
                if REDACTED_SNAPSHOT_TYPE.encode() in entry:
                    gone.add(redacted_snapshot(recorded(entry).fact) or "")
            if gone.intersection(snapshots.missing) and await self._tiles.lead_to_root(
                tile, [leaf_hash(entry) for entry in entries]
            ):
                snapshots.explain(gone)

    async def _explain_by_later_events(self, snapshots: SnapshotChecker) -> None:
        """Find redactions of missing snapshots after the verified head, in a growing log.

        They are read up to the present head, which must continue the verified one. Raises Rejected if it does
        not.
        """
        if not snapshots.missing:
            return
        head = self._trust.verify_head(await self.source.head(), "the checkpoint")
        if head.size < self.head.size:
            return  # an older one, for example from a cache, has no further events
        check_later(head, self.head)
        if head.size == self.head.size:
            return
        first, redacted = _events_before(self.head.size, None) + 1, set[str]()
        later = Verification(self.source, self._trust, head, self.head, first, None, None)
        async for page in later.pages():
            redacted.update(
                gone for event in page.events if (gone := redacted_snapshot(event.fact))
            )
        snapshots.explain(redacted)  # trusted, because the pass has reached its end

    def _earliest_error(self, error: Rejected) -> Rejected:
        """Return the error, or one at earlier positions that would have been reported at the end."""
        first = error.positions[0] if error.positions else 1
        mismatch = self.known_heads.mismatch_size
        if mismatch is not None and mismatch < first:
            return self.known_heads.wrong_events_error("WRONG_ROOT")
        return self._entries.stream_order.first_fault(first - 1) or error


def _events_before(size: int, since: int | None) -> int:
    """Return the number of events before the tile in which an incremental pass begins."""
    last = size if since is None else min(size, since)
    return max(0, last - 1) // TILE_WIDTH * TILE_WIDTH


def _first_difference(computed: list[bytes], stored: list[bytes] | None) -> int | None:
    if stored is None or computed == stored:
        return None
    return next(
        (i for i, (a, b) in enumerate(zip(computed, stored, strict=False)) if a != b),
        len(computed) - 1,
    )
