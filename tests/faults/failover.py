"""Failover time of writes and followers: a pair of servers, and a tracker that knows both.

    python -m tests.faults.failover [frozen|cut|killed|switchover ...] [--rounds 20]

There is no election: the test promotes the standby after some seconds. The results are the seconds from then
on.
"""

import argparse
import asyncio
import logging
import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.bootstrap import running_tracker
from schema.services import Services
from tests.faults.proxy import PortProxy
from tests.support.deliveries import ADMIN, QUICK
from tests.support.event_receiver import EventReceiver, receiving_events
from tests.support.fact_builders import announced
from tests.support.replication import HOST, Pair, running_pair
from tests.support.time_limits import within
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.sign.publisher import SigningOptions
from tracker.delivery.endpoint import NewEndpoint
from tracker.errors import TrackerError
from tracker.postgres.database import Target

KINDS = ("frozen", "cut", "killed", "switchover")
SILENT_SECONDS = 4.0
"""Seconds between the loss of a primary and the promotion of its standby."""
ENDPOINT = "endpoint"
WRITE_INTERVAL_SECONDS = 0.05


@dataclass
class Writer:
    """A writer that sends commands sequentially, each until it is acknowledged."""

    services: Services
    number: int = 0
    acknowledged: list[tuple[float, int]] = field(default_factory=list)
    """Times and positions of acknowledged events."""
    streams: dict[str, int] = field(default_factory=dict)
    """Position of the event of each stream."""
    failures: list[tuple[float, float]] = field(default_factory=list)
    """Start and end times of failed commands."""

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            self.number += 1
            name = f"event-{self.number}"
            while not await self._send(name):
                await asyncio.sleep(WRITE_INTERVAL_SECONDS)
            await asyncio.sleep(WRITE_INTERVAL_SECONDS)

    async def _send(self, name: str) -> bool:
        sent = time.monotonic()
        try:
            stream = f"export-control/{name}"
            result = await self.services.commands.record(stream, announced(), idempotency_key=name)
        except (TrackerError, OSError):
            self.failures.append((sent, time.monotonic()))
            return False
        self.streams[stream] = result.positions[-1]
        self.acknowledged.append((time.monotonic(), result.positions[-1]))
        return True


@dataclass
class Watcher:
    """A follower of the log that restarts after an error."""

    services: Services
    seen: list[tuple[float, int]] = field(default_factory=list)
    given_up: int = 0

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            try:
                last = self.seen[-1][1] if self.seen else 0
                async for event in self.services.follower.follow(last):
                    self.seen.append((time.monotonic(), event.position))
            except Exception:
                self.given_up += 1
                await asyncio.sleep(0.2)


@dataclass(frozen=True)
class Outcome:
    """The seconds from a promotion until the parts of a tracker recovered."""

    written: float
    followed: float
    projected: float
    signed: float
    delivered: float
    longest_failure: float
    """Seconds of the slowest failed command."""
    given_up: int
    """Number of errors of a follower about a lost database."""


def first_after(moment: float, noted: list[tuple[float, int]]) -> float | None:
    """Return the seconds from a moment to the first later entry."""
    return next((at - moment for at, _ in noted if at > moment), None)


class World:
    """A pair of servers, a tracker with both in its list of hosts, and the results of a loss."""

    def __init__(
        self,
        pair: Pair,
        proxy: PortProxy,
        target: Target,
        services: Services,
        received: EventReceiver,
    ):
        self.primary, self.standby = pair.primary, pair.standby
        self.target = target
        """Target with both servers."""
        self._proxy, self._services, self._received = proxy, services, received
        self._writer, self._watcher = Writer(services), Watcher(services)

    async def lose(self, kind: str) -> None:
        """Take the primary away."""
        primary = self.primary
        if kind == "cut":
            self._proxy.swallow()
        else:
            lose = {"frozen": primary.freeze, "killed": primary.kill, "switchover": primary.stop}
            await asyncio.to_thread(lose[kind])

    async def run(self, kind: str, silent_seconds: float) -> Outcome:
        """Take the primary away during writes, promote the standby, and wait for all parts to recover."""
        async with asyncio.timeout(within(60)), self._busy():
            await self._until(lambda: len(self._watcher.seen) > 3)
            await self.lose(kind)
            await asyncio.sleep(silent_seconds)
            await asyncio.to_thread(self.standby.promote)
            promoted = time.monotonic()
            await self._until(lambda: first_after(promoted, self._watcher.seen))
            await self._until(lambda: first_after(promoted, self._writer.acknowledged))
            return await self._checked(promoted)

    async def run_on(self, seconds: float) -> None:
        """Write for some time without errors."""
        failures = len(self._writer.failures)
        async with self._busy():
            await asyncio.sleep(seconds)
        assert len(self._writer.failures) == failures
        async with asyncio.timeout(within(60)), self._busy():
            await self._checked(time.monotonic())

    @asynccontextmanager
    async def _busy(self) -> AsyncIterator[None]:
        """Write and follow for the duration of a block."""
        tasks = [asyncio.create_task(work.run()) for work in (self._writer, self._watcher)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _until(self, holds: Callable[[], object]) -> None:
        while not holds():
            await asyncio.sleep(0.01)

    async def _checked(self, promoted: float) -> Outcome:
        """Return the results, once all parts have reached the same position."""
        head = await self._services.recorder.head()
        await self._services.projector.reach(head, seconds=30)
        projected = time.monotonic()
        while (await self._services.proofs.size() or 0) < head:
            await asyncio.sleep(0.05)
        signed = time.monotonic()
        await self._until(lambda: max(self._received.positions(ENDPOINT), default=0) >= head)
        delivered = time.monotonic()
        await self._until(lambda: self._watcher.seen[-1][1] >= head)
        seen = [position for _, position in self._watcher.seen]
        assert seen == list(range(1, len(seen) + 1)), "a follower missed an event, or saw it twice"
        recorded = [event async for event in self._services.recorder.read_all(head)]
        keys = {event.stream: event.position for event in recorded}
        for stream, position in self._writer.streams.items():
            assert keys.get(stream) == position or position > head, f"{stream} was acknowledged"
        return Outcome(
            first_after(promoted, self._writer.acknowledged) or 0,
            first_after(promoted, self._watcher.seen) or 0,
            projected - promoted,
            signed - promoted,
            delivered - promoted,
            max(ended - sent for sent, ended in self._writer.failures or [(0, 0)]),
            self._watcher.given_up,
        )


@asynccontextmanager
async def running_world() -> AsyncIterator[World]:
    """Run servers, a tracker that signs and delivers, and a receiver for the duration of a block."""
    with running_pair() as pair, TemporaryDirectory() as directory:
        async with PortProxy(pair.primary.port) as proxy, receiving_events() as received:
            target: Target = {
                **pair.primary.target,
                "host": [HOST, HOST],
                "port": [proxy.port, pair.standby.port],
                "target_session_attrs": "read-write",
            }
            signing = SigningOptions(KeyStore(Path(directory) / "audit"))
            async with running_tracker(target, signing, delivery=QUICK) as services:
                await asyncio.to_thread(pair.primary.require, pair.standby.name)
                where = NewEndpoint(f"{received.url}/{ENDPOINT}", ENDPOINT)
                await services.endpoints.add(where, ADMIN)
                yield World(pair, proxy, target, services, received)


async def lose(kind: str, silent_seconds: float = SILENT_SECONDS) -> Outcome:
    """Return the results of the loss of a primary in a new environment."""
    async with running_world() as world:
        return await world.run(kind, silent_seconds)


def main() -> None:
    """Run the requested kinds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", default=KINDS, choices=[*KINDS, []])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--silent", type=float, default=SILENT_SECONDS)
    arguments = parser.parse_args()
    logging.disable(logging.ERROR)
    for kind in arguments.kinds:
        outcomes = [
            asyncio.run(lose(kind, 0 if kind == "switchover" else arguments.silent))
            for _ in range(arguments.rounds)
        ]
        for name in Outcome.__dataclass_fields__:
            values = [getattr(outcome, name) for outcome in outcomes]
            print(
                f"{kind:10} {name:16} median {statistics.median(values):6.2f} max {max(values):6.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
