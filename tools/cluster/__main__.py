"""Random faults of machines and networks on a cluster of three PostgreSQL servers.

    python -m tools.cluster [KIND …] [--rounds 20] [--seed N]

It prints a line per kind of fault, and exits with 1 at the first broken guarantee. It needs root, etcd
and the packages of the extra `test`; kinds with `haproxy` in their name need `haproxy`.
"""

import statistics

from tests.faults.command import RoundsCommand
from tools.cluster.network import NoCluster
from tools.cluster.rounds import KINDS, MODULE, RoundTotals, run

COLUMNS = (
    "rounds",
    "events acknowledged",
    "outcomes unknown",
    "checkpoints fetched",
    "without writes, median",
    "without writes, worst",
)


def cells(totals: RoundTotals) -> tuple[object, ...]:
    """Return a line of the table."""
    return (
        totals.rounds,
        f"{totals.acknowledged:,}",
        f"{totals.unknown:,}",
        f"{totals.checkpoints:,}",
        f"{statistics.median(totals.silences or [0]):.1f} s",
        f"{max(totals.silences, default=0):.1f} s",
    )


if __name__ == "__main__":
    RoundsCommand(MODULE, __doc__, KINDS, 20, COLUMNS, RoundTotals, run, cells, NoCluster).main()
