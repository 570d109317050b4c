"""Faults at random moments under load.

    python -m tests.faults [KIND …] [--rounds 100] [--seed N]

Prints a line a kind of fault, and ends with 1 at the first promise that is not kept.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import statistics
import sys

from tests.faults.disk import NoDisk
from tests.faults.faults import FAULTS
from tests.faults.rounds import RoundTotals, run

COLUMNS = (
    "fault",
    "rounds",
    "events acknowledged",
    "outcomes unknown",
    "refused: no space",
    "delivered",
    "of these again",
    "recovery, median",
    "recovery, worst",
)


def row(kind: str, tally: RoundTotals) -> str:
    """A line of the table."""
    median, worst = statistics.median(tally.recovery or [0]), max(tally.recovery, default=0)
    cells = (
        kind,
        tally.rounds,
        f"{tally.acknowledged:,}",
        tally.unknown,
        tally.refused,
        f"{tally.delivered:,}",
        tally.again,
        f"{median:.2f} s",
        f"{worst:.2f} s",
    )
    return f"| {' | '.join(map(str, cells))} |"


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "kinds",
        nargs="*",
        metavar="KIND",
        default=list(FAULTS),
        help=f"of {', '.join(FAULTS)}; all if left out",
    )
    parser.add_argument("--rounds", type=int, default=100, help="of each kind (default: 100)")
    parser.add_argument("--first", type=int, default=1, help="the number of the first round")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    asked = parser.parse_args()
    logging.getLogger("asyncpg.pool").setLevel(logging.ERROR)  # it would tell of every fault
    if unknown := set(asked.kinds) - set(FAULTS):
        parser.error(f"no such kind: {', '.join(sorted(unknown))}")
    print(f"seed {asked.seed}\n\n| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}", flush=True)
    for kind in asked.kinds:
        rounds, tally = range(asked.first, asked.first + asked.rounds), RoundTotals()
        try:
            asyncio.run(run(kind, rounds, asked.seed, tally))
        except NoDisk as reason:
            print(f"| {kind} | skipped: {reason} |", flush=True)
        except KeyboardInterrupt:
            sys.exit(f"{row(kind, tally)}\nInterrupted.")
        except Exception as error:
            sys.exit("\n".join(["", f"BROKEN {error!r}", *getattr(error, "__notes__", ())]))
        else:
            print(row(kind, tally), flush=True)


if __name__ == "__main__":
    main()
