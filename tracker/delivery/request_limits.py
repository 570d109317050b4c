"""Limits on concurrent deliveries.

Few requests begin per iteration of the event loop, which also serves clients. Memory and file descriptors
limit the requests in flight.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

AT_A_TIME = 4
"""Number of requests that begin per loop iteration: one or two milliseconds of work."""
MAX_REQUESTS = 2_000
"""Maximum number of requests in flight."""
MAX_REQUEST_BYTES = 128 * 1024 * 1024
"""Maximum bytes of the bodies of requests in flight."""


class LoopThrottle:
    """Resumes a few waiters per iteration of the event loop, in order of arrival."""

    def __init__(self, at_a_time: int = AT_A_TIME):
        self._at_a_time = at_a_time
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._taken = 0
        """Number of waiters resumed in this loop iteration."""

    async def wait(self) -> None:
        """Continue now, or in one of the next loop iterations."""
        loop = asyncio.get_running_loop()
        if not self._taken:
            loop.call_soon(self._begin_next)
        if self._taken < self._at_a_time and not self._waiting:
            self._taken += 1
            return
        waiter = loop.create_future()
        self._waiting.append(waiter)
        await waiter

    def _begin_next(self) -> None:
        """Resume the next waiters at the start of a loop iteration."""
        self._taken = 0
        while self._waiting and self._taken < self._at_a_time:
            waiter = self._waiting.popleft()
            if not waiter.done():  # the waiter may have been cancelled
                waiter.set_result(None)
                self._taken += 1
        if self._taken:
            asyncio.get_running_loop().call_soon(self._begin_next)


class RequestLimit:
    """Limits requests in flight by number and bytes, in order of arrival."""

    def __init__(self, requests: int = MAX_REQUESTS, size: int = MAX_REQUEST_BYTES):
        self._requests, self._bytes = requests, size
        self._most_bytes = size
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def request(self, size: int) -> AsyncIterator[None]:
        """Wait for capacity for a request of some bytes; one above the limit runs alone."""
        size = min(size, self._most_bytes)
        if self._waiting or not self._take(size):
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append((size, waiter))
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter.done() and not waiter.cancelled():
                    self._give_back(size)
                raise
        try:
            yield
        finally:
            self._give_back(size)

    def _take(self, size: int) -> bool:
        if not self._requests or size > self._bytes:
            return False
        self._requests -= 1
        self._bytes -= size
        return True

    def _give_back(self, size: int) -> None:
        self._requests += 1
        self._bytes += size
        while self._waiting:
            needed, waiter = self._waiting[0]
            if not waiter.done():
                if not self._take(needed):
                    return
                waiter.set_result(None)
            self._waiting.popleft()
