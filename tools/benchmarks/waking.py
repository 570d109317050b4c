"""Wake-up time of a waiting follower, measured from the response to its writer."""

from __future__ import annotations

import asyncio
import time
from queue import Queue
from threading import Thread

from eventsourcing.persistence import StoredEvent

from tools.benchmarks.library import library
from tools.benchmarks.load import DATA, TYPE, new_events
from tracker.log.follower import Follower
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target, create_pool

QUIET = 0.005
"""Seconds between events, so that the follower waits again."""


async def follower(target: Target, count: int) -> list[float]:
    """Return the milliseconds of our follower for each event."""
    pool = await create_pool(target)
    try:
        recorder = Recorder(pool)
        async with Follower(recorder, target) as follower:
            events = follower.follow(0)

            async def seen() -> float:
                await anext(events)
                return time.perf_counter()

            async def delay(number: int) -> float:
                waiting = asyncio.create_task(seen())
                await asyncio.sleep(QUIET)
                await recorder.append(new_events(f"wake-{number}", 1))
                answered = time.perf_counter()
                return (await waiting - answered) * 1000

            return [await delay(number) for number in range(count)]
    finally:
        await pool.close()


async def subscription(target: Target, count: int, module: str) -> list[float]:
    """Return the milliseconds of the library's subscription, which has its own thread."""
    return await asyncio.to_thread(_subscription, target, count, module)


def _subscription(target: Target, count: int, module: str) -> list[float]:
    seen: Queue[float] = Queue()
    with library(target, module) as recorder, recorder.subscribe(gt=0) as events:

        def follow() -> None:
            for _ in events:
                seen.put(time.perf_counter())

        def delay(number: int) -> float:
            time.sleep(QUIET)
            recorder.insert_events([StoredEvent(f"wake-{number}", 1, TYPE, DATA)])
            answered = time.perf_counter()
            return (seen.get(timeout=60) - answered) * 1000

        Thread(target=follow, daemon=True).start()
        return [delay(number) for number in range(count)]
