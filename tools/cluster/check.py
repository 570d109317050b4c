"""Guarantees after every fault of a cluster. Raises Broken, or NotConsistent for a checkpoint."""

import asyncio
import signal
import time
from collections.abc import Iterable

import httpx2

from tests.faults.check import Log, followed, projected, recorded
from tests.faults.load import Broken
from tools.cluster.checkpoints import Head, check_heads, read_head
from tools.cluster.followers import Auditor, Follower
from tools.cluster.node import Node
from tools.cluster.world import ClusterUnderLoad, Tracker

CATCH_UP_SECONDS = 60
"""Timeout in seconds for standbys, checkpoints and trackers to catch up after the last write."""
OLD_TRANSACTIONS = """
SELECT application_name || ': ' || query FROM pg_stat_activity
WHERE backend_type = 'client backend' AND xact_start < now() - interval '30 seconds'"""


async def check(world: ClusterUnderLoad) -> None:
    """Check all guarantees, once writes have stopped and the cluster is complete."""
    for tracker in world.trackers:
        await world.ready(tracker.url)
    log = await recorded(world)
    acknowledgements_hold(world.followers)
    stayed(world.trackers)
    for tracker in world.trackers:
        await projected(world, tracker.url, log)
    for follower in world.followers:
        await followed(world, follower.seen, log)
    await world.until(lambda: world.endpoint.has(len(log)), "deliveries go on")
    world.endpoint.check(log)
    entries = await replicated(world, log)
    await signed(world, entries)
    await no_waiting_transactions(world)


def acknowledgements_hold(followers: Iterable[Follower]) -> None:
    """Check that no follower received an error about a different log."""
    for follower in followers:
        if follower.refusals:
            raise Broken(f"{follower.name} was told {follower.refusals}")


def stayed(trackers: Iterable[Tracker]) -> None:
    """Check that no tracker has ended except by a kill."""
    for tracker in trackers:
        if ends := [end for end in tracker.ends if end[0] != -signal.SIGKILL]:
            raise Broken(f"tracker {tracker.name} has ended: {ends}")


async def replicated(world: ClusterUnderLoad, log: Log) -> list[bytes]:
    """Check that all nodes have the entries of the log."""
    logs = [await _entries(node, len(log)) for node in world.cluster.nodes]
    if logs[0] != [event.entry for event in log] or any(each != logs[0] for each in logs):
        raise Broken(f"nodes have {[len(each) for each in logs]} entries, which differ")
    return logs[0]


async def _entries(node: Node, size: int) -> list[bytes]:
    """Return the entries of a node, once it has `size` of them."""
    deadline = time.monotonic() + CATCH_UP_SECONDS
    while len(entries := await node.entries()) < size and time.monotonic() < deadline:
        await asyncio.sleep(0.2)
    return entries


async def signed(world: ClusterUnderLoad, entries: list[bytes]) -> None:
    """Check that both trackers publish a complete checkpoint, and that every published one is
    consistent."""
    for auditor in world.auditors:
        await until_signed(auditor, world.key, len(entries), world.http)
        check_heads(heads(auditor, world.key), entries)


def heads(auditor: Auditor, key: str) -> list[Head]:
    """Return all heads that an auditor received."""
    return [read_head(note, key) for note in auditor.notes]


async def until_signed(auditor: Auditor, key: str, size: int, http: httpx2.AsyncClient) -> None:
    """Wait for a checkpoint of at least a size."""
    deadline = time.monotonic() + CATCH_UP_SECONDS
    while max((head.size for head in heads(auditor, key)), default=0) < size:
        if time.monotonic() > deadline:
            ready = await http.get(f"{auditor.where()}/readyz")
            raise Broken(f"no checkpoint of {size} events: {ready.text}")
        await asyncio.sleep(0.1)


async def no_waiting_transactions(world: ClusterUnderLoad) -> None:
    """Check that no transaction stays open for long, and that every tracker is ready."""
    primary = await world.cluster.until_leads()
    connection = await primary.connect()
    try:
        if waiting := await connection.fetch(OLD_TRANSACTIONS):
            raise Broken(f"transactions do not end: {[row[0] for row in waiting]}")
    finally:
        await connection.close()
