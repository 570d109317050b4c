"""Priority of query responses over pushes to subscribers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeVar

T = TypeVar("T")

AT_A_TIME = 16
"""How many are sent something in one turn of the loop: half a millisecond of work, about."""
MAX_WAIT_SECONDS = 0.4
"""How long those who listen wait, at most and in all, for answers to those who ask."""


class PushPriority:
    """Lets answers go before what is sent to listeners."""

    def __init__(self) -> None:
        self._answers = 0
        self._all_answered = asyncio.Event()
        self._all_answered.set()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """An answer is worked on for the length of a block."""
        self._answers += 1
        self._all_answered.clear()
        try:
            yield
        finally:
            self._answers -= 1
            if not self._answers:
                self._all_answered.set()

    async def go_through(self, find: Callable[[], Sequence[T]], act: Callable[[T], None]) -> None:
        """Act on every item that is found, in their order; answers that are worked on are finished
        first. For them it waits `MAX_WAIT_SECONDS` in all."""
        left = await self._give_way(MAX_WAIT_SECONDS)
        items = find()
        for first in range(0, len(items), AT_A_TIME):
            for item in items[first : first + AT_A_TIME]:
                act(item)
            await asyncio.sleep(0)
            left = await self._give_way(left)

    async def _give_way(self, seconds: float) -> float:
        """Wait for answers that are worked on, for so long at most; how much of that is left."""
        if not self._answers or seconds <= 0:
            return seconds
        started = time.monotonic()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._all_answered.wait()
        # The last answer leaves at the end of this turn: see CoalescingTransport.
        await asyncio.sleep(0)
        return seconds - (time.monotonic() - started)
