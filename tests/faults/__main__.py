"""Random faults under load.

    python -m tests.faults [KIND …] [--rounds 100] [--seed N]

It prints a line per kind of fault, and exits with 1 at the first broken guarantee.
"""

import statistics

from tests.faults.command import RoundsCommand
from tests.faults.disk import NoDisk
from tests.faults.faults import FAULTS
from tests.faults.rounds import MODULE, RoundTotals, run

COLUMNS = (
    "rounds",
    "events acknowledged",
    "outcomes unknown",
    "refused: no space",
    "delivered",
    "of these again",
    "recovery, median",
    "recovery, worst",
)


def cells(totals: RoundTotals) -> tuple[object, ...]:
    """Return a line of the table."""
    return (
        totals.rounds,
        f"{totals.acknowledged:,}",
        f"{totals.unknown:,}",
        totals.refused,
        f"{totals.delivered:,}",
        totals.again,
        f"{statistics.median(totals.recovery or [0]):.2f} s",
        f"{max(totals.recovery, default=0):.2f} s",
    )


if __name__ == "__main__":
    RoundsCommand(MODULE, __doc__, FAULTS, 100, COLUMNS, RoundTotals, run, cells, NoDisk).main()
