"""The log as read from a replica, which cannot listen, confirm or append.

A standby may have events that its primary does not show yet, because the primary waits for other standbys.
The standby cannot detect this. So the log is shown up to the position that its primary has projected. The
primary projects only durable events (projections/runner/projector.py), and the projection reaches a standby
after the events.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import NoReturn

from tracker.errors import LogSetBack, ReadOnly, TrackerError
from tracker.log.append import AppendResult, Command
from tracker.log.durability import Durability
from tracker.log.follower import Follower
from tracker.log.recorder import Recorder
from tracker.postgres.database import API, CONNECTION_ERRORS, Connection, Pool, Target, connect

REPLICA_POLL_SECONDS = 0.25
"""Seconds between two polls of a replica; the maximum delay of new events."""
SILENCE_SECONDS = 2.0
"""Timeout of its response in seconds; then it counts as unavailable."""
RETRY_SECONDS = 0.5
REPLICA = (
    "This server reads from a replica, so nothing was recorded: send this to one that writes to the"
    " primary"
)

logger = logging.getLogger(__name__)


class ReplayedDurability(Durability):
    """Determines the position up to which a log read from replicas may be shown; it never decreases."""

    def __init__(self, projected: Callable[[Connection | Pool], Awaitable[int]]):
        super().__init__(_refuse)
        self._projected = projected
        self.pool: Pool | None = None
        """Pool of the queries for a replica's position."""

    @property
    def synchronous(self) -> bool:
        """Whether less may be shown than is visible: always."""
        return True

    @synchronous.setter
    def synchronous(self, value: bool) -> None:
        """Ignore a standby's report about standbys of its own."""

    @property
    def shown(self) -> int:
        """The last position that was shown."""
        return self._position or 0

    async def head(self, connection: Connection) -> int:
        """Return the last position that may be shown."""
        self.require_continuity()
        self.note_durable(await self._projected(connection))
        return self.shown

    async def release(self, seen: int) -> int:
        """Return the position up to which a log may be shown that is visible up to a position."""
        self.require_continuity()
        if seen > self.shown:
            assert self.pool is not None
            self.note_durable(await self._projected(self.pool))
        return min(seen, self.shown)


class MirrorRecorder(Recorder):
    """Reads the log, and refuses to append to it."""

    read_only = REPLICA
    """The message of ReadOnly."""

    async def append(self, command: Command) -> AppendResult:
        """Raise ReadOnly."""
        raise ReadOnly(self.read_only)


class ReplicaRecorder(MirrorRecorder):
    """Reads the log of a replica, which cannot confirm either."""

    async def confirm(self) -> None:
        """Raise ReadOnly."""
        raise ReadOnly(self.read_only)


class PollingFollower(Follower):
    """Polls for changes instead of listening.

    `ask` returns values by channel. A listener of a channel is called when its value changes. While the
    replica responds, this counts as listening.
    """

    def __init__(
        self,
        recorder: Recorder,
        target: Target,
        read_values: Callable[[Connection], Awaitable[Mapping[str, str]]],
        lost: Callable[[BaseException], None],
    ):
        super().__init__(recorder, target)
        self._read_values = read_values
        self._lost = lost
        self._gone = False
        """Whether the last poll failed, as was logged."""

    async def _listen(self) -> None:
        while True:
            try:
                await self._poll()
            except LogSetBack:
                self._notify()
                return
            except (*CONNECTION_ERRORS, TrackerError) as error:
                if not self._gone:
                    logger.warning(
                        "the connection to the replica ended: %s", error or "it is silent"
                    )
                self._gone = True
                self._lost(error)
            self.wake()
            await asyncio.sleep(RETRY_SECONDS)

    async def _poll(self) -> None:
        connection = await connect(self.target, role=API)
        await self.durability.check(connection)
        last: Mapping[str, str] = {}
        try:
            while True:
                async with asyncio.timeout(SILENCE_SECONDS):
                    head = await self._read_values(connection)
                if not self.listening:
                    self.listening, self._gone = True, False
                    self.session += 1
                for channel, payload in head.items():
                    if payload != last.get(channel) and channel in self._handlers:
                        self._handlers[channel](payload)
                last = head
                await asyncio.sleep(REPLICA_POLL_SECONDS)
        finally:
            self.listening = False
            connection.terminate()


async def _refuse() -> NoReturn:
    raise ReadOnly(REPLICA)
