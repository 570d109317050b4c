"""Restore of an old backup on every node, under running trackers.

This is the only fault that loses acknowledged events. It cannot be undone. Every observer of the lost
events must be notified, and nothing may be signed in their place.
"""

import asyncio
import shutil
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from random import Random

from deploy.cli.process import Exit
from tests.faults.check import projected, read
from tests.faults.load import Broken
from tests.faults.writers import SET_BACK, UNKNOWN_CODES
from tools.cluster.check import heads, replicated, until_signed
from tools.cluster.checkpoints import check_heads
from tools.cluster.followers import Follower
from tools.cluster.node import PASSWORD, Node
from tools.cluster.world import ClusterUnderLoad, Tracker
from tracker.log.recorder import Recorder

NOTICED_SECONDS = 120
"""Timeout in seconds for all observers to notice. A database of an older timeline is treated as a
former primary for a minute."""


async def restore_backup(world: ClusterUnderLoad, chance: Random) -> float:
    """Restore an earlier backup on all nodes, and check all observers.

    Returns the seconds until all have noticed.
    """
    cluster = world.cluster
    async with world.load(chance):
        await world.settled()
        backup = await take_backup(world, await cluster.until_leads())
        await asyncio.sleep(chance.uniform(1, 5))
        await world.settled()
    gone = await seen_and_signed(world)
    for node in cluster.nodes:
        await asyncio.to_thread(node.kill)
    await restore(world, backup)
    begun = time.monotonic()
    world.unknown_codes = (*UNKNOWN_CODES, SET_BACK)
    world.sent.clear()
    async with world.load(chance):
        await noticed(world)
        seconds = time.monotonic() - begun
        await world.settled()
        await cluster.until_whole()
    world.recorder = Recorder(world.pool)
    log = await read(world)
    if [event.entry for event in log][: len(gone)] == gone:
        raise Broken("the backup had all events")
    await replicated(world, log)
    for tracker in world.trackers:
        await projected(world, tracker.url, log)
    for follower in world.followers:
        await world.until(
            lambda follower=follower: follower.seen == [(e.position, e.event_id) for e in log],
            f"{follower.name} finds the common part, and goes on from there",
        )
    for auditor in world.auditors:
        check_heads(heads(auditor, world.key), gone)
    return seconds


async def take_backup(world: ClusterUnderLoad, primary: Node) -> Path:
    """Take a base backup of the primary, like a nightly one."""
    cluster = world.cluster
    directory = cluster.directory / "backup"
    directory.mkdir()
    cluster.site.chown(directory)
    source = f"postgresql://replicator:{PASSWORD}@{primary.address}"
    options = ("--checkpoint=fast", "--no-sync", f"--pgdata={directory}", f"--dbname={source}")
    await asyncio.to_thread(cluster.site.run, cluster.bin / "pg_basebackup", *options)
    return directory


async def restore(world: ClusterUnderLoad, backup: Path) -> None:
    """Replace all data by a backup, and remove the cluster from etcd."""
    cluster = world.cluster
    first, *others = cluster.nodes
    cluster.etcd.forget()
    for node in cluster.nodes:
        node.empty()
    await asyncio.to_thread(shutil.copytree, backup, first.data)
    for path in (first.data, *first.data.rglob("*")):
        cluster.site.chown(path)
    first.data.chmod(0o700)
    cluster.etcd.start()
    first.start()
    await cluster.until_leads()
    for node in others:
        node.start()


async def seen_and_signed(world: ClusterUnderLoad) -> list[bytes]:
    """Return all entries, once all observers have them and they are signed."""
    primary = await world.cluster.until_whole()
    entries = await primary.entries()
    for follower in world.followers:
        await world.until(
            lambda at=follower: len(at.seen) == len(entries), "followers get every event"
        )
    for auditor in world.auditors:
        await until_signed(auditor, world.key, len(entries), world.http)
    return entries


async def noticed(world: ClusterUnderLoad) -> None:
    """Check that both trackers have ended with the reason, and that all followers were notified."""
    ended = partial(all_ended, world.trackers)
    await world.until(ended, "trackers end, since the log was set back", NOTICED_SECONDS)
    all_informed = partial(are_all_informed, world.followers)
    await world.until(all_informed, "followers are told that the log was set back", NOTICED_SECONDS)


def all_ended(trackers: Iterable[Tracker]) -> bool:
    """Whether all trackers have ended because the log was reset."""
    return all(
        any(code == Exit.UNAVAILABLE and "set back" in output for code, output in tracker.ends)
        for tracker in trackers
    )


def are_all_informed(followers: Iterable[Follower]) -> bool:
    """Whether all followers were notified of a different log."""
    return all(follower.refusals for follower in followers)
