"""A mirror in a database: the log of an origin, verified before it is stored, for a tracker that serves it.

Positions, ids, entries and checkpoints are those of the origin. Each page is proven by a signed head, which
continues the newest stored one. Pages are stored in batches, the head after them, so that a crash leaves a
proven beginning. The next update compares it with the head, and continues.

A fork ends the copy. Any other refusal, such as a shorter log or an altered tile, is retried, because a
server may have been repaired or a cache may be stale. The stored log is served meanwhile. An event of a
newer release cannot be read, so nothing from it on is stored before an upgrade.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, aclosing, nullcontext, suppress
from pathlib import Path

from asyncpg import IntegrityConstraintViolationError
from msgspec import Struct

from tracker.audit.bundle.annexes import rows_between
from tracker.audit.bundle.restore import BATCH_PAGES, SQL, append_proven
from tracker.audit.bundle.snapshots import put_back
from tracker.audit.format.frontier import FullTile
from tracker.audit.format.layout import LogFiles, positions_below
from tracker.audit.format.merkle import TILE_WIDTH, Tile, new_tiles, tile_at
from tracker.audit.mirror.companions import SNAPSHOT_WORDS, TEXT_WORDS, events_with
from tracker.audit.mirror.continuation import Fork, prove_continuation
from tracker.audit.mirror.proven_tiles import ProvenTiles, proven_reads
from tracker.audit.mirror.state import MirrorState
from tracker.audit.verify.annex_file import AnnexChecker
from tracker.audit.verify.database_source import DatabaseSource
from tracker.audit.verify.entry_check import EntryChecker
from tracker.audit.verify.read_ahead import read_ahead
from tracker.audit.verify.trust import TrustedCheckpoint, TrustPolicy
from tracker.audit.verify.verifier import VerifiedPage
from tracker.domain.evidence.watched_source_facts import REDACTED_SNAPSHOT_TYPE
from tracker.errors import NotFound, Rejected, TrackerError, Unavailable
from tracker.log.entries import recorded
from tracker.log.entry_hash import leaf_hash
from tracker.postgres.background import BackgroundTask, end_if_cancelled
from tracker.postgres.database import CONNECTION_ERRORS, Connection, Pool, Target, connect
from tracker.snapshots.named import NamedSnapshot, add_named
from tracker.snapshots.store import SnapshotStore

WAIT_SECONDS = 4.0
"""Seconds that a tracker may hold a request for its next checkpoint."""
POLL_SECONDS = 0.5
"""Seconds between requests to a log that answers at once, such as a static copy."""
RETRY_SECONDS = 2.0
"""Seconds before the next attempt if all logs have failed."""
REST_SECONDS = 30.0
"""Seconds before a log that failed is read again, if there is another."""

Progress = Callable[[int, int], None]
logger = logging.getLogger(__name__)


class MirrorOptions(Struct, frozen=True):
    """Origins of a mirror: alternative addresses of one log, its trusted keys, a directory for evidence."""

    logs: Sequence[LogFiles]
    trust: TrustPolicy
    directory: Path
    with_snapshots: bool = True
    show_progress: Callable[[], AbstractContextManager[Progress | None]] = nullcontext
    """Shows the first copy."""


class MirroredRows(DatabaseSource):
    """The log of a mirror, with the hashes of events in an incomplete tile."""

    async def tile(self, tile: Tile) -> list[bytes] | None:
        """Return the hashes of a tile."""
        if tile.level or tile.width == TILE_WIDTH:
            return await super().tile(tile)
        return [leaf_hash(entry) for entry in await self.entries(tile)]


class DatabaseMirror(BackgroundTask):
    """Copies a log into a database, and follows it."""

    def __init__(
        self, options: MirrorOptions, target: Target, pool: Pool, snapshots: SnapshotStore
    ):
        self.state = MirrorState(options.trust, [log.name for log in options.logs])
        self._options = options
        self._target, self._snapshots = target, snapshots
        self._rows = MirroredRows(pool)
        self._logs = list(options.logs)
        self._resting = dict[str, float]()
        """Times until which failed logs are not read, if there is another."""
        self._progress: Progress | None = None

    async def begin(self) -> None:
        """Copy the log once, from the first origin that has it.

        Raises Rejected if the stored head is not of a trusted key, and lost connections. Raises the error of
        an origin if nothing was ever copied.
        """
        head = await self._head()
        self.state.position = self.state.origin_position = head.size if head else 0
        with self._options.show_progress() as self._progress:
            for log in self._logs:
                if await self._try(log, 0.0):
                    break
        if not self.state.position and self.state.errors:
            raise next(iter(self.state.errors.values()))

    async def run(self) -> None:
        """Follow the log until cancelled."""
        while self.state.fork is None:
            end_if_cancelled()
            began, before = time.monotonic(), self.state.position
            rested = [each for each in self._logs if self._resting.get(each.name, 0) < began]
            log = (rested or self._logs)[0]
            went = await self._try(log, WAIT_SECONDS)
            if not went:
                self._resting[log.name] = time.monotonic() + REST_SECONDS
            if not went or self.state.position == before:  # another address may have more
                self._logs.remove(log)
                self._logs.append(log)
            if self.state.fails:
                await asyncio.sleep(RETRY_SECONDS)
            elif time.monotonic() - began < POLL_SECONDS:
                await asyncio.sleep(POLL_SECONDS)
        await asyncio.Event().wait()

    async def _try(self, log: LogFiles, wait_seconds: float) -> bool:
        """Update from a log, and note its error, if any. Return whether it can be followed."""
        try:
            await self._update(log, wait_seconds)
        except TrackerError as error:
            self._note(log, error)
        except CONNECTION_ERRORS as error:
            self._note(log, Unavailable(f"the database of the mirror does not respond: {error}"))
        except Exception as error:
            logger.exception("the mirror failed and will retry")
            self._note(log, TrackerError(f"{type(error).__name__}: the log has the details"))
        else:
            self.state.note_success(log.name)
            return True
        return False

    def _note(self, log: LogFiles, error: TrackerError) -> None:
        known = self.state.errors.get(log.name)
        if known is None or known.message != error.message:
            logger.error("%s cannot be followed: %s (%s)", log.name, error.message, error.code)
        self.state.errors[log.name] = error
        if isinstance(error, Fork):
            self.state.fork = error

    async def _head(self) -> TrustedCheckpoint | None:
        """Return the newest stored head; None in an empty log."""
        with suppress(NotFound):
            return self._options.trust.verify_head(
                await self._rows.head(), "the checkpoint of the mirror"
            )
        return None

    async def _update(self, log: LogFiles, wait_seconds: float) -> None:
        """Store the new part of a log. Raises Rejected, Unavailable, and InvalidInput (LOG_GREW)."""
        old = await self._head()
        self.state.position = old.size if old else 0
        note = await log.next_head(self.state.position, wait_seconds)
        head = self._options.trust.verify_head(note, f"the checkpoint of {log.name}")
        if old and head.checkpoint == old.checkpoint:
            self.state.origin_position = head.size
            return
        tiles = await prove_continuation(log, self._rows, self._options.directory, old, head)
        self.state.origin_position = head.size
        connection = await connect(self._target)
        try:
            await connection.execute(SQL.stage)
            stored = await connection.fetchval(SQL.end)
            await self._compare(tiles, self.state.position, stored)
            try:
                await self._copy(connection, log, tiles, head, stored)
            except IntegrityConstraintViolationError as error:
                raise Rejected("WRONG_VERSION", f"signed events contradict: {error}") from None
            if stored // TILE_WIDTH != head.size // TILE_WIDTH:
                await connection.execute(SQL.analyze)
        finally:
            connection.terminate()
        self.state.position = head.size

    async def _compare(self, tiles: ProvenTiles, covered: int, stored: int) -> None:
        """Compare stored events that no stored head covers, after a crash. Raises Rejected."""
        size = tiles.head.size
        if stored > size:
            raise Rejected(
                "SHRUNK",
                f"the checkpoint is of size {size}, and the mirror has {stored} events",
                range(size + 1, stored + 1),
            )
        for number in range(covered // TILE_WIDTH, -(-stored // TILE_WIDTH)):
            own = tile_at(0, number, stored)
            hashes = await tiles.hashes(tile_at(0, number, size))
            for index, entry in enumerate(await self._rows.entries(own)):
                if leaf_hash(entry) != hashes[index]:
                    raise Rejected(
                        "FORKED",
                        "the database has other events than the origin, from here on",
                        positions_below(own, index),
                    )

    async def _copy(
        self,
        connection: Connection,
        log: LogFiles,
        tiles: ProvenTiles,
        head: TrustedCheckpoint,
        stored: int,
    ) -> None:
        """Store the events after a position in batches, and the head with the last one."""
        texts = list[bytes]()
        lines = await asyncio.to_thread(log.texts, stored, head.size)
        annexes = await asyncio.to_thread(
            lambda: AnnexChecker(
                _noted(lines or (), texts), stored + 1, head.size, allow_missing=True
            )
        )
        checker, pages = EntryChecker(whole=False), list[VerifiedPage]()
        reads = proven_reads(tiles, stored // TILE_WIDTH)
        try:
            async with aclosing(read_ahead(reads, log.ahead)) as copied:
                async for tile, hashes, entries in copied:
                    first = tile.number * TILE_WIDTH + 1
                    events = [checker.check(each, at) for at, each in enumerate(entries, first)]
                    full = [FullTile(tile, hashes)] if tile.width == TILE_WIDTH else []
                    last = events[-1].position
                    heads = [head] if last == head.size else []
                    pages.append(VerifiedPage(tile, entries, events, full, heads))
                    await asyncio.to_thread(_check_known, entries, stored)
                    some = events_with(TEXT_WORDS, first, entries)
                    await asyncio.to_thread(
                        annexes.check, [each for each in some if each.position > stored]
                    )
                    if heads or len(pages) == BATCH_PAGES:
                        await self._store(connection, log, tiles, pages, texts, stored)
                        logger.info("mirrored %d of %d events", last, head.size)
                        if self._progress:
                            self._progress(last, head.size)
                        pages, stored = [], last
            annexes.end()
        finally:
            checker.stream_order.close()

    async def _store(
        self,
        connection: Connection,
        log: LogFiles,
        tiles: ProvenTiles,
        pages: list[VerifiedPage],
        texts: list[bytes],
        stored: int,
    ) -> None:
        """Store a batch with its snapshots and texts; texts of later events stay in the list."""
        last = pages[-1].events[-1].position
        above = [each for each in new_tiles(stored, last) if each.level]
        pages[-1].full_tiles.extend([FullTile(each, await tiles.hashes(each)) for each in above])
        if self._options.with_snapshots:
            named = dict[str, NamedSnapshot]()
            for page in pages:
                first = page.events[0].position
                add_named(named, events_with(SNAPSHOT_WORDS, first, page.entries), stored)
            await put_back(log, named.values(), self._snapshots)
        rows = list(rows_between(texts, stored + 1, last))
        del texts[:-1]  # the checker reads one line ahead
        await append_proven(connection, stored, pages, rows)
        await connection.execute(SQL.unstage)
        if any(event.type == REDACTED_SNAPSHOT_TYPE for page in pages for event in page.events):
            await self._snapshots.remove_redacted_files()


def _check_known(entries: Sequence[bytes], stored: int) -> None:
    """Check that this release knows the events after a position. Raises NewerRelease."""
    for event in map(recorded, entries):
        _ = event.position <= stored or event.fact


def _noted(lines: Iterable[bytes], texts: list[bytes]) -> Iterator[bytes]:
    """Yield lines, and append them to a list at the same time."""
    for line in lines:
        texts.append(line)
        yield line
