"""A round of two faults on a real cluster; `python -m tools.cluster` runs as many as one likes of each."""

import os

import pytest

from tools.cluster.network import NoCluster
from tools.cluster.rounds import KINDS, RoundTotals, run_round

CORES = 4
"""Cores below which a cluster of three servers with Patroni and two trackers uses the whole machine."""


@pytest.mark.timeout(400)  # a cluster, two trackers and faults: a minute, on a busy machine several
async def test_a_cluster_loses_nothing_by_a_switchover_nor_by_the_death_of_a_tracker() -> None:
    if (os.cpu_count() or 1) < CORES and not os.environ.get("TESTS_CLUSTER"):
        pytest.skip(f"faults of a cluster need {CORES} cores or TESTS_CLUSTER=1")
    tally = RoundTotals()
    try:
        async with KINDS["switchover"].world() as world:
            for kind in ("switchover", "tracker"):
                await run_round(world, kind, 1, 1, tally)
    except NoCluster as reason:
        pytest.skip(f"faults of a cluster: {reason}")
    assert tally.rounds == 2
    assert tally.acknowledged > 0
    assert tally.checkpoints > 0
