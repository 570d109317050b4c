"""Durable commands per second while they are projected.

    python -m tools.benchmarks.commands [--seconds 3] [--rounds 3] [--only KEY …] [--write PAGE]

The peer inserts one row of the same bytes per transaction. It decides and projects nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from deploy.bootstrap import running_tracker
from tools.benchmarks import appending, harness
from tools.benchmarks.harness import Column, Table
from tools.benchmarks.load import FACT, Load, rate
from tracker.postgres.database import Target


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
        )
    ]


async def commands(target: Target, load: Load) -> float:
    """Measure a whole tracker; projection may lag at the end."""
    async with running_tracker(target) as services:
        return await rate(
            load, lambda name: services.commands.record(f"export-control/{name}", FACT)
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print, or write to a page."""
    harness.main("commands", __doc__, tables, arguments)


if __name__ == "__main__":
    main()
