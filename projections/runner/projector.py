"""The projector: follows the log and keeps the version rows, its tracking in the same transaction.

A crash at any point leaves the rows and the tracking of the last committed page; the next run
goes on from there. The rows do not depend on how the log was cut into pages.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path

from projections.runner.batch import PAGE_EVENTS, SQL, RowBatch, read_page, write_page
from projections.runner.fingerprint import fingerprint
from projections.runner.fold_cache import FoldCache
from projections.runner.prefetch import Ahead
from projections.runner.turn_limits import TurnLimits
from projections.versions import rows
from projections.versions.progress import ProgressTracker
from tracker.errors import Unavailable
from tracker.log.follower import Follower, wait_for_event
from tracker.postgres.background import BackgroundTask
from tracker.postgres.database import (
    CONNECTION_ERRORS,
    SILENCE_TIMEOUT_SECONDS,
    Connection,
    Pool,
    Target,
    named_queries,
)

TABLES = named_queries(Path(rows.__file__).with_name("tables.sql"))

FOLD_SECONDS = SILENCE_TIMEOUT_SECONDS / 2
"""Seconds of a turn in which a page may be folded; what is left is for writing it."""

logger = logging.getLogger(__name__)


async def create_schema(connection: Connection) -> bool:
    """Create the live tables where they are missing.

    Returns whether rows that are there follow from this code; if not they need a rebuild.
    """
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('tables', 0))")
        if await connection.fetchval(SQL.tables_exist):
            return bool(await connection.fetchval(SQL.fold) == fingerprint())
        await create_bare_tables(connection)
        await connection.execute(TABLES.create_version_indexes)
        await connection.execute(TABLES.create_finding_indexes)
    return True


async def create_bare_tables(connection: Connection) -> None:
    """Create the tables of an empty projection, without indexes, where the search path says."""
    await connection.execute(TABLES.create_tables)
    await connection.execute(TABLES.begin_tracking, fingerprint())


async def project_page(connection: Connection, *, limit: int = PAGE_EVENTS) -> int:
    """Project the next events, at most `limit`, in the caller's transaction.

    Returns the position reached; 0 when there are none.
    """
    page = await read_page(connection, await connection.fetchval(SQL.position), limit=limit)
    if page is None:
        return 0
    await write_page(connection, page)
    return page.until


class Projector(BackgroundTask):
    """Keeps the projection up to date, in this process or in whichever gets its turn first."""

    def __init__(
        self, pool: Pool, follower: Follower, page: int = PAGE_EVENTS, target: Target | None = None
    ):
        """With a `target`, the database of the pool, helpers fold what comes in an import."""
        self._pool = pool
        self._target = target
        self._limits = TurnLimits(page)
        self._follower = follower
        self._folds = FoldCache()
        self.progress = ProgressTracker(pool, follower)
        """Knows how far it has come, whoever projects."""
        self._progressed = asyncio.Event()
        self._late: RowBatch | None = None

    async def catch_up(self, progress: Callable[[int], None] = lambda _: None) -> None:
        """Project all that is in the log now. `progress` gets the position after every page."""
        async with aclosing(self._pages()) as pages:
            async for position in pages:
                self.progress.advance(position)
                progress(position)
                self._progressed.set()
                self._progressed = asyncio.Event()

    async def _pages(self) -> AsyncGenerator[int, None]:
        """The positions reached, page by page, as long as this process has its turn.

        Pages are read and folded before it is their turn. Where somebody else had a turn in
        between, the one that comes is not the next one and is read again.
        """
        async with Ahead.reading(
            self._pool, self._limits.events, self._folds, self._target
        ) as ahead:
            folded: RowBatch | None = None
            while True:
                await ahead.set_limit(self._limits.events)
                with self.observe_work("project") as work:
                    page = await self._turn(ahead, folded)
                    if page is None:
                        return
                    folded = page if page is self._late else None
                    if folded:
                        continue
                    work.record(page.until - page.after, page.until)
                yield page.until
                await ahead.come()  # no turn is taken only to wait

    async def _turn(self, ahead: Ahead, folded: RowBatch | None) -> RowBatch | None:
        """Write the next page; None if there is none, or if it is not our turn.

        Where it was folded so late that the turn may be lost it is not written, but is `_late`: it
        can be written at once when it is our turn again.
        """
        self._late = None
        limits = self._limits
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                began, page = time.monotonic(), folded
                if not await connection.fetchval(SQL.take_turn, limits.setting):
                    return None
                position = await connection.fetchval(SQL.position)
                if page is None or page.after != position:
                    page = await ahead.page(position)
                if page is not None and time.monotonic() - began > FOLD_SECONDS:
                    self._late = page
                elif page is not None:
                    with limits.writing(began):
                        await write_page(connection, page, seconds=limits.statement_seconds)
        except CONNECTION_ERRORS:
            self._folds.clear()
            if self._late is None:
                raise
        return page

    async def position(self) -> int:
        """How far the projection has come."""
        return await self.progress.query()

    async def reach(self, position: int, *, seconds: float = 10) -> None:
        """Wait until the projection has come to `position`. Raises Unavailable after `seconds`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while True:
            progressed, known = self._progressed, self.progress.known
            reached = known.position if known else 0
            if reached < position:
                reached = await self.position()
            if reached >= position:
                return
            if loop.time() >= deadline:
                raise Unavailable(
                    f"The projection is at position {reached} and did not reach"
                    f" {position} in {seconds} s; the events are recorded"
                )
            await wait_for_event(progressed, 0.05)

    async def run(self) -> None:
        """Project what comes, for ever."""
        while True:
            try:
                signal = self._follower.next_signal
                await self.catch_up()
                await self.progress.query()  # a database restored to an older state notifies nobody
                await wait_for_event(signal)
            except CONNECTION_ERRORS as error:
                self._folds.clear()  # the database may come back in an older state
                logger.warning("the projector lost its database and will try again: %s", error)
                await asyncio.sleep(0.5)
            except Exception:
                # A bug in a fold: stay at this event, visibly, rather than skip it.
                logger.exception("the projector can't go on and will try again")
                await asyncio.sleep(5)
