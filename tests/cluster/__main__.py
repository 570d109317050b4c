"""Faults of machines and networks at random moments, on a cluster of three PostgreSQL servers.

    python -m tests.cluster [KIND …] [--rounds 20] [--seed N]

Prints a line a kind of fault, and ends with 1 at the first promise that is not kept. Needs root, etcd and
the packages of the extra `test`; `haproxy` for the kinds that are named so.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import signal
import statistics
import sys

from tests.cluster.network import NoCluster
from tests.cluster.rounds import KINDS, RoundTotals, run

COLUMNS = (
    "fault",
    "rounds",
    "events acknowledged",
    "outcomes unknown",
    "checkpoints fetched",
    "without writes, median",
    "without writes, worst",
)


def row(kind: str, tally: RoundTotals) -> str:
    """A line of the table."""
    median, worst = statistics.median(tally.silences or [0]), max(tally.silences, default=0)
    cells = (
        f"`{kind}`",
        tally.rounds,
        f"{tally.acknowledged:,}",
        tally.unknown,
        f"{tally.checkpoints:,}",
        f"{median:.1f} s",
        f"{worst:.1f} s",
    )
    return f"| {' | '.join(map(str, cells))} |"


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.cluster",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "kinds",
        nargs="*",
        metavar="KIND",
        default=list(KINDS),
        help=f"of {', '.join(KINDS)}; all if left out",
    )
    parser.add_argument("--rounds", type=int, default=20, help="of each kind (default: 20)")
    parser.add_argument("--first", type=int, default=1, help="the number of the first round")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--each", action="store_true", help="also print a line a round")
    asked = parser.parse_args()
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # both: a shell has its background jobs ignore the first
        signal.signal(number, signal.default_int_handler)
    logging.getLogger("asyncpg.pool").setLevel(logging.CRITICAL)  # it would tell of every fault
    if unknown := set(asked.kinds) - set(KINDS):
        parser.error(f"no such kind: {', '.join(sorted(unknown))}")
    print(f"seed {asked.seed}\n\n| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}", flush=True)
    for kind in asked.kinds:
        rounds, tally = range(asked.first, asked.first + asked.rounds), RoundTotals(asked.each)
        try:
            asyncio.run(run(kind, rounds, asked.seed, tally))
        except NoCluster as reason:
            print(f"| {kind} | NOT TESTED: {reason} |", flush=True)
        except KeyboardInterrupt:
            sys.exit(f"{row(kind, tally)}\nInterrupted.")
        except Exception as error:
            done = row(kind, tally)
            sys.exit("\n".join([done, f"BROKEN {error!r}", *getattr(error, "__notes__", ())]))
        else:
            print(row(kind, tally), flush=True)


if __name__ == "__main__":
    main()
