"""How many commands a second are decided, made durable and projected, beside plain INSERTs.

    python -m tests.benchmarks.commands [--seconds 4]

The peer inserts one row of the same bytes a transaction into a table with the same keys, on
the same server in the same run. It decides nothing, orders nothing and notifies nobody. The last
line is the time from the answer to a command until a follower that waits has its event.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from deploy.bootstrap import running
from deploy.postgres import Postgres
from schema.context import Services
from tests.facts import announced
from tracker.domain.codec import encode
from tracker.log.database import Pool, Target, create_pool

FACT = announced()
WRITERS = (1, 16, 64)
PEER = """CREATE TABLE peer (position bigserial PRIMARY KEY, event_id text UNIQUE, stream text,
          version integer, entry bytea, UNIQUE (stream, version))"""
INSERT = "INSERT INTO peer (event_id, stream, version, entry) VALUES ($1, $1, 1, $2)"


async def rate(writers: int, seconds: float, work: Callable[[str], Awaitable[object]]) -> float:
    """How often a second `work` is done by so many writers; each time gets a name of its own."""
    names = map(str, itertools.count())
    done, end = 0, time.perf_counter() + seconds

    async def write() -> None:
        nonlocal done
        while time.perf_counter() < end:
            await work(f"w{writers}-{next(names)}")
            done += 1

    await asyncio.gather(*(write() for _ in range(writers)))
    return done / seconds


async def wake_up(services: Services, count: int = 200) -> float:
    """The median of milliseconds from an event's commit to a waiting follower."""
    events = services.follower.follow(await services.recorder.head())
    delays = []
    for number in range(count):
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0.005)
        await services.commands.record(f"export-control/wake-{number}", FACT)
        recorded = time.perf_counter()
        await waiting
        delays.append((time.perf_counter() - recorded) * 1000)
    await events.aclose()  # type: ignore[attr-defined]
    return statistics.median(delays)


async def measure(target: Target, seconds: float) -> None:
    """Measure on a database and print a table."""
    async with running(target) as services:
        pool: Pool = await create_pool(target, size=max(WRITERS))
        await pool.execute(PEER)
        entry = encode(FACT)
        print("| writers | commands/s | plain INSERT/s | ratio |\n| --- | --- | --- | --- |")
        for writers in WRITERS:
            ours = await rate(writers, seconds, lambda name: services.commands.record(
                f"export-control/{name}", FACT))
            await services.projector.reach(await services.recorder.head(), seconds=60)
            peer = await rate(writers, seconds, lambda name: pool.execute(INSERT, name, entry))
            print(f"| {writers} | {ours:,.0f} | {peer:,.0f} | {ours / peer:.2f} |")
        print(f"wake-up of a follower after the answer, median: {await wake_up(services):.2f} ms")
        await pool.close()


def main() -> None:
    """Run on a server of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4)
    seconds = parser.parse_args().seconds
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        with Postgres.start(Path(directory) / "data") as postgres:
            uvloop.run(measure(postgres.connection.kwargs(), seconds))


if __name__ == "__main__":
    main()
