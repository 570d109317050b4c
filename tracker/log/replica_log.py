"""The log as it is read from a replica, where nobody can listen, confirm or append.

A standby may have what its primary shows nobody yet, since it waits for other standbys; and nothing
tells it so. So it is shown up to where its primary has projected it: that is done only with what is
durable (projections/runner/projector.py), and comes to a standby behind what it is of.
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
"""Seconds after which a replica is asked what is new: so late, at most, it is seen that it has it."""
SILENCE_SECONDS = 2.0
"""Seconds that its answer may take; then it counts as gone."""
RETRY_SECONDS = 0.5

logger = logging.getLogger(__name__)


class ReplayedDurability(Durability):
    """Knows how much of a log may be shown that is read from replicas; never less than before."""

    def __init__(self, projected: Callable[[Connection | Pool], Awaitable[int]]):
        super().__init__(_refuse)
        self._projected = projected
        self.pool: Pool | None = None
        """Where it asks how far a replica has come."""

    @property
    def synchronous(self) -> bool:
        """Whether less may be shown than is seen: always."""
        return True

    @synchronous.setter
    def synchronous(self, said: bool) -> None:
        """What a standby says of standbys of its own does not count."""

    @property
    def shown(self) -> int:
        """Up to where the log was shown."""
        return self._position or 0

    async def head(self, connection: Connection) -> int:
        """The last position that may be shown."""
        self.require_continuity()
        self.note_durable(await self._projected(connection))
        return self.shown

    async def release(self, seen: int) -> int:
        """How far a log may be shown that is seen up to a position."""
        self.require_continuity()
        if seen > self.shown:
            assert self.pool is not None
            self.note_durable(await self._projected(self.pool))
        return min(seen, self.shown)


class ReplicaRecorder(Recorder):
    """Reads the log, and refuses to append to it."""

    async def append(self, command: Command) -> AppendResult:
        """Raises ReadOnly."""
        raise ReadOnly

    async def confirm(self) -> None:
        """Raises ReadOnly."""
        raise ReadOnly


class PollingFollower(Follower):
    """Asks what is new instead of listening.

    `ask` answers by channel; whoever listens to one is told when its answer is another. While the
    replica answers this counts as listening.
    """

    def __init__(
        self,
        recorder: Recorder,
        target: Target,
        ask: Callable[[Connection], Awaitable[Mapping[str, str]]],
        lost: Callable[[BaseException], None],
    ):
        super().__init__(recorder, target)
        self._ask = ask
        self._lost = lost
        self._gone = False
        """Whether it did not answer the last time, as was logged."""

    async def _listen(self) -> None:
        while True:
            try:
                await self._poll()
            except LogSetBack:
                self._notify()
                return
            except (*CONNECTION_ERRORS, TrackerError) as error:
                if not self._gone:
                    logger.warning("the replica does not answer: %s", error or "it is silent")
                self._gone = True
                self._lost(error)
            self.wake()
            await asyncio.sleep(RETRY_SECONDS)

    async def _poll(self) -> None:
        connection = await connect(self._target, role=API)
        await self.durability.check(connection)
        last: Mapping[str, str] = {}
        try:
            while True:
                async with asyncio.timeout(SILENCE_SECONDS):
                    found = await self._ask(connection)
                if not self.listening:
                    self.listening, self._gone = True, False
                    self.session += 1
                for channel, payload in found.items():
                    if payload != last.get(channel) and channel in self._handlers:
                        self._handlers[channel](payload)
                last = found
                await asyncio.sleep(REPLICA_POLL_SECONDS)
        finally:
            self.listening = False
            connection.terminate()


async def _refuse() -> NoReturn:
    raise ReadOnly
