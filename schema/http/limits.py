"""Limits of each client, and the priority of query responses over pushes to subscribers."""

import asyncio
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import TypeVar

from tracker.errors import RateLimited

T = TypeVar("T")

BURST_SECONDS = 2
"""Burst limit in seconds' worth of requests."""
MAX_CLIENTS = 10_000
"""Maximum number of clients in the rate limiter; the one that was silent longest is dropped first."""
PUSHES_PER_PASS = 16
"""Number of pushes per iteration of the event loop: about half a millisecond of work."""
MAX_PUSH_WAIT_SECONDS = 0.4
"""Maximum total time in seconds that pushes wait for query responses."""


class PushPriority:
    """A gate that gives query responses priority over pushes to listeners."""

    def __init__(self) -> None:
        self._answers = 0  # changed by the event loop's thread only, as is the event
        self._all_answered = asyncio.Event()
        self._all_answered.set()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Mark a query response as in progress for the length of a block."""
        self._answers += 1
        self._all_answered.clear()
        try:
            yield
        finally:
            self._answers -= 1
            if not self._answers:
                self._all_answered.set()

    async def go_through(self, find: Callable[[], Sequence[T]], act: Callable[[T], None]) -> None:
        """Act on every found item, in order, after query responses in progress.

        The total wait for them is limited to `MAX_PUSH_WAIT_SECONDS`.
        """
        left = await self._give_way(MAX_PUSH_WAIT_SECONDS)
        items = find()
        for first in range(0, len(items), PUSHES_PER_PASS):
            for item in items[first : first + PUSHES_PER_PASS]:
                act(item)
            await asyncio.sleep(0)
            left = await self._give_way(left)

    async def _give_way(self, seconds: float) -> float:
        """Wait for responses in progress, for a limited time; return the remaining time."""
        if not self._answers or seconds <= 0:
            return seconds
        started = time.monotonic()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._all_answered.wait()
        # The last response leaves at the end of this loop iteration: see CoalescingTransport.
        await asyncio.sleep(0)
        return seconds - (time.monotonic() - started)


class TokenBuckets:
    """Token buckets: a client gets `rate` requests a second, with a burst of two seconds' worth."""

    def __init__(
        self, rate: float, clock: Callable[[], float] = time.monotonic, most: int = MAX_CLIENTS
    ):
        self._rate = rate
        self._size = max(1.0, rate * BURST_SECONDS)
        self._clock = clock
        self._most = most
        # Accessed by the event loop's thread only.
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> None:
        """Charge a request. Raises RateLimited, with the seconds until the next one is allowed."""
        if not self._rate:
            return
        now = self._clock()
        left, since = self._left.pop(client, (self._size, now))
        left = min(self._size, left + (now - since) * self._rate)
        enough = left >= 1
        self._left[client] = (left - 1 if enough else left, now)
        if len(self._left) > self._most:
            self._left.popitem(last=False)
        if not enough:
            raise RateLimited((1 - left) / self._rate)


@lru_cache(maxsize=MAX_CLIENTS)
def client_network(address: str | None) -> str:
    """Return the network of a client: an IPv4 address, or the /64 of an IPv6 customer."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return str(address)
    return str(ipaddress.ip_network((parsed, 32 if parsed.version == 4 else 64), strict=False))
