"""A watcher process: `python -m tests.support.watching_process TARGET ADDRESS SECONDS`.

TARGET is JSON for `asyncpg.connect`. The gazette at ADDRESS is polled every 50 ms, under a lease of
SECONDS. It prints a line when it starts watching, and one per poll.
"""

import asyncio
import json
import sys

from tests.support.watching import options, source
from tracker.postgres.database import Target
from tracker.watch import watcher as watcher_module
from tracker.watch.watcher import Watcher


async def watch(target: Target, address: str, lease_seconds: float) -> None:
    """Watch until cancelled."""
    watcher_module.MIN_PAUSE_SECONDS = 0.05
    often = source(address, every_hours=0.05 / 3600)
    watcher = Watcher(target, options(often, lease_seconds=lease_seconds))
    watcher.observe_poll = lambda report: print(report.number, report.candidates, flush=True)
    async with watcher:
        while not watcher.active:
            await asyncio.sleep(0.01)
        print("watches", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(watch(json.loads(sys.argv[1]), sys.argv[2], float(sys.argv[3])))
