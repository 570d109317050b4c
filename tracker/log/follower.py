"""Following the log: reading its past in pages, then every new event when it is appended.

One LISTEN connection a process wakes it, and one read of the log then serves all its followers. A
notification is only a hint: whoever misses one, because the connection died or the server failed
over, looks again after `POLL_INTERVAL_SECONDS`. What a follower delivers always comes from reading
the log by position, so it can skip nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing

from tracker.errors import LogSetBack
from tracker.log.durability import Durability
from tracker.log.entries import RecordedEvent
from tracker.log.recent_events import MAX_EVENTS, RecentEvents
from tracker.log.recorder import Recorder
from tracker.postgres.background import BackgroundTask, end_if_cancelled
from tracker.postgres.database import API, CONNECTION_ERRORS, Target, connect

POLL_INTERVAL_SECONDS = 1.5
"""Seconds after which a follower looks at the log without having been woken."""

READ_RETRY_SECONDS = 15.0
"""Seconds for which a lost database is read again on behalf of all who follow, and then for as many by
each of them, before they give up: together more than a standby takes to be promoted."""

READ_ONLY = "SELECT current_setting('transaction_read_only')::boolean"

logger = logging.getLogger(__name__)


class Follower(BackgroundTask):
    """Gives everyone in this process who follows the log its new events."""

    def __init__(self, recorder: Recorder, target: Target):
        self._recorder = recorder
        self._target = target
        self._woken = asyncio.Event()
        self._tail: RecentEvents | None = None  # only while somebody follows
        self._appended = asyncio.Event()
        self.followers = 0
        """The number of present followers."""
        self.listening = False
        """Whether notifications reach us; if not, events come up to `POLL_INTERVAL_SECONDS` late."""
        self.session = 0
        """Incremented whenever the LISTEN connection is made anew; notifications sent between two
        sessions are lost.
        """
        self._handlers: dict[str, Callable[[str], None]] = {"log": lambda _: self.wake()}
        self._begun = False

    async def follow(
        self, after: int = 0, *, types: Sequence[str] | None = None, page: int = 200
    ) -> AsyncIterator[RecordedEvent]:
        """Every event after a position, in order, and then each new one as it comes; never ends.

        A slow consumer reads the log a page at a time and holds no more than that, however far the
        log runs ahead of it. A lost database that comes back within 30 seconds is only a delay; then
        its error is raised, and whoever comes back with the last position misses nothing.
        """
        async with aclosing(self.pages(after, types=types, page=page)) as pages:
            async for events in pages:
                for event in events:
                    yield event

    async def pages(
        self, after: int = 0, *, types: Sequence[str] | None = None, page: int = 200
    ) -> AsyncGenerator[list[RecordedEvent], None]:
        """The same, of what is there at a time, at most `page`; never an empty one."""
        self.followers += 1
        self.wake()
        try:
            while True:
                self.durability.require_continuity()
                grown, tail = self._appended, self._tail
                events = tail.after(after, page) if tail else None
                if events is None:
                    seen = tail.position if tail else after
                    events = await self._read(after, page, types)
                    if not events:  # nothing of these types in all that was known before
                        after = max(after, seen)
                if events:
                    after = events[-1].position
                    if wanted := [e for e in events if types is None or e.type in types]:
                        yield wanted
                else:
                    await wait_for_event(grown)
        finally:
            self.followers -= 1

    async def _read(
        self, after: int, limit: int, types: Sequence[str] | None
    ) -> list[RecordedEvent]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + READ_RETRY_SECONDS
        while True:
            try:
                return await self._recorder.read(after, limit=limit, types=types)
            except CONNECTION_ERRORS as error:
                if loop.time() > deadline:
                    raise
                logger.warning("the log could not be read and will be again: %s", error)
            await asyncio.sleep(0.2)

    @property
    def durability(self) -> Durability:
        """How much of the log may be shown."""
        return self._recorder.durability

    @property
    def next_signal(self) -> asyncio.Event:
        """Set when something may have been appended. Take it before looking, then wait for it."""
        return self._woken

    def wake(self) -> None:
        """Wake everyone who waits; whoever waits from now on gets the next signal."""
        woken, self._woken = self._woken, asyncio.Event()
        woken.set()

    def listen_to(self, channel: str, handle: Callable[[str], None]) -> None:
        """Call `handle` with notifications on another channel, over the same connection.

        That has to be said before it listens: whoever comes later would not be told.
        """
        if self._begun:
            raise RuntimeError(f"the follower listens already: expected {channel} before")
        self._handlers[channel] = handle

    async def run(self) -> None:
        """Listen, and read on for all who follow."""
        self._begun = True
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self._run_tail())

    async def _run_tail(self) -> None:
        read_at = time.monotonic()
        while True:
            end_if_cancelled()
            woken = self._woken
            try:
                await self._read_on()
                read_at = time.monotonic()
            except Exception as error:
                lost = time.monotonic() - read_at
                if not isinstance(error, CONNECTION_ERRORS) or lost > READ_RETRY_SECONDS:
                    self._tail = None  # everyone reads for themselves, and sees what is wrong
                    self._notify()
            await wait_for_event(woken)

    async def _read_on(self) -> None:
        """Read what is new, once for all followers."""
        if not self.followers:
            self._tail = None
            return
        if self._tail is None:
            self._tail = RecentEvents(await self._recorder.head())
            self._notify()
        while events := await self._recorder.read(self._tail.position, limit=MAX_EVENTS):
            if len(events) < MAX_EVENTS:
                self._tail.extend(events)
            else:  # an import: more than is kept here, so everyone reads it at their own pace
                self._tail = RecentEvents(await self._recorder.head())
            self._notify()

    def _notify(self) -> None:
        grown, self._appended = self._appended, asyncio.Event()
        grown.set()

    async def _listen(self) -> None:
        """Keep one listening connection, and come back after losing it."""
        while True:
            end_if_cancelled()
            try:
                await self._listen_once()
            except LogSetBack:
                self._notify()  # whoever follows is told at once
                return
            except CONNECTION_ERRORS as error:
                logger.warning("the listening connection was lost: %s", error)
            self.wake()
            await asyncio.sleep(0.5)

    async def _listen_once(self) -> None:
        """Listen until the connection is lost, or leads to a server that is not as wanted any more.

        The new one then finds the server that is, and all others are made anew with it
        (tracker/postgres/timelines.py).
        """
        connection = await connect(self._target, role=API)
        writing = self._target.get("target_session_attrs") == "read-write"
        try:
            await self.durability.check(connection)
            for channel in self._handlers:
                await connection.add_listener(channel, self._handle_notification)
            self.listening = True
            self.session += 1
            self.wake()
            while True:
                # A connection can die without a word: ask it, so that the loss is noticed.
                await asyncio.sleep(POLL_INTERVAL_SECONDS)
                await self.durability.check(connection)
                if writing and await connection.fetchval(READ_ONLY, timeout=POLL_INTERVAL_SECONDS):
                    raise ConnectionError("the server takes no writes any more")
        finally:
            self.listening = False
            connection.terminate()

    def _handle_notification(
        self, _connection: object, _pid: int, channel: str, payload: object
    ) -> None:
        self._handlers[channel](str(payload))


async def wait_for_event(event: asyncio.Event, seconds: float = POLL_INTERVAL_SECONDS) -> None:
    """Wait for an event, or for `seconds` to pass."""
    with contextlib.suppress(TimeoutError):
        # Not wait_for: in Python 3.11 it can swallow a cancellation that comes with the event.
        async with asyncio.timeout(seconds):
            await event.wait()
