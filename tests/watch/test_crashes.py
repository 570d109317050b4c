"""A watcher that is killed or frozen at any moment: nothing is missed, nothing is recorded twice."""

import asyncio
import json
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from deploy.bootstrap import open_connection
from tests.support.publishers.publisher import Slow
from tests.support.publishers.server import PublisherServer, playing
from tests.support.time_limits import within
from tests.support.watching import Gazette
from tests.watch.test_watcher import facts, items
from tracker.domain.evidence.watched_source_facts import Fetched, Looked, Unchanged
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target

ROUNDS = 5
LEASE_SECONDS = 1.0
ACTS = 40


@asynccontextmanager
async def watching(
    target: Target, server: PublisherServer
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a watching process for the duration of a block, and kill it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.watching_process",
        json.dumps(target),
        server.url,
        str(LEASE_SECONDS),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def line(process: asyncio.subprocess.Process) -> str:
    """Return the next output line of a process."""
    assert process.stdout
    async with asyncio.timeout(within(60)):
        return (await process.stdout.readline()).decode().strip()


@pytest.mark.nightly
async def test_killed_at_random_moments_it_misses_nothing_and_records_nothing_twice(
    target: Target, recorder: Recorder
) -> None:
    chance, publisher = random.Random(20), Gazette(ACTS)
    publisher.fail("/act/*", Slow(wait_seconds=0.01))
    async with playing(publisher) as server:
        for _ in range(ROUNDS):
            publisher.add(3)
            async with watching(target, server) as process:
                assert await line(process) == "watches"
                await asyncio.sleep(chance.uniform(0, 0.5))
        async with watching(target, server) as process:
            assert await line(process) == "watches"
            while int((await line(process)).split()[0]) == 0:
                pass
    assert Counter(await items(target)) == Counter(list(publisher.acts))
    known = await facts(recorder)
    fetched = Counter((f.address, f.sha256) for f in known if isinstance(f, Fetched))
    acts = {address: count for (address, _), count in fetched.items() if "/act/" in address}
    assert len(acts) == len(publisher.acts)
    assert set(fetched.values()) == {1}
    looks = [fact.look for fact in known if isinstance(fact, Looked)]
    assert looks == sorted(set(looks))
    async with open_connection(target) as connection:
        lost = await connection.fetch(
            "SELECT item FROM review.candidates c WHERE NOT EXISTS"
            " (SELECT FROM watch.snapshots s WHERE s.sha256 = c.snapshot AND s.content IS NOT NULL)"
        )
        named = {row["sha256"].hex() for row in await connection.fetch("TABLE watch.snapshots")}
    assert not lost
    assert {f.sha256 for f in known if isinstance(f, Fetched | Unchanged)} <= named


async def test_one_that_was_frozen_is_replaced_and_does_nothing_more(
    target: Target, recorder: Recorder
) -> None:
    publisher = Gazette(3)
    publisher.fail("/act/a2", Slow(wait_seconds=0.5), times=1)
    async with playing(publisher) as server, watching(target, server) as frozen:
        assert await line(frozen) == "watches"
        async with asyncio.timeout(within(30)):
            while not publisher.count("/act/a2"):
                await asyncio.sleep(0.01)
        frozen.send_signal(signal.SIGSTOP)
        async with watching(target, server) as next_one:
            assert await line(next_one) == "watches"
            assert (await line(next_one)).split()[0] == "1"
            frozen.send_signal(signal.SIGCONT)
            for _ in range(5):
                await line(next_one)
            assert next_one.returncode is None
    looks = [fact.look for fact in await facts(recorder) if isinstance(fact, Looked)]
    assert looks == sorted(set(looks))
    assert await items(target) == ["a1", "a2", "a3"]
    fetched = Counter(f.address for f in await facts(recorder) if isinstance(f, Fetched))
    assert set(fetched.values()) == {1}
