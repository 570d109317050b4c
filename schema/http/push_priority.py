"""Priority of query responses over pushes to subscribers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeVar

T = TypeVar("T")

AT_A_TIME = 16
"""Number of pushes per iteration of the event loop: about half a millisecond of work."""
MAX_WAIT_SECONDS = 0.4
"""Maximum total time in seconds that pushes wait for query responses."""


class PushPriority:
    """A gate that gives query responses priority over pushes to listeners."""

    def __init__(self) -> None:
        self._answers = 0
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

        The total wait for them is limited to `MAX_WAIT_SECONDS`.
        """
        left = await self._give_way(MAX_WAIT_SECONDS)
        items = find()
        for first in range(0, len(items), AT_A_TIME):
            for item in items[first : first + AT_A_TIME]:
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
