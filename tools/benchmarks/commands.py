"""Durable commands per second while they are projected.

    python -m tools.benchmarks.commands [--seconds 3] [--rounds 3] [--only KEY …] [--write PAGE]

The peer inserts one row of the same bytes per transaction. It decides and projects nothing.
"""

from collections.abc import Sequence
from functools import partial

from deploy.bootstrap import running_tracker
from tools.benchmarks import appending, harness
from tools.benchmarks.harness import Column, Table
from tools.benchmarks.load import FACT, Load, rate
from tracker.postgres.database import Target, connect

WAL_POSITION = "SELECT pg_current_wal_insert_lsn()"
WAL_WRITTEN = "SELECT pg_current_wal_insert_lsn() - $1::pg_lsn"


def tables(seconds: float) -> list[Table]:
    """Return tables of commands on new entities by 1, 16 and 64 writers."""
    loads = [Load(writers, seconds=seconds) for writers in (1, 16, 64)]
    return [
        Table(
            "commands/s",
            [
                Column(
                    f"writers-{load.writers}",
                    load.title,
                    {
                        harness.OURS: partial(commands, load=load),
                        "plain INSERT": partial(appending.plain, load=load),
                    },
                )
                for load in loads
            ],
        ),
        Table(
            "bytes of WAL a command, with its projections",
            [
                Column(f"wal-{load.writers}", load.title, {harness.OURS: partial(wal, load=load)})
                for load in loads
            ],
        ),
    ]


async def commands(target: Target, load: Load) -> float:
    """Measure a whole tracker; projection may lag at the end."""
    async with running_tracker(target) as services:
        return await rate(
            load, lambda name: services.commands.record(f"export-control/{name}", FACT)
        )


async def wal(target: Target, load: Load) -> float:
    """Measure the bytes that PostgreSQL writes to its log for a command, once all of it is projected."""
    connection = await connect(target)
    async with running_tracker(target) as services:
        before, began = await services.recorder.head(), await connection.fetchval(WAL_POSITION)
        await rate(load, lambda name: services.commands.record(f"export-control/{name}", FACT))
        head = await services.recorder.head()
        await services.projector.reach(head, seconds=60)
        await services.as_of.searches.reach(head)
        written = await connection.fetchval(WAL_WRITTEN, began)
    await connection.close()
    return float(written) / (head - before)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print, or write to a page."""
    harness.main("commands", __doc__, tables, arguments)


if __name__ == "__main__":
    main()
