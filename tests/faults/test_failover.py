"""Failover to a promoted standby while the primary is silent."""

import time

from deploy.bootstrap import open_connection
from tests.faults.failover import running_world
from tests.support.time_limits import within
from tracker.postgres import hosts

MAX_SECONDS = within(5)
"""Maximum seconds from the promotion of a standby until a tracker has recovered."""


async def test_a_frozen_primary_is_left_once_another_one_is_promoted_and_for_ever() -> None:
    async with running_world() as world:
        outcome = await world.run("frozen", silent_seconds=2)
        assert max(outcome.written, outcome.followed) < MAX_SECONDS
        world.primary.thaw()  # it assumes that it is the primary, and is first in the list
        hosts._last_taken.clear()
        begun = time.monotonic()
        async with open_connection(world.target) as connection:
            assert await connection.fetchval("SELECT inet_server_port()") == world.standby.port
        assert time.monotonic() - begun < within(1)
        await world.run_on(seconds=1)
