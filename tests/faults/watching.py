"""A tracker under load with two watchers of a publisher, and faults of the active one."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from random import Random
from typing import Self

from deploy.bootstrap import open_connection
from tests.faults.load import WAIT_TIMEOUT_SECONDS, Broken
from tests.faults.world import SystemUnderLoad
from tests.support.publishers.publisher import Slow
from tests.support.publishers.server import playing
from tests.support.time_limits import within
from tests.support.watching import Gazette
from tracker.domain.evidence.watched_source_facts import Fetched, Looked
from tracker.log.entries import RecordedEvent

LEASE_SECONDS = 2.0
TAKEN_OVER_SECONDS = 15
"""Timeout in seconds for another watcher to complete a poll: 10, and a margin for a busy machine."""
BEGUN_SECONDS = 60
"""Timeout in seconds for a process to start watching on a busy machine."""
ACTS_PER_ROUND = 8
SECONDS_PER_ACT = 0.02
"""Delay of the publisher per act in seconds, so that faults hit a poll."""


class WatchingProcess:
    """A process that watches, or waits for the lease."""

    def __init__(self, process: asyncio.subprocess.Process):
        self.process = process
        self.watches = False
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, world: SystemWithWatchers) -> Self:
        """Start one."""
        arguments = [json.dumps(world.target), world.address, str(LEASE_SECONDS)]
        return cls(
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.support.watching_process", *arguments),
                stdout=asyncio.subprocess.PIPE,
            )
        )

    async def kill(self) -> None:
        """Kill it (SIGKILL), even while it is frozen."""
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()
        await self._reading

    async def _read(self) -> None:
        assert self.process.stdout
        while await self.process.stdout.readline():
            self.watches = True


class SystemWithWatchers(SystemUnderLoad):
    """A tracker under load, and a publisher of acts. Watchers run during a fault."""

    pause_seconds = 0.1

    async def __aenter__(self) -> Self:
        """Serve and publish."""
        await super().__aenter__()
        self.publisher = Gazette(ACTS_PER_ROUND)
        self.publisher.fail("/act/*", Slow(wait_seconds=SECONDS_PER_ACT))
        self._playing = AsyncExitStack()
        self.address = (await self._playing.enter_async_context(playing(self.publisher))).url
        return self

    async def __aexit__(self, *_: object) -> None:
        """End all parts."""
        await self._playing.aclose()
        await super().__aexit__(*_)

    async def seen_all(self, seconds: float = WAIT_TIMEOUT_SECONDS) -> None:
        """Wait until all current publications are in the queue. Raises Broken."""
        published, ends = set(self.publisher.acts), time.monotonic() + seconds
        while missing := published - {*await self.queue()}:
            if time.monotonic() > ends:
                raise Broken(f"{len(missing)} acts are not in the queue after {seconds} s")
            await asyncio.sleep(0.05)

    async def queue(self) -> list[str]:
        """Return the queue, by the publisher's names."""
        async with open_connection(self.target) as connection:
            rows = await connection.fetch("SELECT item FROM review.candidates")
        return [row["item"] for row in rows]

    async def check_more(self, log: Sequence[RecordedEvent]) -> None:
        """Check that every act was proposed once and fetched as new once.

        Polls must end once and in order, and every named snapshot must exist.
        """
        if Counter(await self.queue()) != Counter(list(self.publisher.acts)):
            raise Broken("the queue does not have every act once")
        facts = [event.fact for event in log if event.stream.startswith("source/")]
        fetched = [(fact.address, fact.sha256) for fact in facts if isinstance(fact, Fetched)]
        if twice := [one for one, count in Counter(fetched).items() if count > 1]:
            raise Broken(f"fetched as new more than once: {twice[:3]}")
        looks = [fact.look for fact in facts if isinstance(fact, Looked)]
        if looks != sorted({*looks}):
            raise Broken("a look has ended twice, or after a later one")
        async with open_connection(self.target) as connection:
            kept = {row["sha256"].hex() for row in await connection.fetch("TABLE watch.snapshots")}
        if missing := {sha256 for _, sha256 in fetched} - kept:
            raise Broken(f"snapshots that events name are not there: {sorted(missing)[:3]}")


async def kill_watcher(world: SystemUnderLoad, chance: Random) -> float:
    """Kill the active one of two watchers: the other completes the polls."""
    return await _strike(world, chance, signal.SIGKILL)


async def freeze_watcher(world: SystemUnderLoad, chance: Random) -> float:
    """Stop the active one of two watchers with SIGSTOP: the other completes the polls.

    The first does nothing more once it is resumed.
    """
    return await _strike(world, chance, signal.SIGSTOP)


async def _strike(world: SystemUnderLoad, chance: Random, harm: signal.Signals) -> float:
    """Send a signal to a watcher during a poll; in the end both are killed."""
    assert isinstance(world, SystemWithWatchers)
    both = [await WatchingProcess.start(world) for _ in range(2)]
    try:
        await world.until(lambda: any(one.watches for one in both), "one watches", BEGUN_SECONDS)
        await asyncio.sleep(chance.uniform(0, 0.3))
        world.publisher.add(ACTS_PER_ROUND)
        await asyncio.sleep(chance.uniform(0, 0.3))
        struck = next(one for one in both if one.watches)
        struck.process.send_signal(harm)
        world.publisher.add()
        await world.until(lambda: all(one.watches for one in both), "the other one watches", 60)
        await world.seen_all(within(TAKEN_OVER_SECONDS))
        if harm is signal.SIGSTOP:
            struck.process.send_signal(signal.SIGCONT)
            await asyncio.sleep(chance.uniform(0, 2 * LEASE_SECONDS))
            world.publisher.add()
            await world.seen_all(within(TAKEN_OVER_SECONDS))
    finally:
        for one in both:
            await one.kill()
    return time.monotonic()
