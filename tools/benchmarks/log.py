"""Event log compared with its peers, in the same run on the same server.

    python -m tools.benchmarks.log [--seconds 3] [--rounds 3] [--only KEY …] [--write PAGE]

`docs/benchmarks.md` describes each peer and its limits.
"""

from collections.abc import Sequence
from functools import partial

from tools.benchmarks import appending, harness
from tools.benchmarks.harness import OURS, Column, Table
from tools.benchmarks.load import Load

ROWS_A_SECOND = 30_000
"""Bulk rows per second of a round, so that short runs are short."""

LIBRARY = "eventsourcing.postgres"
ON_OUR_LOG = "tracker.eventsourcing_asyncpg"
LIBRARIES = {
    "eventsourcing": {"module": LIBRARY},
    "eventsourcing, database functions": {"module": LIBRARY, "POSTGRES_ENABLE_DB_FUNCTIONS": "yes"},
    "eventsourcing on tracker.eventsourcing_asyncpg": {"module": ON_OUR_LOG},
}


def tables(seconds: float) -> list[Table]:
    """Return all measured tables."""
    rows = round(ROWS_A_SECOND * seconds)
    return [
        Table(
            "events/s appended",
            [
                *(_appending(f"append-{n}", Load(n, 1, seconds)) for n in (1, 16, 64, 256)),
                *(_appending(f"hundreds-{n}", Load(n, 100, seconds)) for n in (1, 16)),
            ],
        ),
        Table(
            "events/s in bulk",
            [
                Column(
                    "bulk",
                    f"{rows:,} events",
                    {
                        OURS: partial(appending.bulk, count=rows),
                        "COPY": partial(appending.copy, count=rows),
                    },
                )
            ],
        ),
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print, or write to a page."""
    harness.main("log", __doc__, tables, arguments)


def _appending(key: str, load: Load) -> Column:
    return Column(
        key,
        load.title,
        {
            OURS: partial(appending.recorder, load=load),
            "plain INSERT": partial(appending.plain, load=load),
            **{
                peer: partial(appending.stored, load=load, **settings)
                for peer, settings in LIBRARIES.items()
            },
        },
    )


if __name__ == "__main__":
    main()
