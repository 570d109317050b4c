"""One server delivers at a time; after it stops, the next one takes over."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest

from deploy import bootstrap
from deploy.bootstrap import running_tracker
from schema.services import Services
from tests.delivery.test_deliverer import check_sequence, written
from tests.support.deliveries import ADMIN, QUICK, delivering
from tests.support.event_receiver import Delivered, accept, receiving_events
from tests.support.time_limits import within
from tracker.postgres.database import Target

LEASE_SECONDS = 1.5
SECONDS = 30
SOON = replace(QUICK, lease_seconds=LEASE_SECONDS)


class Other:
    """A deliverer in another process, known to receivers as `other`."""

    def __init__(self, process: asyncio.subprocess.Process):
        self.process = process

    async def says(self, line: str) -> None:
        """Wait until it has printed a line."""
        assert self.process.stdout is not None
        async with asyncio.timeout(SECONDS):
            while (said := await self.process.stdout.readline()).decode().strip() != line:
                assert said, "it has ended"

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self.process.pid, number)


@asynccontextmanager
async def other_deliverer(target: Target) -> AsyncIterator[Other]:
    """Run another active deliverer."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.delivering_process"),
        *(json.dumps(target), "other", str(LEASE_SECONDS)),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        other = Other(process)
        await other.says("delivers")
        yield other
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize("end", [signal.SIGSTOP, signal.SIGKILL])
async def test_the_next_one_goes_on_and_one_that_was_frozen_sends_and_writes_nothing_more(
    target: Target, end: signal.Signals
) -> None:
    answer = asyncio.Event()

    async def slow(one: Delivered) -> int:
        if one.positions == [3] and one.origin == "other":
            await answer.wait()
        return 204

    async with AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(receiving_events(slow))
        other = await stack.enter_async_context(other_deliverer(target))
        deliveries = await stack.enter_async_context(delivering(target, SOON, receiver))
        await deliveries.append(5)
        await deliveries.add(after=0)
        await receiver.wait_for(lambda: [3] in [one.positions for one in receiver.got])
        await written(deliveries, 2)
        other.signal(end)
        answer.set()
        loop = asyncio.get_running_loop()
        stopped = loop.time()
        await receiver.wait_until("a", 5)
        assert loop.time() - stopped < LEASE_SECONDS + 4
        by_other = [one for one in receiver.got if one.origin == "other"]
        assert [one.positions for one in by_other] == [[1], [2], [3]]
        if end is signal.SIGSTOP:
            other.signal(signal.SIGCONT)
            await other.says("does not deliver")
        await deliveries.append(5, "later")
        await receiver.wait_until("a", 10)
        await written(deliveries, 10)
        check_sequence(receiver.accepted["a"], 10)
        assert len([one for one in receiver.got if one.origin == "other"]) == 3
        attempts = await deliveries.endpoints.attempts("a", ADMIN, 100)
        assert [each.first_position for each in attempts] == list(range(10, 0, -1))


async def test_of_two_trackers_one_delivers_and_the_other_goes_on_at_once_when_that_ends(
    target: Target,
) -> None:
    async with receiving_events(accept) as receiver, AsyncExitStack() as second:
        async with delivering(target, replace(QUICK, origin="first"), receiver) as deliveries:
            await deliveries.add(after=0)
            await deliveries.append(5)
            await receiver.wait_until("a", 5)
            another = replace(QUICK, origin="second")
            deliveries = await second.enter_async_context(delivering(target, another, receiver))
            await deliveries.append(5, "more")
            await receiver.wait_until("a", 10)
            assert {one.origin for one in receiver.got} == {"first"}
        await deliveries.append(5, "later")
        await receiver.wait_until("a", 15, seconds=within(4))
        assert receiver.positions("a") == list(range(1, 16)), "a clean end doubles nothing"
        assert {one.origin for one in receiver.got[10:]} == {"second"}


async def test_a_request_under_way_counts_when_a_server_ends(target: Target) -> None:
    async def slow(_: Delivered) -> int:
        await asyncio.sleep(0.3)
        return 204

    async with receiving_events(slow) as receiver:
        async with delivering(target, QUICK, receiver) as deliveries:
            await deliveries.add(after=0)
            await deliveries.append(2)
            await receiver.wait_for(lambda: bool(receiver.got))
        assert receiver.positions("a") == [1]
        receiver.behave = accept
        async with delivering(target, QUICK, receiver) as deliveries:
            await receiver.wait_until("a", 2)
            assert receiver.positions("a") == [1, 2]


async def test_deliveries_belong_to_the_newest_release(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def active(tracker: Services) -> None:
        async with asyncio.timeout(within(20)):
            while not (tracker.deliverer and tracker.deliverer.active):
                await asyncio.sleep(0.02)

    async with AsyncExitStack() as stack:
        monkeypatch.setattr(bootstrap, "RELEASE", "29.1")
        older = await stack.enter_async_context(running_tracker(target, delivery=QUICK))
        await active(older)
        monkeypatch.setattr(bootstrap, "RELEASE", "29.2")
        async with running_tracker(target, delivery=QUICK) as newer:
            await active(newer)
            assert older.deliverer
            assert not older.deliverer.active
        await asyncio.sleep(3)  # several attempts of the older one
        assert not older.deliverer.active
