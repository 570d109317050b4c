"""Waking whoever waits for new events: one listening connection, for as many as wait.

A notification is only a hint. Who misses one looks again after `POLL_INTERVAL_SECONDS` anyway, and what is
delivered always comes from reading the table by notification id.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from threading import Event
from typing import Any
from weakref import WeakSet

from tracker.postgres.database import CONNECTION_ERRORS, Target, connect

POLL_INTERVAL_SECONDS = 1.5
"""Seconds after which a subscription looks at its table without having been woken."""

logger = logging.getLogger(__name__)


class Listener:
    """Sets the events of those who watch a channel when something is notified there."""

    def __init__(self, target: Target):
        self._target = target
        self._watching: defaultdict[str, WeakSet[Event]] = defaultdict(WeakSet)
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def watch(self, channel: str, woken: Event) -> None:
        """Set `woken` at each notification, for as long as somebody holds it."""
        self._watching[channel].add(woken)
        self._changed.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    def wake_all(self) -> None:
        """Let everyone look."""
        for channel in self._watching:
            self._wake(channel)

    async def _run(self) -> None:
        """Keep one listening connection, and come back after losing it."""
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
                # A connection can die without a word: ask it, so that the loss is noticed.
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
