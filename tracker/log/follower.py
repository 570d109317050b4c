"""Followers of the log: read past events in pages, then every new event when it is appended.

One LISTEN connection per process wakes the follower, and one read of the log serves all its consumers. A
notification is only a hint. If it is missed, because the connection was lost or the server failed over, the
log is read after `POLL_INTERVAL_SECONDS`. Events are always read from the log by position, so none is
skipped.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from itertools import islice

from tracker.errors import LogSetBack
from tracker.log.durability import Durability
from tracker.log.entries import RecordedEvent
from tracker.log.recorder import Recorder
from tracker.postgres.background import BackgroundTask, end_if_cancelled
from tracker.postgres.database import API, CONNECTION_ERRORS, Target, connect

MAX_EVENTS = 1000
"""The number of events kept in memory; followers that are further behind read the log."""


class RecentEvents:
    """A gapless run of events up to a position; initially empty."""

    def __init__(self, position: int, most: int = MAX_EVENTS):
        self._events: deque[RecordedEvent] = deque(maxlen=most)
        self.position = position

    def extend(self, events: Sequence[RecordedEvent]) -> None:
        """Append the following events, and drop the oldest."""
        self._events.extend(events)
        if events:
            self.position = events[-1].position

    def after(self, position: int, limit: int) -> list[RecordedEvent] | None:
        """Return at most `limit` events after a position; None if the cache does not contain all of them."""
        missing = max(self.position - position, 0)
        start = len(self._events) - missing
        return list(islice(self._events, start, start + limit)) if start >= 0 else None


POLL_INTERVAL_SECONDS = 1.5
"""Seconds after which a follower reads the log without a notification."""

READ_RETRY_SECONDS = 15.0
"""Seconds for which a read is retried after a database failure, first for all consumers and then for each
of them. In total that is longer than the promotion of a standby."""

READ_ONLY = "SELECT current_setting('transaction_read_only')::boolean"

logger = logging.getLogger(__name__)


class Follower(BackgroundTask):
    """Sends new events of the log to all consumers in this process."""

    def __init__(self, recorder: Recorder, target: Target):
        self._recorder = recorder
        self.target = target
        self._woken = asyncio.Event()
        self._tail: RecentEvents | None = None  # only while there are consumers
        self._appended = asyncio.Event()
        self.followers = 0
        """The number of present consumers."""
        self.listening = False
        """Whether notifications are received; if not, events are delayed by up to `POLL_INTERVAL_SECONDS`."""
        self.session = 0
        """Number of LISTEN connections so far; notifications sent between two of them are lost."""
        self._handlers: dict[str, Callable[[str], None]] = {"log": lambda _: self.wake()}
        self._begun = False

    async def follow(
        self, after: int = 0, *, types: Sequence[str] | None = None, page: int = 200
    ) -> AsyncIterator[RecordedEvent]:
        """Yield every event after a position in order, then each new one; never ends.

        A slow consumer reads the log page by page and keeps only one page in memory. If the database is
        unavailable for up to 30 seconds, events are only delayed. After that its error is raised, and a
        consumer that resumes at its last position misses nothing.
        """
        async with aclosing(self.pages(after, types=types, page=page)) as pages:
            async for events in pages:
                for event in events:
                    yield event

    async def pages(
        self, after: int = 0, *, types: Sequence[str] | None = None, page: int = 200
    ) -> AsyncGenerator[list[RecordedEvent], None]:
        """Yield the available events like `follow`, in non-empty pages of at most `page`."""
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
                    if not events:  # no matching events in the range read so far
                        after = max(after, seen)
                if events:
                    after = events[-1].position
                    if selected := [e for e in events if types is None or e.type in types]:
                        yield selected
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
                logger.warning("the log could not be read; retrying: %s", error)
            await asyncio.sleep(0.2)

    async def grown(self, after: int) -> int:
        """Wait until the log has an event after a position, and return its last position."""
        async with aclosing(self.pages(after, page=1)) as pages:
            await anext(pages)
        return await self._recorder.head()

    @property
    def durability(self) -> Durability:
        """The part of the log that may be shown."""
        return self._recorder.durability

    @property
    def next_signal(self) -> asyncio.Event:
        """Return an event that is set when entries may have been appended. Get it before reading, then
        wait for it."""
        return self._woken

    def wake(self) -> None:
        """Wake all waiting consumers; later waiters get the next signal."""
        woken, self._woken = self._woken, asyncio.Event()
        woken.set()

    def listen_to(self, channel: str, handle: Callable[[str], None]) -> None:
        """Call `handle` with notifications on another channel, over the same connection.

        Call this before the follower begins to listen, because channels cannot be added later.
        """
        if self._begun:
            raise RuntimeError(f"the follower listens already: expected {channel} before")
        self._handlers[channel] = handle

    async def run(self) -> None:
        """Listen, and read new events for all consumers."""
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
                    self._tail = None  # each consumer reads separately and gets its own error
                    self._notify()
            await wait_for_event(woken)

    async def _read_on(self) -> None:
        """Read new events, once for all consumers."""
        if not self.followers:
            self._tail = None
            return
        if self._tail is None:
            self._tail = RecentEvents(await self._recorder.head())
            self._notify()
        while events := await self._recorder.read(self._tail.position, limit=MAX_EVENTS):
            if len(events) < MAX_EVENTS:
                self._tail.extend(events)
            else:  # an import exceeds the memory: each consumer reads it at its own pace
                self._tail = RecentEvents(await self._recorder.head())
            self._notify()

    def _notify(self) -> None:
        grown, self._appended = self._appended, asyncio.Event()
        grown.set()

    async def _listen(self) -> None:
        """Keep a listening connection, and reconnect after losing it."""
        while True:
            end_if_cancelled()
            try:
                await self._listen_once()
            except LogSetBack:
                self._notify()  # consumers are notified immediately
                return
            except CONNECTION_ERRORS as error:
                logger.warning("the listening connection was lost: %s", error)
            self.wake()
            await asyncio.sleep(0.5)

    async def _listen_once(self) -> None:
        """Listen until the connection is lost, or leads to an unsuitable server.

        The next connection searches for the suitable server. All other connections then follow
        (tracker/postgres/hosts.py).
        """
        connection = await connect(self.target, role=API)
        writing = self.target.get("target_session_attrs") == "read-write"
        try:
            await self.durability.check(connection)
            for channel in self._handlers:
                await connection.add_listener(channel, self._handle_notification)
            self.listening = True
            self.session += 1
            self.wake()
            while True:
                # A connection can be lost without notice: query it regularly to detect the loss.
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
    """Wait for an event, or until `seconds` have passed."""
    with contextlib.suppress(TimeoutError):
        # Not wait_for: in Python 3.11 it can suppress a cancellation that arrives with the event.
        async with asyncio.timeout(seconds):
            await event.wait()
