"""Wakes subscribers for new events, with one listening connection for all.

A notification is only a hint. If it is missed, the table is read after `POLL_INTERVAL_SECONDS`. Events are
always read from the table by notification id.
"""

import asyncio
import contextlib
import logging
from collections import defaultdict
from threading import Event
from typing import Any
from weakref import WeakSet

from tracker.postgres.database import CONNECTION_ERRORS, Target, connect

POLL_INTERVAL_SECONDS = 1.5
"""Seconds after which a subscription reads its table without a notification."""

logger = logging.getLogger(__name__)


class Listener:
    """Sets the events of the watchers of a channel at each notification."""

    def __init__(self, target: Target):
        self._target = target
        self._watching: defaultdict[str, WeakSet[Event]] = defaultdict(WeakSet)
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def watch(self, channel: str, woken: Event) -> None:
        """Set `woken` at each notification, while `woken` is referenced."""
        self._watching[channel].add(woken)
        self._changed.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    def wake_all(self) -> None:
        """Wake all watchers."""
        for channel in self._watching:
            self._wake(channel)

    async def _run(self) -> None:
        """Keep a listening connection, and reconnect after losing it."""
        while True:
            try:
                await self._listen_once()
            except CONNECTION_ERRORS as error:
                logger.warning("the listening connection was lost: %s", error)
            await asyncio.sleep(0.5)

    async def _listen_once(self) -> None:
        connection = await connect(self._target)
        listening: set[str] = set()
        try:
            while True:
                self._changed.clear()
                for channel in self._watching.keys() - listening:
                    await connection.add_listener(channel, self._handle_notification)
                    listening.add(channel)
                    self._wake(channel)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_INTERVAL_SECONDS):
                        await self._changed.wait()
                # A connection can be lost without notice: query it regularly to detect the loss.
                await connection.execute("SELECT 1", timeout=POLL_INTERVAL_SECONDS)
        finally:
            connection.terminate()

    def _handle_notification(
        self, _connection: Any, _pid: int, channel: str, _payload: object
    ) -> None:
        self._wake(channel)

    def _wake(self, channel: str) -> None:
        for woken in self._watching[channel]:
            woken.set()
