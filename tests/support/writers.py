"""Writers in a separate process: `python -m tests.support.writers TARGET NAME WRITERS EVENTS`.

TARGET is JSON for `asyncpg.connect`. Each writer appends events sequentially, some of them two in a
command, to separate streams.
"""

import asyncio
import json
import sys

from tests.support.fact_builders import announced
from tracker.commands.commands import PlannedEvent
from tracker.commands.decisions import decide, rehydrate
from tracker.log.entries import NewEvent
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target, create_pool


def new(name: str) -> NewEvent:
    """Return the event that opens a stream of this name."""
    stream = f"export-control/{name}"
    return decide(rehydrate(stream, []), PlannedEvent(stream, announced(), name), ())


async def write(target: Target, name: str, writers: int, events: int) -> None:
    """Append `events` events with concurrent writers."""
    pool = await create_pool(target)
    recorder = Recorder(pool)

    async def one(writer: int) -> None:
        for number in range(0, events // writers, 2):
            first, second = (new(f"{name}-{writer}-{number + i}") for i in range(2))
            if writer % 2:
                await recorder.append([first, second])
            else:
                await recorder.append([first])
                await recorder.append([second])

    await asyncio.gather(*(one(writer) for writer in range(writers)))
    await pool.close()


if __name__ == "__main__":
    asyncio.run(write(json.loads(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
