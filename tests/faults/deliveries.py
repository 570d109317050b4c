"""A tracker under load that delivers events, with faults of it and its receivers."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Self

import psutil  # type: ignore[import-untyped]

from tests.faults.delivered import Accepted, Came, NotAsPromised, check_delivered, events_of
from tests.faults.load import WAIT_TIMEOUT_SECONDS, Broken
from tests.faults.world import SystemUnderLoad
from tests.faults.writers import Appending, Mutating
from tests.support.processes import Running
from tests.support.time_limits import within
from tracker.delivery.endpoint import EndpointFilter, Manager, NewEndpoint
from tracker.delivery.endpoints import Endpoints
from tracker.log.entries import RecordedEvent
from tracker.web.networks import Networks

LOOPBACK = "127.0.0.0/8"
TAKEN_OVER_SECONDS = 15
"""Timeout in seconds for another server to take over deliveries: 10, and a margin for a busy machine."""
AWAY_SECONDS = 2
"""Maximum seconds until a receiver returns."""
NOTED_SECONDS = 0.5
"""Maximum seconds until a failed delivery is stored."""
PERSON = Manager("tests")
NARROW = "ExportControl.Suspended"


class Receiver:
    """A receiver of deliveries, in a process that can be killed and restarted."""

    def __init__(self, file: Path):
        self.file = file
        self.port = 0
        self.process: subprocess.Popen[str] | None = None
        self._read = 0
        self._accepted: list[Accepted] = []

    @property
    def url(self) -> str:
        """Return its address, once it has started."""
        return f"http://127.0.0.1:{self.port}/"

    async def start(self) -> None:
        """Start it, always at the same port."""
        arguments = ["-m", "tests.faults.receiver", str(self.file), str(self.port)]
        self.process = subprocess.Popen(
            [sys.executable, *arguments], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        self.port = int(await asyncio.to_thread(self.process.stdout.readline))

    async def stop(self) -> None:
        """Kill it (SIGKILL)."""
        if self.process:
            assert self.process.stdout
            self.process.kill()
            await asyncio.to_thread(self.process.wait)
            self.process.stdout.close()

    def accepted(self) -> list[Accepted]:
        """Return all accepted deliveries."""
        with self.file.open("rb") as file:
            file.seek(self._read)
            new = file.read().rpartition(b"\n")[0]
        if new:
            self._read += len(new) + 1
            lines = [line.partition(b"\t") for line in new.split(b"\n")]
            self._accepted += [Accepted(id.decode(), body) for id, _, body in lines]
        return self._accepted


@dataclass(frozen=True, slots=True)
class Delivered:
    """An endpoint, its receiver, and our own filter of its events."""

    new: NewEndpoint
    receiver: Receiver
    wants: Callable[[RecordedEvent], bool]

    def check(self, log: Sequence[RecordedEvent]) -> Came:
        """Check and count all accepted deliveries. Raises Broken."""
        wanted = [event for event in log if self.wants(event)]
        try:
            return check_delivered(self.receiver.accepted(), wanted)
        except NotAsPromised as broken:
            raise Broken(f"endpoint {self.new.name}: {broken}") from broken

    def has(self, position: int) -> bool:
        """Whether the last delivery has reached a position."""
        accepted = self.receiver.accepted()
        return not position or (bool(accepted) and events_of(accepted[-1])[-1].position >= position)


ENDPOINTS: dict[str, tuple[NewEndpoint, Callable[[RecordedEvent], bool]]] = {
    "single": (NewEndpoint("", after=0), lambda _: True),
    "batched": (NewEndpoint("", after=0, max_batch_events=50), lambda _: True),
    "narrow": (
        NewEndpoint("", after=0, filter=EndpointFilter(types=(NARROW,)), with_proof=True),
        lambda event: event.type == NARROW,
    ),
}


class SystemWithReceivers(SystemUnderLoad):
    """A tracker under load that delivers to receivers."""

    writer_kinds = (Mutating,) * 12 + (Appending,) * 4
    pause_seconds = 0.1  # so that a receiver with fsync per event keeps up

    async def __aenter__(self) -> Self:
        """Serve, and add endpoints for the receivers."""
        receivers = {name: Receiver(self.data_dir.with_name(f"{name}.kept")) for name in ENDPOINTS}
        self.endpoints: list[Delivered] = []
        await asyncio.gather(super().__aenter__(), *(each.start() for each in receivers.values()))
        self.desk = Endpoints(self._pool, self.recorder, Networks.parse([LOOPBACK]))
        for name, (new, wants) in ENDPOINTS.items():
            named = replace(new, name=name, url=receivers[name].url)
            await self.desk.add(named, PERSON)
            self.endpoints.append(Delivered(named, receivers[name], wants))
        return self

    async def __aexit__(self, *_: object) -> None:
        """End all parts."""
        for endpoint in self.endpoints:
            await endpoint.receiver.stop()
        await super().__aexit__(*_)

    def settings(self) -> Mapping[str, str]:
        """Return settings that allow local deliveries, and proofs on each server."""
        audit_dir = str(self.data_dir.with_name("audit"))
        return {"TRACKER_DELIVERY_NETWORKS": LOOPBACK, "TRACKER_AUDIT_DIR": audit_dir}

    async def settled(self, seconds: float = WAIT_TIMEOUT_SECONDS) -> None:
        """Wait until writers are acknowledged again, and all current events are delivered."""
        await super().settled(seconds)
        await self.delivered(seconds)

    async def delivered(self, seconds: float = WAIT_TIMEOUT_SECONDS) -> None:
        """Wait until all current events are delivered to the receivers of everything."""
        head = await self.recorder.head()
        await self.until(
            lambda: all(each.has(head) for each in self.endpoints if not each.new.filter.types),
            "deliveries go on",
            seconds,
        )

    async def retry(self, endpoint: Delivered, by_itself: bool) -> None:
        """Retry an endpoint now; with `by_itself` only if its next attempt is five minutes away.

        That happens after a long absence on a busy machine.
        """
        name = str(endpoint.new.name)
        if not by_itself or (await self.desk.get(name, PERSON)).failures > 1:
            await self.desk.retry(name, PERSON, reason="it is back")

    async def check_more(self, log: Sequence[RecordedEvent]) -> None:
        """Check that every event of each endpoint's filter arrived in order, with one id."""
        for endpoint in self.endpoints:
            last = max((event.position for event in log if endpoint.wants(event)), default=0)
            await self.until(partial(endpoint.has, last), f"{endpoint.new.name} gets every event")
        came = [endpoint.check(log) for endpoint in self.endpoints]
        self.came = Came(sum(each.events for each in came), sum(each.again for each in came))


async def kill_receivers(world: SystemUnderLoad, chance: Random) -> float:
    """Kill some receivers while they store deliveries; they return soon."""
    assert isinstance(world, SystemWithReceivers)
    struck = chance.sample(world.endpoints, chance.randint(1, len(world.endpoints)))
    for endpoint in struck:
        await asyncio.sleep(chance.uniform(0, 0.05))
        await endpoint.receiver.stop()
    await asyncio.sleep(chance.uniform(0, AWAY_SECONDS))
    await asyncio.gather(*(endpoint.receiver.start() for endpoint in struck))
    back, by_itself = time.monotonic(), chance.random() < 0.5
    await asyncio.sleep(NOTED_SECONDS)
    for endpoint in struck:
        await world.retry(endpoint, by_itself)
    return back


async def kill_deliverer(world: SystemUnderLoad, chance: Random) -> float:
    """Kill one of two servers that may deliver: the other continues."""
    assert isinstance(world, SystemWithReceivers)
    struck = one_of_two(world, chance)
    struck.process.kill()
    went_on = await taken_over(world)
    if struck is world.serving:
        await world.ended()
        await world.serve()
    else:
        await world.serve_rival()
    return time.monotonic() - went_on


async def freeze_deliverer(world: SystemUnderLoad, chance: Random) -> float:
    """Stop one of two servers that may deliver with SIGSTOP: the other continues.

    Later requests and writes of the first one do no harm.
    """
    assert isinstance(world, SystemWithReceivers)
    frozen = psutil.Process(one_of_two(world, chance).process.pid)
    frozen.suspend()
    try:
        went_on = await taken_over(world)
    finally:
        frozen.resume()
    return time.monotonic() - went_on


def one_of_two(world: SystemUnderLoad, chance: Random) -> Running:
    """Return one of two servers on one database."""
    assert world.rival
    return world.serving if chance.random() < 0.5 else world.rival


async def taken_over(world: SystemWithReceivers) -> float:
    """Wait until deliveries continue, and return the seconds. Raises Broken."""
    struck = time.monotonic()
    await world.delivered(within(TAKEN_OVER_SECONDS))
    return time.monotonic() - struck
