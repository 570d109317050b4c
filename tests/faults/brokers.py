"""A tracker under load whose log is relayed to a broker, with faults of both."""

import asyncio
import os
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from random import Random
from typing import Any, Self

import nats.errors
from nats.js.errors import Error as JetStreamError

from tests.faults.delivered import DeliveredEvent, NotAsPromised, check_events
from tests.faults.load import WAIT_TIMEOUT_SECONDS, Broken
from tests.faults.world import SystemUnderLoad
from tests.faults.writers import Appending, Mutating
from tests.support.nats_server import NatsServer
from tests.support.processes import TRACKER
from tracker.log.entries import RecordedEvent

STREAM = "MINERALS"
AWAY_SECONDS = 3
"""Maximum seconds until a broker returns."""


class SystemWithBroker(SystemUnderLoad):
    """A tracker under load, a relay in a separate process, and a broker."""

    writer_kinds = (Mutating,) * 12 + (Appending,) * 4
    pause_seconds = 0.1

    async def __aenter__(self) -> Self:
        """Serve and relay."""
        await super().__aenter__()
        directory = self.data_dir.with_name("broker")
        directory.mkdir()
        self.broker = NatsServer(directory)
        await asyncio.to_thread(self.broker.start)
        self.start_relay()
        await self._until_there()
        return self

    async def __aexit__(self, *_: object) -> None:
        """End all parts."""
        self.kill_relay()
        await asyncio.to_thread(self.broker.kill)
        await super().__aexit__(*_)

    def start_relay(self) -> None:
        """Run `tracker relay`."""
        with self.data_dir.with_name("relay.output").open("ab") as output:
            self.relay = subprocess.Popen(
                [*TRACKER, "relay", self.broker.url, "--after", "0", "--data-dir", self.data_dir],
                stdout=output,
                stderr=output,
                env={**os.environ},
            )

    def kill_relay(self) -> None:
        """Kill it (SIGKILL)."""
        self.relay.kill()
        self.relay.wait()

    async def settled(self, seconds: float = WAIT_TIMEOUT_SECONDS) -> None:
        """Wait until writers are acknowledged again, and all current events are relayed."""
        await super().settled(seconds)
        await self._relayed(await self.recorder.head(), seconds)

    async def check_more(self, log: Sequence[RecordedEvent]) -> None:
        """Check that the stream has every event, in order, each with its predecessor."""
        await self._relayed(len(log), WAIT_TIMEOUT_SECONDS)
        found = await self.broker.messages(STREAM)
        try:
            self.came = check_events(map(relayed_event, found), log)
        except NotAsPromised as broken:
            raise Broken(
                f"the broker: {broken}; the relay says:\n{self._relay_output()}"
            ) from broken

    async def _relayed(self, position: int, seconds: float) -> None:
        """Wait until the stream reaches a position."""
        ends = time.monotonic() + seconds
        while await self._last_position() < position:
            if self.relay.poll() is not None:
                raise Broken(f"the relay has ended: {self._relay_output()}")
            if time.monotonic() > ends:
                raise Broken(f"the stream has no position {position}: {self._relay_output()}")
            await asyncio.sleep(0.05)

    async def _until_there(self) -> None:
        """Wait until the relay has created its stream."""
        async with asyncio.timeout(WAIT_TIMEOUT_SECONDS), self.broker.jetstream() as jetstream:
            while self.relay.poll() is None:
                with suppress(JetStreamError):
                    await jetstream.stream_info(STREAM)
                    return
                await asyncio.sleep(0.05)
        raise Broken(f"the relay has ended: {self._relay_output()}")

    async def _last_position(self) -> int:
        with suppress(nats.errors.Error, JetStreamError, OSError):
            async with self.broker.jetstream() as jetstream:
                state = (await jetstream.stream_info(STREAM)).state
                if state.messages:
                    last = await jetstream.get_msg(STREAM, state.last_seq)
                    return int((last.headers or {})["Tracker-Position"])
        return 0

    def _relay_output(self) -> str:
        return self.data_dir.with_name("relay.output").read_text()[-2000:]


def relayed_event(message: Any) -> DeliveredEvent:
    """Return an event from a stream message. Raises NotAsPromised for headers of another event."""
    headers = message.headers
    position = int(headers["Tracker-Position"])
    if b'"position":"%d"' % position not in message.data:
        raise NotAsPromised(f"a message of position {position} has {message.data!r}")
    previous = int(headers["Tracker-Previous-Position"])
    return DeliveredEvent(headers["Nats-Msg-Id"], position, message.data, previous)


async def kill_broker(world: SystemUnderLoad, chance: Random) -> float:
    """Kill the broker. Every other time it loses its last acknowledged messages."""
    assert isinstance(world, SystemWithBroker)
    if chance.random() < 0.5:
        await asyncio.to_thread(world.broker.back_up)
        await asyncio.sleep(chance.uniform(0, AWAY_SECONDS))
        await asyncio.to_thread(world.broker.restore)
    else:
        await asyncio.to_thread(world.broker.kill)
        await asyncio.sleep(chance.uniform(0, AWAY_SECONDS))
        await asyncio.to_thread(world.broker.start)
    return time.monotonic()


async def kill_relay(world: SystemUnderLoad, chance: Random) -> float:
    """Kill and restart the relay."""
    assert isinstance(world, SystemWithBroker)
    world.kill_relay()
    await asyncio.sleep(chance.uniform(0, AWAY_SECONDS))
    world.start_relay()
    return time.monotonic()
