"""What befalls machines and networks, each at a random moment under load. Each does its harm and mends it,
while writers write; they need not be acknowledged yet."""

from __future__ import annotations

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
"""Seconds in which writers must be acknowledged again."""
SHORTEST_SECONDS, LONGEST_SECONDS = 30, 40
"""Seconds for which a node is frozen or cut off, or etcd away."""
WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = 'minerals'"


async def kill_primary(world: ClusterUnderLoad, chance: Random) -> None:
    """kill -9 of all that runs on the primary's node, which is started again when others write."""
    primary = await world.cluster.until_leads()
    await asyncio.to_thread(primary.kill)
    await world.settled(WRITES_SECONDS)
    primary.start()


async def switch_over(world: ClusterUnderLoad, chance: Random) -> None:
    """An operator has another node lead."""
    primary = await world.cluster.until_leads()
    others = [node for node in world.cluster.nodes if node is not primary]
    await world.cluster.switch_over(primary, chance.choice(others))


async def stop_primary(world: ClusterUnderLoad, chance: Random) -> None:
    """An operator stops the service on the primary's node, and starts it when others write."""
    primary = await world.cluster.until_leads()
    primary.stop()
    await world.settled(WRITES_SECONDS)
    primary.start()


async def freeze_primary(world: ClusterUnderLoad, chance: Random) -> None:
    """SIGSTOP of all that runs on the primary's node, for longer than its lease."""
    primary = await world.cluster.until_leads()
    primary.freeze()
    async with harm(chance):
        await world.settled(WRITES_SECONDS)
    primary.resume()


async def cut_off_primary(world: ClusterUnderLoad, chance: Random) -> None:
    """The primary's node is alone: nothing comes from it or to it, and nobody is told."""
    primary = await world.cluster.until_leads()
    primary.plug.cut()
    async with harm(chance):
        await world.settled(WRITES_SECONDS)
    primary.plug.join()


async def kill_standby(world: ClusterUnderLoad, chance: Random) -> None:
    """kill -9 of all that runs on one of two standbys' nodes."""
    struck = chance.choice(await standbys(world))
    await asyncio.to_thread(struck.kill)
    await world.settled(WRITES_SECONDS)
    await asyncio.sleep(chance.uniform(0, 10))
    struck.start()


async def kill_standbys(world: ClusterUnderLoad, chance: Random) -> None:
    """kill -9 of both standbys' nodes: nothing can be acknowledged until one is back."""
    struck = await standbys(world)
    for node in struck:
        await asyncio.to_thread(node.kill)
    await asyncio.sleep(chance.uniform(5, 20))
    for node in struck:
        node.start()


async def kill_etcd(world: ClusterUnderLoad, chance: Random) -> None:
    """kill -9 of etcd, all of it; it is started again with what it kept."""
    world.cluster.etcd.kill()
    async with harm(chance):
        pass
    world.cluster.etcd.start()


async def cancel_waits(world: ClusterUnderLoad, chance: Random) -> float:
    """Standbys freeze, commits that wait for them are cancelled, and the standbys go on. Return when
    they do: until then nothing may be acknowledged."""
    primary = await world.cluster.until_leads()
    others = await standbys(world)
    await cancel_while_frozen(primary, others, chance.uniform(3, 8))
    resume(others)
    return time.monotonic()


async def cancel_appends(world: ClusterUnderLoad, chance: Random) -> None:
    """Standbys freeze, commits wait for them and are cancelled, by which they are seen on the primary
    and nowhere else; then the primary dies, and a standby goes on without them."""
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
    """Let frozen nodes go on."""
    for node in nodes:
        node.resume()


async def kill_tracker(world: ClusterUnderLoad, chance: Random) -> None:
    """kill -9 of one of two trackers, which is started again at once."""
    struck = chance.choice(world.trackers)
    assert struck.running
    struck.running.process.kill()


@asynccontextmanager
async def harm(chance: Random) -> AsyncIterator[None]:
    """Harm lasts for a random time, whatever is awaited meanwhile."""
    until = time.monotonic() + chance.uniform(SHORTEST_SECONDS, LONGEST_SECONDS)
    yield
    await slept_until(until)


async def standbys(world: ClusterUnderLoad) -> list[Node]:
    """The nodes that do not lead."""
    primary = await world.cluster.until_leads()
    return [node for node in world.cluster.nodes if node is not primary]
