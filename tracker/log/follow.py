"""Following the log: catch up in pages, then wait to be woken.

One LISTEN connection a process wakes all followers. A notification is only a hint: whoever misses
one, because the connection died or the server failed over, looks again after `PATIENCE` seconds.
What a follower delivers always comes from reading the log by position, so it can skip nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence

from tracker.log.background import Background
from tracker.log.database import API, LOST, Target, connect
from tracker.log.mapper import Recorded
from tracker.log.recorder import Recorder

PATIENCE = 1.5
"""Seconds after which a follower looks at the log without having been woken."""

logger = logging.getLogger(__name__)


class Follower(Background):
    """Wakes everyone in this process who waits for new events."""

    def __init__(self, recorder: Recorder, target: Target):
        self._recorder = recorder
        self._target = target
        self._woken = asyncio.Event()

    async def follow(
        self, after: int = 0, *, types: Sequence[str] | None = None, page: int = 200
    ) -> AsyncIterator[Recorded]:
        """Every event after a position, in order, and then each new one as it comes; never ends.

        A slow consumer holds one page in memory, however far the log runs ahead of it.
        """
        while True:
            signal = self.signal
            events = await self._recorder.read(after, limit=page, types=types)
            for event in events:
                yield event
                after = event.position
            if not events:
                await wait(signal)

    @property
    def signal(self) -> asyncio.Event:
        """Set when something may have been appended. Take it before looking, then wait for it."""
        return self._woken

    def wake(self) -> None:
        """Wake everyone who waits; whoever waits from now on gets the next signal."""
        woken, self._woken = self._woken, asyncio.Event()
        woken.set()

    async def run(self) -> None:
        """Keep one listening connection, and come back after losing it."""
        while True:
            try:
                await self._listen_once()
            except LOST as error:
                logger.warning("the listening connection was lost: %s", error)
            self.wake()
            await asyncio.sleep(0.5)

    async def _listen_once(self) -> None:
        connection = await connect(self._target, role=API)
        try:
            await connection.add_listener("log", lambda *_: self.wake())
            self.wake()
            while True:
                # A connection can die without a word: ask it, so that the loss is noticed.
                await asyncio.sleep(PATIENCE)
                await connection.execute("SELECT 1", timeout=PATIENCE)
        finally:
            connection.terminate()


async def wait(event: asyncio.Event, seconds: float = PATIENCE) -> None:
    """Wait for an event, or for `seconds` to pass."""
    with contextlib.suppress(TimeoutError):
        # Not wait_for: in Python 3.11 it can swallow a cancellation that comes with the event.
        async with asyncio.timeout(seconds):
            await event.wait()
