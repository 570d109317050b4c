"""Event log compared with its peers, in the same run on the same server.

    python -m tools.benchmarks.log [--seconds 3] [--rounds 3] [--only KEY …] [--write PAGE]

`docs/benchmarks.md` describes each peer and its limits.
"""

from __future__ import annotations

import statistics
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from importlib import import_module

from tests.support.corpus_lines import shipped_lines
from tools.benchmarks import appending, harness, reading, waking
from tools.benchmarks.harness import OURS, Column, Table
from tools.benchmarks.load import Load
from tracker.postgres.database import Target

ROWS_A_SECOND = 30_000
"""Bulk rows per second of a round, so that short runs are short."""

CORPUS = sum(1 for _ in shipped_lines())

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
        Table("events/s read back", [_reading(min(rows, CORPUS), seconds)]),
        Table(
            "ms from answer to follower",
            [_waking(percent, max(2, round(100 * seconds))) for percent in (50, 99)],
            ratios=False,
            digits=2,
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
            "eventsource-py": partial(eventsource_py, load=load),
        },
    )


async def eventsource_py(target: Target, load: Load) -> float:
    """Run eventsource-py, imported only here because it may not be installed."""
    peer = import_module("tools.benchmarks.eventsource")
    figure: float = await peer.append(target, load)
    return figure


def _reading(count: int, seconds: float) -> Column:
    how = {"count": count, "seconds": seconds}
    return Column(
        "read",
        f"{count:,} events of the corpus",
        {
            OURS: partial(reading.pages, **how),
            f"{OURS}, facts decoded": partial(reading.facts, **how),
            f"{OURS}, `read_all`": partial(reading.stream, **how),
            "rows alone": partial(reading.raw, **how),
            "eventsourcing": partial(reading.notifications, module=LIBRARY, **how),
            "eventsourcing on tracker.eventsourcing_asyncpg": partial(
                reading.notifications, module=ON_OUR_LOG, **how
            ),
            "eventsource-py": partial(reading.feed, **how),
        },
    )


def _waking(percent: int, count: int) -> Column:
    follow = partial(waking.follower, count=count)
    subscribe = partial(waking.subscription, count=count, module=LIBRARY)
    on_our_log = partial(waking.subscription, count=count, module=ON_OUR_LOG)
    return Column(
        f"wake-up-p{percent}",
        f"p{percent}",
        {
            OURS: partial(_percentile, delays=follow, percent=percent),
            "eventsourcing": partial(_percentile, delays=subscribe, percent=percent),
            "eventsourcing on tracker.eventsourcing_asyncpg": partial(
                _percentile, delays=on_our_log, percent=percent
            ),
        },
    )


async def _percentile(
    target: Target, delays: Callable[[Target], Awaitable[list[float]]], percent: int
) -> float:
    """Return a percentile of the delays."""
    return statistics.quantiles(await delays(target), n=100, method="inclusive")[percent - 1]


if __name__ == "__main__":
    main()
