"""Projectors, which follow the log and update projections.

The position is stored in the same transaction as the rows. After a crash both are as of the last
committed page, and the next run resumes there. Rows do not depend on the division of the log into
pages.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Generic, Self

from projections.runner.folds import AnotherRelease, OwnFolds
from projections.runner.progress import ProgressTracker
from projections.runner.projection import PAGE_EVENTS, PageT, Projection
from projections.runner.rebuild import rebuild
from projections.runner.tables import SQL, advance
from tracker.errors import LogSetBack, Unavailable
from tracker.log.follower import Follower, wait_for_event
from tracker.postgres.background import BackgroundTask, WorkObserver, end_if_cancelled
from tracker.postgres.database import CONNECTION_ERRORS, Pool

PASS_SECONDS = 4
"""Maximum duration of a projector transaction in seconds.

While its process is frozen, nothing is projected, and mutations must respond within 10 seconds after
it. A page takes a few tenths of a second.
"""
MAX_FOLD_SECONDS = PASS_SECONDS / 2
"""Seconds of a transaction for folding; the rest is for writing."""
FILL_EVENTS = 5 * PAGE_EVENTS
"""Events in the log from which empty tables are filled like those of a rebuild."""
FILL_WAIT_SECONDS = 30
"""Maximum seconds for which a filling waits for that of the projection before it, on the same cores."""
FOREIGN_ROWS_POLL_SECONDS = 1
"""Seconds between checks whether another release still maintains the rows."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class PassLimits:
    """The limits of the next transaction.

    A process that lost its lock because a page took too long would lose it again with the same page. So
    the next page has half as many events. At one event, the next transaction may take twice as long.
    Fast transactions restore the limits step by step.
    """

    max_events: int
    min_seconds: float = PASS_SECONDS
    events: int = field(init=False)
    """Events per page."""
    seconds: float = field(init=False)
    """Timeout of the next transaction in seconds."""

    def __post_init__(self) -> None:
        self.events, self.seconds = self.max_events, self.min_seconds

    @property
    def setting(self) -> str:
        """The timeout as a setting of PostgreSQL."""
        return f"{self.seconds * 1000:.0f}ms"

    @property
    def statement_seconds(self) -> float:
        """Timeout of a statement in seconds; PostgreSQL ends the transaction earlier."""
        return 1.5 * self.seconds

    @contextmanager
    def writing(self, began: float) -> Iterator[None]:
        """Adjust the limits after a block that writes a page; `began` is a `time.monotonic` value."""
        try:
            yield
        except CONNECTION_ERRORS:
            if time.monotonic() - began >= self.seconds:  # other losses have other causes
                self.shrink()
            raise
        if time.monotonic() - began < self.seconds / 4:
            self.grow()

    def shrink(self) -> None:
        """Reduce the next page, or extend the timeout."""
        if self.events == 1:
            self.seconds *= 2
        self.events = max(self.events // 2, 1)

    def grow(self) -> None:
        """Reverse a step of `shrink`."""
        if self.seconds > self.min_seconds:
            self.seconds /= 2
        else:
            self.events = min(2 * self.events, self.max_events)


class ReadAhead(Generic[PageT]):
    """A reader that folds pages of `limit` events, and prefetches the next after a full one."""

    def __init__(self, pool: Pool, projection: Projection[PageT], limit: int):
        self._pool = pool
        self._projection = projection
        self._limit = limit
        self._next: asyncio.Task[PageT | None] | None = None

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, pool: Pool, projection: Projection[PageT], limit: int
    ) -> AsyncIterator[Self]:
        """Read ahead for the duration of a block."""
        ahead = cls(pool, projection, limit)
        try:
            yield ahead
        finally:
            await ahead._cancel()

    async def set_limit(self, limit: int) -> None:
        """Set the number of events per page."""
        if limit != self._limit:
            await self._cancel()
            self._limit = limit

    async def page(self, after: int) -> PageT | None:
        """Return the page after a position, or None without further events."""
        task, self._next = self._next, None
        page = await task if task else None
        if (
            page is None or page.after != after
        ):  # nothing was prefetched, or another process projected
            page = await self._fold(after)
        if page is not None and page.count == self._limit:
            self._next = asyncio.create_task(self._fold(page.until))
        return page

    async def wait_next(self) -> None:
        """Wait for the prefetched page, if any."""
        if self._next:
            await asyncio.wait([self._next])

    async def _fold(self, after: int) -> PageT | None:
        async with self._pool.acquire() as connection:
            return await self._projection.fold_page(connection, after, limit=self._limit)

    async def _cancel(self) -> None:
        task, self._next = self._next, None
        if task:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


class Projectors:
    """A set of projectors, each at its own pace, for the duration of a block.

    A failing one does not delay the others. Each needs two connections of the pool. All stop while another
    release maintains rows of one of them, or of further projections in `folds`.
    """

    def __init__(
        self,
        pool: Pool,
        follower: Follower,
        projections: Iterable[Projection[Any]],
        observe: WorkObserver | None = None,
        folds: OwnFolds | None = None,
    ):
        projections = list(projections)
        folds = folds or OwnFolds(projections)
        self._projectors: dict[str, Projector[Any]] = {}
        before: Projector[Any] | None = None
        for projection in projections:
            before = Projector(
                pool, follower, projection, before=before, folds=folds
            ).with_observer(observe)
            self._projectors[projection.name] = before
        self._running = AsyncExitStack()

    def __getitem__(self, name: str) -> Projector[Any]:
        """Return the projector of a projection by name."""
        return self._projectors[name]

    async def __aenter__(self) -> Self:
        for projector in self._projectors.values():
            await self._running.enter_async_context(projector)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._running.aclose()


class Projector(BackgroundTask, Generic[PageT]):
    """A projector that updates a projection, in turn with other processes."""

    def __init__(
        self,
        pool: Pool,
        follower: Follower,
        projection: Projection[PageT],
        page_events: int = PAGE_EVENTS,
        before: Projector[Any] | None = None,
        folds: OwnFolds | None = None,
    ):
        self._pool = pool
        self._before = before
        self._projection = projection
        self._limits = PassLimits(page_events)
        self._follower = follower
        self.progress = ProgressTracker(pool, follower, projection, folds)
        """Progress of the projection, by any process."""
        self._progressed = asyncio.Event()
        self._late: PageT | None = None
        self._next_page_at = 0.0
        """The earliest time of the next page, a `time.monotonic` value."""
        self._has_lock = False
        """Whether this process had the lock in its last transaction."""

    async def catch_up(self, progress: Callable[[int], None] = lambda _: None) -> None:
        """Project all events now in the log. `progress` gets the position after each page."""
        async with aclosing(self._positions(progress)) as positions:
            async for position in positions:
                self._next_page_at = time.monotonic() + self._projection.interval_seconds
                self.progress.advance(await self._follower.durability.release(position))
                progress(position)
                self._progressed.set()
                self._progressed = asyncio.Event()

    async def _positions(self, progress: Callable[[int], None]) -> AsyncGenerator[int, None]:
        """Yield the reached positions, page by page, while this process holds the lock.

        Pages are folded before the lock is taken. If another process projected in between, the
        prefetched page is discarded and read again.
        """
        if await self._needs_filling():
            with self.observe_work("project") as work:
                position = await rebuild(
                    self._follower.target, self._projection, progress, only_empty=True
                )
                work.record(position, position)
            yield position
        async with ReadAhead.opened(self._pool, self._projection, self._limits.events) as ahead:
            folded: PageT | None = None
            while True:
                await ahead.set_limit(self._limits.events)
                with self.observe_work("project") as work:
                    page = await self._project_next_page(ahead, folded)
                    if page is None:
                        return
                    folded = page if page is self._late else None
                    if folded:
                        continue
                    work.record(page.until - page.after, page.until)
                yield page.until
                if page.is_last:
                    return
                await ahead.wait_next()  # do not hold the lock while waiting

    async def _needs_filling(self) -> bool:
        """Whether the tables are empty and the log is long. If so, wait for the projection before it."""
        if await self.progress.position():
            return False
        async with self._pool.acquire() as connection:
            head = await self._follower.durability.head(connection)
        if head < FILL_EVENTS:
            return False
        if self._before:
            with suppress(Unavailable):
                await self._before.reach(head, seconds=FILL_WAIT_SECONDS, poll_seconds=1)
        return True

    async def _project_next_page(
        self, ahead: ReadAhead[PageT], folded: PageT | None
    ) -> PageT | None:
        """Write the next page, or return None if there is none or another process holds the lock.

        A page that was folded too late to be written safely is returned as `_late` and written in the
        next transaction. Raises AnotherRelease for rows of other code.
        """
        self._late, self._has_lock = None, False
        limits, name = self._limits, self._projection.name
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                began, page = time.monotonic(), folded
                if not await connection.fetchval(SQL.take_turn, name, limits.setting):
                    return None
                self._has_lock = True
                position = await self.progress.stored_position(connection)
                if page is None or page.after != position:
                    page = await ahead.page(position)
                if page is not None and not await self._is_durable(page):
                    return None
                if page is not None and time.monotonic() - began > MAX_FOLD_SECONDS:
                    self._late = page
                elif page is not None:
                    seconds = limits.statement_seconds
                    self.progress.expect(page.until)
                    with limits.writing(began):
                        await self._projection.write_page(connection, page, seconds=seconds)
                        await advance(connection, name, page, seconds=seconds)
        except BaseException as error:
            self.progress.expect(0)
            if not isinstance(error, CONNECTION_ERRORS):
                raise
            self._projection.clear_cache()
            if self._late is None:
                raise
        return page

    async def _is_durable(self, page: PageT) -> bool:
        """Whether the events of a page are durable, so that no failover removes them.

        Nothing else is projected, so a replica, which cannot check this, may show all rows.
        """
        durability = self._follower.durability
        return not durability.synchronous or await durability.release(page.until) >= page.until

    async def position(self) -> int:
        """Return the position of the projection."""
        return await self.progress.query()

    async def reach(
        self, position: int, *, seconds: float = 10, poll_seconds: float = 0.05
    ) -> None:
        """Wait until the projection reaches `position`, checking every `poll_seconds`.

        Raises Unavailable after `seconds`, and AnotherRelease.
        """
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
            await wait_for_event(progressed, poll_seconds)

    async def run(self) -> None:
        """Project events as they arrive, until cancelled."""
        while True:
            end_if_cancelled()
            replaced = self.progress.folds.changed
            try:
                signal = self._follower.next_signal
                if self.progress.another_release:
                    await self.progress.query()
                await self.catch_up()
                if not self._has_lock:  # another process projects, and this one reads its position
                    await self.progress.query()
                await wait_for_event(signal)
                await asyncio.sleep(self._next_page_at - time.monotonic())
            except LogSetBack:
                return  # the server stops
            except AnotherRelease:
                self._projection.clear_cache()
                await wait_for_event(replaced, FOREIGN_ROWS_POLL_SECONDS)  # it may be rolled back
            except CONNECTION_ERRORS as error:
                self._projection.clear_cache()  # the database may return in an older state
                logger.warning("the projector lost its database and will try again: %s", error)
                await asyncio.sleep(0.5)
            except Exception:
                # A bug in a fold: stop visibly at this event instead of skipping it.
                logger.exception("the projector can't go on and will try again")
                await asyncio.sleep(5)
