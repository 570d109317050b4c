"""The watcher: polls sources when they are due, in one process at a time.

Sources are polled concurrently, each in its own task, so that a slow publisher delays no other. If a process
stops, another one replaces it when its lease expires. A process that was frozen waits for its lease before
each step, and its write at the end of a poll is refused.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from msgspec import Struct

from tracker import clock
from tracker.commands.handler import Commands
from tracker.errors import LogSetBack, Unavailable
from tracker.log.durability import Durability
from tracker.log.recorder import Recorder
from tracker.postgres.database import CONNECTION_ERRORS, WATCHER, Pool, Target, create_pool
from tracker.postgres.lease import LEASE_SECONDS, POOL_SETTINGS, Lease, LeaseLost
from tracker.postgres.leased_task import LeasedTask, Work
from tracker.review.findings import propose
from tracker.snapshots.store import SnapshotStore
from tracker.watch.adapter import SourceSettings
from tracker.watch.journal import Journal, PollReport, end_id, shorten
from tracker.watch.poll import Poll, PollTools, is_to_come
from tracker.watch.settings import FindAdapter
from tracker.watch.store import SourceRow, WatchStore, plain_settings
from tracker.watch.summary import LEASE
from tracker.web.fetcher import AGENT, Fetcher, Limits
from tracker.web.networks import Networks

FIRST_RETRY_SECONDS = 300.0
"""Seconds before the retry of a source that failed once; they double with each failure, up to its
interval."""
MIN_PAUSE_SECONDS = 1.0
"""Minimum seconds between two polls of a source, whatever its interval."""
MAX_SLEEP_SECONDS = 30.0
"""Seconds after which the clock is read again: a machine may have been suspended."""
RETRY_SECONDS = 3.0
"""Seconds before the retry of a poll that lost its database."""
POOL_SIZE = 4
WORK_TIMEOUT_SECONDS = 60
TAKING_TIMEOUT_SECONDS = 2 * LEASE_SECONDS
"""Seconds for which a single poll of all sources waits for the lease."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """Watched sources, fetch and storage options, and the identification of the watcher to hosts."""

    sources: tuple[SourceSettings, ...]
    find_adapter: FindAdapter
    networks: Networks = Networks()  # noqa: RUF009 - it never changes
    agent: str = AGENT
    snapshots: Path | None = None
    limits: Limits = Limits()  # noqa: RUF009 - it never changes
    lease_seconds: float = LEASE_SECONDS
    whole_list: bool = True
    """Whether sources outside the list are removed from watching."""
    release: str | None = None
    """Number of this release, to which older ones leave the lease."""


class WatchParts(Struct, frozen=True):
    """Resources of one epoch of the lease."""

    lease: Lease
    store: WatchStore
    journal: Journal
    tools: PollTools
    options: WatchOptions


ObservePoll = Callable[[PollReport], None]
ObserveRequest = Callable[[str, str, float, int], None]


class Watcher(LeasedTask):
    """Watches while this process holds the lease."""

    name = "polls of sources"

    def __init__(self, target: Target, options: WatchOptions, durability: Durability | None = None):
        super().__init__()
        self._target = target
        self._options = options
        self._durability = durability or Durability()
        self._alone = durability is None
        self.observe_poll: ObservePoll = lambda _: None
        """Callback for each poll that has ended."""
        self.observe_request: ObserveRequest = lambda *_: None
        """Callback for each request: the host, its status or error, seconds and bytes."""

    def reason_to_end(self) -> str | None:
        """Return the shown data that the log has lost, if it was set back: the server stops."""
        set_back = self._durability.set_back
        return set_back and f"the log was set back: {set_back}"

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[Lease, Work]]:
        """Connect with the role of the watcher, and open the client of the sources."""
        async with self._parts() as parts:
            yield parts.lease, partial(self._watch, parts)

    async def poll_once(self) -> list[PollReport]:
        """Poll every source once now, due or not.

        Raises Unavailable if another process watches, and database errors.
        """
        async with self._parts() as parts:
            done: asyncio.Future[list[PollReport]] = asyncio.get_running_loop().create_future()
            begun = asyncio.Event()

            async def work() -> None:
                begun.set()
                try:
                    rows = await reconcile(parts)
                    polls = (
                        self._poll(parts, each, rows[each.key]) for each in parts.options.sources
                    )
                    done.set_result(list(await asyncio.gather(*polls)))
                except Exception as error:
                    if not done.done():
                        done.set_exception(error)
                await asyncio.Event().wait()

            running = asyncio.create_task(parts.lease.run(work))
            try:
                async with asyncio.timeout(TAKING_TIMEOUT_SECONDS):
                    await begun.wait()
            except TimeoutError:
                raise Unavailable(
                    "another process watches: it polls the sources when they are due",
                    code="ALREADY_WATCHED",
                ) from None
            else:
                return await done
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

    async def _watch(self, parts: WatchParts) -> None:
        """Watch until the lease is lost, or the server stops."""
        rows = await reconcile(parts)
        async with asyncio.TaskGroup() as tasks:
            for each in parts.options.sources:
                tasks.create_task(self._watch_source(parts, each, rows[each.key]))

    async def _watch_source(
        self, parts: WatchParts, settings: SourceSettings, row: SourceRow
    ) -> None:
        while True:
            await _sleep_until_due(row)
            try:
                await self._poll(parts, settings, row)
                row = (await parts.store.sources())[settings.key]
            except LogSetBack:
                raise
            except (*CONNECTION_ERRORS, TimeoutError, Unavailable) as error:
                logger.warning(
                    "the poll of %s lost its database connection: %s", settings.key, error
                )
                await asyncio.sleep(RETRY_SECONDS)
                await parts.lease.wait_until_held()

    async def _poll(
        self, parts: WatchParts, settings: SourceSettings, row: SourceRow
    ) -> PollReport:
        """Poll a source, and write the result."""
        adapter = parts.options.find_adapter(settings.adapter)
        number = row.look + 1
        while await parts.store.has_event(end_id(settings.key, number)):
            number += 1  # it ended, but a crash prevented the write of its result
        journal = parts.journal.of_poll(settings, number)
        poll = Poll(parts.tools, settings, row, number, journal)
        started_at = clock.now()
        try:
            report, cursor = await poll.run(adapter)
        except (*CONNECTION_ERRORS, TimeoutError, Unavailable, LeaseLost):
            raise
        except Exception as error:  # fault of one source: the others continue
            logger.exception("the poll of %s failed for an unknown reason", settings.key)
            report, cursor = _broken_off(settings, number, started_at, error), None
        ended = report.ended_at
        if cursor is not None:
            due = max(
                report.started_at + timedelta(hours=settings.every_hours),
                ended + timedelta(seconds=MIN_PAUSE_SECONDS),
            )
            await parts.store.complete(settings.key, number, cursor, ended, due)
        else:
            code, reason = report.failure or ("UNREACHABLE", "?")
            wait = retry_seconds(settings, row.failures, poll.retry_after_seconds)
            due = ended + timedelta(seconds=wait)
            await parts.store.fail(settings.key, number, ended, due, code, reason)
        self.observe_poll(report)
        return report

    @asynccontextmanager
    async def _parts(self) -> AsyncIterator[WatchParts]:
        async with AsyncExitStack() as stack:
            check = self._durability.check

            async def open_pool(**options: object) -> Pool:
                pool = await create_pool(self._target, role=WATCHER, check=check, **options)  # type: ignore[arg-type]
                stack.push_async_callback(pool.close)
                return pool

            pool = await open_pool(size=POOL_SIZE, seconds=WORK_TIMEOUT_SECONDS)
            # A lease holder must not stop within a transaction, and storing bytes takes time.
            fenced = await open_pool(size=3, settings=POOL_SETTINGS, seconds=WORK_TIMEOUT_SECONDS)
            options = self._options
            fetcher = Fetcher(options.networks, options.agent, limits=options.limits)
            fetcher.observe = lambda *seen: self.observe_request(*seen)
            await stack.enter_async_context(fetcher)
            lease = Lease(fenced, LEASE, options.lease_seconds, options.release)
            recorder = Recorder(pool, durability=self._durability)
            if self._alone:
                self._durability.confirm = recorder.confirm
            store = WatchStore(fenced, lease)
            tools = PollTools(
                fetcher,
                store,
                SnapshotStore(pool, options.snapshots),
                partial(propose, pool),
                lease.wait_until_held,
            )
            yield WatchParts(lease, store, Journal(recorder, Commands(recorder)), tools, options)


async def reconcile(parts: WatchParts) -> dict[str, SourceRow]:
    """Record the list of watched sources and their settings; return the rows of all by key.

    A source whose reading settings have changed is polled from an empty cursor.
    """
    store, options = parts.store, parts.options
    rows = await store.sources()
    for settings in options.sources:
        await _take(parts, settings, rows.get(settings.key))
    if options.whole_list:
        listed = {settings.key for settings in options.sources}
        for row in rows.values():
            if row.watched and row.key not in listed:
                await parts.journal.record_unwatched(_settings_of(row), row.settings_number)
                await store.drop(row.key)
    return await store.sources()


async def _take(parts: WatchParts, settings: SourceSettings, row: SourceRow | None) -> None:
    plain = plain_settings(settings)
    if row is not None and row.watched and row.settings == plain:
        return
    if row is None:
        history = await parts.journal.history(settings.key)
        number, last_poll, reset = history.changes + 1, history.last_poll, False
    else:
        number, last_poll = row.settings_number + 1, row.look
        reset = any(row.settings.get(name) != plain[name] for name in READ_BY)
    await parts.journal.record_watched(settings, number)
    await parts.store.take(settings, number, last_poll=last_poll, reset=reset)


READ_BY = ("adapter", "address", "options")
"""Settings that determine the findings of a source: after a change there may be more."""


def _settings_of(row: SourceRow) -> SourceSettings:
    """Return the settings of a row without the options, because its adapter may no longer exist."""
    stored = {name: row.settings[name] for name in SourceSettings.__struct_fields__}
    return SourceSettings(**stored | {"issuers": tuple(stored["issuers"]), "options": None})


def _broken_off(
    settings: SourceSettings, number: int, started_at: datetime, error: Exception
) -> PollReport:
    """Return the result of a poll that cannot be recorded."""
    reason = shorten(f"the poll failed: {type(error).__name__}: {error}")
    ended_at = clock.now()
    failure = "LAYOUT_CHANGED", reason
    return PollReport(
        settings.key, number, started_at, ended_at, 0, 0, 0, complete=False, failure=failure
    )


def retry_seconds(
    settings: SourceSettings, failures: int, retry_after_seconds: float | None
) -> float:
    """Return the delay after a number of consecutive failed polls."""
    wait = FIRST_RETRY_SECONDS * float(2 ** min(failures, 20))
    return max(min(wait, settings.every_hours * 3600), retry_after_seconds or 0, MIN_PAUSE_SECONDS)


async def _sleep_until_due(row: SourceRow) -> None:
    """Sleep until a source is due, or until the clock has gone back before its last poll."""
    while (left := (row.next_look_at - (now := clock.now())).total_seconds()) > 0:
        if is_to_come(row.ended_at, now):
            return
        await asyncio.sleep(min(left, MAX_SLEEP_SECONDS))


def only(options: WatchOptions, keys: Sequence[str]) -> WatchOptions:
    """Return the options for some of the sources. Raises KeyError for an unknown one."""
    by_key = {each.key: each for each in options.sources}
    return replace(options, sources=tuple(by_key[key] for key in keys), whole_list=False)
