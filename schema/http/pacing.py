"""How many are sent something go through it: a few at a time, and whoever asks goes first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

AT_A_TIME = 16
"""How many are sent something in one turn of the loop: half a millisecond of work, about."""
MAX_WAIT_SECONDS = 0.4
"""How long those who listen wait, at most, for answers to those who ask."""


class Pacing:
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
        first, within `MAX_WAIT_SECONDS`."""
        latest = asyncio.get_running_loop().time() + MAX_WAIT_SECONDS
        await self._give_way(latest)
        items = find()
        for first in range(0, len(items), AT_A_TIME):
            for item in items[first : first + AT_A_TIME]:
                act(item)
            await asyncio.sleep(0)
            await self._give_way(latest)

    async def _give_way(self, latest: float) -> None:
        loop = asyncio.get_running_loop()
        if self._answers and loop.time() < latest:
            try:
                async with asyncio.timeout_at(latest):
                    await self._all_answered.wait()
            except TimeoutError:
                pass
