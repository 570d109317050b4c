"""Broadcasts: data for many clients is read, executed and encoded once.

A broadcast follows the log for its listeners. The tasks of the listeners send each part. Parts are stored,
within limits, until all have sent them. A listener that is too slow is `Overtaken` and reads the missed
parts itself. It never delays others.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from contextvars import Context
from typing import Generic, TypeAlias, TypeVar

from msgspec import Struct, field

from schema.http.authentication import Client
from schema.http.limits import PushPriority
from tracker.log.follower import Follower

T = TypeVar("T")
Offset: TypeAlias = tuple[int, int]
"""Offset of a part of a broadcast: a position, and a date if it matters."""

MAX_STORED_BYTES = 256 * 1024
"""Maximum size of stored parts for slow listeners; the newest part is always stored."""
MAX_STORED_SECONDS = 5
"""Maximum age of a stored part; older parts are executed again."""


logger = logging.getLogger(__name__)


class Overtaken(Exception):
    """The next part of a listener is no longer stored."""


class Ended(Exception):
    """A broadcast has ended."""


class Part(Struct, Generic[T], frozen=True):
    """A part of a broadcast."""

    offset: Offset
    content: T
    size: int
    """Approximate size in bytes."""
    made: float = field(default_factory=time.monotonic)


class Listener(Generic[T]):
    """A listener of a broadcast. It gets every part after an offset, once, in order."""

    __slots__ = ("_broadcast", "after", "client", "woken")

    def __init__(self, broadcast: Broadcast[T], after: Offset, client: Client):
        self._broadcast = broadcast
        self.after = after
        self.client = client
        self.woken: asyncio.Future[None] | None = None
        """Future that completes with the next part; None while it sends."""

    async def next(self) -> Sequence[Part[T]]:
        """Return the parts that arrived meanwhile, or wait for the next one. Raises Overtaken or Ended."""
        while True:
            parts = self._broadcast.parts(self.after)
            if parts:
                self.after = parts[-1].offset
                return parts
            if self._broadcast.ended:
                raise Ended
            self.woken = asyncio.get_running_loop().create_future()
            self._broadcast.wait(self)
            try:
                await self.woken
            finally:
                self._broadcast.stop_waiting(self)
                self.woken = None

    def wake(self) -> None:
        """Wake it for new parts."""
        if self.woken and not self.woken.done():
            self.woken.set_result(None)


class Broadcast(Generic[T]):
    """A source of parts with its listeners."""

    def __init__(
        self,
        after: Offset,
        source: Callable[[Broadcast[T]], AsyncGenerator[Part[T], None]],
        pacing: PushPriority,
        *,
        latest_only: bool = False,
    ):
        self.after = after
        """Offset after which parts are stored or expected."""
        self.listeners: dict[Listener[T], None] = {}
        self.joined: Part[T] | None = None
        """First part for late listeners, if they need one at once."""
        self._source = source
        self._pacing = pacing
        self._latest_only = latest_only
        self._parts: deque[Part[T]] = deque()
        self._size = 0
        self._waiting: dict[Listener[T], None] = {}
        self._is_needed = asyncio.Event()
        self.ended = False
        """Whether no more parts will come."""
        self._work: asyncio.Task[None] | None = None
        self._round: asyncio.Task[None] | None = None
        self._run: tuple[Offset, list[Part[T]]] = (after, [])

    @property
    def started(self) -> bool:
        """Return whether it ever had a listener."""
        return self._work is not None

    @property
    def latest(self) -> Part[T] | None:
        """Return the newest stored part."""
        return self._parts[-1] if self._parts else None

    @contextmanager
    def listen(self, after: Offset, client: Client) -> Iterator[Listener[T]]:
        """Listen for the length of a block. The source is followed while there are listeners."""
        listener = Listener(self, after, client)
        self.listeners[listener] = None
        if self._work is None:
            # Use a separate context, because that of the first listener belongs to its operation.
            self._work = asyncio.get_running_loop().create_task(self._follow(), context=Context())
        try:
            yield listener
        finally:
            del self.listeners[listener]
            if not self.listeners:
                self.stop()

    def stop(self) -> None:
        """Stop following the source; present listeners receive the stored parts."""
        self._finish()
        for task in (self._work, self._round):
            if task:
                task.cancel()

    def parts(self, after: Offset) -> Sequence[Part[T]]:
        """Return the parts after an offset. Raises Overtaken if some are no longer stored."""
        if self._parts and self._parts[-1].offset > after:
            self._forget()
        if after < self.after and not self._latest_only:
            raise Overtaken
        if not self._parts or self._parts[-1].offset <= after:
            return ()
        since, run = self._run
        if since != after or not run or run[-1] is not self._parts[-1]:
            run = [part for part in self._parts if part.offset > after]
            self._run = after, run
        return run

    def wait(self, listener: Listener[T]) -> None:
        """Register a listener that has sent all parts."""
        self._waiting[listener] = None
        self._is_needed.set()

    def stop_waiting(self, listener: Listener[T]) -> None:
        """Remove a waiting listener."""
        self._waiting.pop(listener, None)

    async def _follow(self) -> None:
        """Take a part, and the next one when the first listener has sent it."""
        try:
            async with aclosing(self._source(self)) as parts:
                async for part in parts:
                    self._append(part)
                    await self._is_needed.wait()
                    if self._round and self._size > MAX_STORED_BYTES:
                        await asyncio.wait([self._round])
        except Exception:
            logger.exception("a broadcast ends")
        self._finish()

    def _append(self, part: Part[T]) -> None:
        if self._latest_only:
            self._parts.clear()
            self._size = 0
        self._parts.append(part)
        self._size += part.size
        self._is_needed.clear()
        self._forget()
        if self._round is None:
            self._round = asyncio.create_task(self._wake_all(), context=Context())

    def _forget(self) -> None:
        """Drop parts that are too old or too many, once all waiting listeners were woken.

        The newest part stays.
        """
        if self._round:
            return
        now = time.monotonic()
        while len(self._parts) > 1 and (
            self._size > MAX_STORED_BYTES or self._parts[0].made < now - MAX_STORED_SECONDS
        ):
            part = self._parts.popleft()
            self._size -= part.size
            self.after = part.offset

    async def _wake_all(self) -> None:
        """Wake waiting listeners in groups, until all were woken for the newest part."""
        woken_for = None
        while woken_for is not self.latest:
            woken_for = self.latest
            await self._pacing.go_through(self._behind, Listener.wake)
        self._round = None
        self._forget()

    def _behind(self) -> list[Listener[T]]:
        """Return the waiting listeners without the newest part."""
        newest = self._parts[-1].offset
        return [listener for listener in self._waiting if listener.after < newest]

    def _finish(self) -> None:
        self.ended = True
        for listener in list(self._waiting):
            listener.wake()


Source: TypeAlias = Callable[[Broadcast[T]], AsyncGenerator[Part[T], None]]


class Broadcasts(Generic[T]):
    """The active broadcasts, by query."""

    def __init__(self, follower: Follower, pacing: PushPriority, *, latest_only: bool = False):
        self._follower = follower
        self._pacing = pacing
        self._latest_only = latest_only
        self._by_query: dict[Hashable, Broadcast[T]] = {}

    def of(self, query: Hashable, after: Offset, source: Source[T]) -> Broadcast[T]:
        """Return the broadcast of a query, or a new one that starts after an offset."""
        broadcast = self._by_query.get(query)
        if broadcast is None or broadcast.ended:
            broadcast = Broadcast(after, source, self._pacing, latest_only=self._latest_only)
            self._by_query[query] = broadcast
        return broadcast

    @contextmanager
    def listen(
        self, query: Hashable, broadcast: Broadcast[T], after: Offset, client: Client
    ) -> Iterator[Listener[T]]:
        """Listen to the broadcast of a query for the length of a block."""
        shares = bool(broadcast.listeners)  # the source counts as a follower itself
        with broadcast.listen(after, client) as listener:
            self._follower.followers += shares
            try:
                yield listener
            finally:
                self._follower.followers -= len(broadcast.listeners) > 1
        if broadcast.ended and self._by_query.get(query) is broadcast:
            del self._by_query[query]

    async def follow(
        self,
        query: Hashable,
        after: int,
        client: Client,
        source: Source[T],
        *,
        head: Callable[[], Awaitable[int]],
        read: Callable[[int, int], AsyncGenerator[T, None]],
    ) -> AsyncGenerator[Sequence[T], None]:
        """Yield the items after a position, in order.

        Existing items are read by `read` between two positions; later ones come from the broadcast, until
        it ends.
        """
        while True:
            while after < (until := await head()):
                async with aclosing(read(after, until)) as pages:
                    async for content in pages:
                        yield (content,)
                after = until
            broadcast = self.of(query, (until, 0), source)
            with self.listen(query, broadcast, (after, 0), client) as listener:
                try:
                    while True:
                        yield [part.content for part in await listener.next()]
                except Overtaken:
                    after = listener.after[0]
                except Ended:
                    return
