"""Faults of machines and networks at random moments under load.

Each fault is applied and repaired while writers write. Their acknowledgements may come later.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random

import asyncpg

from tests.faults.load import Broken
from tools.cluster.node import Node
from tools.cluster.world import ClusterUnderLoad, slept_until

WRITES_SECONDS = 120
"""Timeout in seconds for the next acknowledgement."""
SHORTEST_SECONDS, LONGEST_SECONDS = 30, 40
"""Range of seconds for which a node is frozen or isolated, or etcd is down."""
WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = 'minerals'"


async def kill_primary(world: ClusterUnderLoad, chance: Random) -> None:
    """Kill all processes on the primary's node, and restart it after the next write."""
    primary = await world.cluster.until_leads()
    await asyncio.to_thread(primary.kill)
    await world.settled(WRITES_SECONDS)
    primary.start()


async def switch_over(world: ClusterUnderLoad, chance: Random) -> None:
    """Switch over to another node, as an operator does."""
    primary = await world.cluster.until_leads()
    others = [node for node in world.cluster.nodes if node is not primary]
    await world.cluster.switch_over(primary, chance.choice(others))


async def stop_primary(world: ClusterUnderLoad, chance: Random) -> None:
    """Stop the service on the primary's node, as an operator does, and start it after the next write."""
    primary = await world.cluster.until_leads()
    primary.stop()
    await world.settled(WRITES_SECONDS)
    primary.start()


async def freeze_primary(world: ClusterUnderLoad, chance: Random) -> None:
    """Stop all processes on the primary's node with SIGSTOP, for longer than its lease."""
    primary = await world.cluster.until_leads()
    primary.freeze()
    async with harm(chance):
        await world.settled(WRITES_SECONDS)
    primary.resume()


async def cut_off_primary(world: ClusterUnderLoad, chance: Random) -> None:
    """Isolate the primary's node: it neither receives nor sends packets, without errors."""
    primary = await world.cluster.until_leads()
    primary.plug.cut()
    async with harm(chance):
        await world.settled(WRITES_SECONDS)
    primary.plug.join()


async def kill_standby(world: ClusterUnderLoad, chance: Random) -> None:
    """Kill all processes on one of two standbys' nodes."""
    struck = chance.choice(await standbys(world))
    await asyncio.to_thread(struck.kill)
    await world.settled(WRITES_SECONDS)
    await asyncio.sleep(chance.uniform(0, 10))
    struck.start()


async def kill_standbys(world: ClusterUnderLoad, chance: Random) -> None:
    """Kill both standbys' nodes: no commit can be acknowledged until one returns."""
    struck = await standbys(world)
    for node in struck:
        await asyncio.to_thread(node.kill)
    await asyncio.sleep(chance.uniform(5, 20))
    for node in struck:
        node.start()


async def kill_etcd(world: ClusterUnderLoad, chance: Random) -> None:
    """Kill etcd completely, and restart it with its stored data."""
    world.cluster.etcd.kill()
    async with harm(chance):
        pass
    world.cluster.etcd.start()


async def cancel_waits(world: ClusterUnderLoad, chance: Random) -> float:
    """Freeze standbys, cancel the commits that wait for them, and resume the standbys.

    Returns the time of resumption: before it nothing may be acknowledged.
    """
    primary = await world.cluster.until_leads()
    others = await standbys(world)
    await cancel_while_frozen(primary, others, chance.uniform(3, 8))
    resume(others)
    return time.monotonic()


async def cancel_appends(world: ClusterUnderLoad, chance: Random) -> None:
    """Freeze standbys and cancel waiting commits, so that these are visible only on the primary.

    Then the primary dies, and a standby continues without them.
    """
    primary = await world.cluster.until_leads()
    others = await standbys(world)
    await cancel_while_frozen(primary, others, chance.uniform(3, 8))
    await asyncio.to_thread(primary.kill)
    resume(others)
    await world.settled(WRITES_SECONDS)
    primary.start()


async def cancel_while_frozen(primary: Node, frozen: list[Node], seconds: float) -> None:
    """Freeze standbys and cancel every commit that waits for them. Raises Broken if none waits."""
    for node in frozen:
        node.freeze()
    until, cancelled = time.monotonic() + seconds, 0
    connection = await primary.connect()
    while time.monotonic() < until:
        for row in await connection.fetch(WAITING):
            cancelled += await connection.fetchval("SELECT pg_cancel_backend($1)", row["pid"])
        await asyncio.sleep(0.05)
    with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        await connection.close(timeout=1)
    if not cancelled:
        resume(frozen)
        raise Broken("no commit waited for a standby")


def resume(nodes: list[Node]) -> None:
    """Resume frozen nodes."""
    for node in nodes:
        node.resume()


async def kill_tracker(world: ClusterUnderLoad, chance: Random) -> None:
    """Kill one of two trackers, which is restarted at once."""
    struck = chance.choice(world.trackers)
    assert struck.running
    struck.running.process.kill()


@asynccontextmanager
async def harm(chance: Random) -> AsyncIterator[None]:
    """Apply a fault for a random time."""
    until = time.monotonic() + chance.uniform(SHORTEST_SECONDS, LONGEST_SECONDS)
    yield
    await slept_until(until)


async def standbys(world: ClusterUnderLoad) -> list[Node]:
    """Return the standby nodes."""
    primary = await world.cluster.until_leads()
    return [node for node in world.cluster.nodes if node is not primary]
