"""Checks after every fault."""

import asyncio
import time
from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from projections.fold.replay import ReplayState as Replay
from tests.faults.load import WAIT_TIMEOUT_SECONDS, Broken, Load
from tests.faults.world import SystemUnderLoad
from tests.faults.writers import Sent
from tests.support.time_limits import within
from tracker.log.entries import RecordedEvent

DAY = date(2025, 11, 20)
"""Day of the compared state; some instruments are suspended on it."""
DIGEST = "query ($day: Day, $at: Position) { asOf(validAt: $day, position: $at) { digest } }"
Log = list[RecordedEvent]


async def check(world: SystemUnderLoad) -> None:
    """Check all guarantees, once writes have stopped. Raises Broken."""
    log = await recorded(world)
    await projected(world, world.serving.url, log)
    await followed(world, world.seen, log)
    await world.check_more(log)


async def recorded(world: Load) -> Log:
    """Return the log with every acknowledged command; commands with unknown outcome are sent again."""
    log = await read(world)
    unknown = [sent for sent in world.sent if sent.positions is None]
    for sent in unknown:
        whole_or_absent(sent, log)
    await asyncio.gather(*(sent_again(sent, log) for sent in unknown))
    log = await read(world)
    in_order(log)
    nothing_lost_or_doubled(world.sent, log)
    return log


async def read(world: Load) -> Log:
    """Return the log with all acknowledged events; a reader may have to wait until they are confirmed."""
    told = max((sent.positions[-1] for sent in world.sent if sent.positions), default=0)
    deadline = time.monotonic() + WAIT_TIMEOUT_SECONDS
    while (head := await world.recorder.head()) < told and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    return [event async for event in world.recorder.read_all(head)]


def whole_or_absent(sent: Sent, log: Log) -> None:
    """Check that an unacknowledged command is recorded completely or not at all, and a refused one is
    not."""
    there = [event.position for event in log if event.event_id in sent.ids]
    if there and (sent.refused or there != list(range(there[0], there[0] + len(sent.ids)))):
        raise Broken(f"{sent.ids} is at {there}, {'refused' if sent.refused else 'unknown'}")


async def sent_again(sent: Sent, log: Log) -> None:
    """Check that a command that is sent again counts once."""
    there = [event.position for event in log if event.event_id in sent.ids]
    sent.positions, sent.refused = await sent.send(), False
    if list(sent.positions) != there and (there or sent.positions[0] <= len(log)):
        raise Broken(f"{sent.ids} was at {there}; sent again it is said to be at {sent.positions}")


def in_order(log: Log) -> None:
    """Check that positions are gapless, versions consecutive per stream, and recording times ascending."""
    versions: dict[str, int] = {}
    for position, event in enumerate(log, 1):
        if event.position != position:
            raise Broken(f"position {position} is missing: {event.position} stands there")
        if event.version != versions.get(event.stream, 0) + 1:
            raise Broken(
                f"version {event.version} of {event.stream} follows {versions.get(event.stream, 0)}"
            )
        versions[event.stream] = event.version
    for before, after in pairwise(log):
        if after.recorded_at < before.recorded_at:
            raise Broken(f"position {after.position} is recorded before {before.position}")


def nothing_lost_or_doubled(sent: list[Sent], log: Log) -> None:
    """Check that every acknowledged event is in the log once, at its position.

    Other events may only be those of a watcher.
    """
    told = {
        id: position
        for command in sent
        for id, position in zip(command.ids, command.positions or (), strict=True)
    }
    if len(log) != len({event.event_id for event in log}):
        raise Broken("an event is in the log twice")
    there = {
        event.event_id: event.position for event in log if not event.stream.startswith("source/")
    }
    for id in told.keys() | there.keys():
        if told.get(id) != there.get(id):
            raise Broken(f"{id} was acknowledged at {told.get(id)}, and is at {there.get(id)}")


async def projected(world: Load, url: str, log: Log) -> None:
    """Check that a server's projection catches up, and equals the log."""
    async with asyncio.timeout(within(30)):
        while True:
            found = await world.ask_server(url, "{ asOf { position } }")
            if int(found["asOf"]["position"]) >= len(log):
                break
            await asyncio.sleep(0.01)
    replay = Replay()
    for event in log:
        replay.add(event)
    answer = await world.ask_server(url, DIGEST, day=DAY.isoformat(), at=str(len(log)))
    if answer["asOf"]["digest"] != replay.digest(DAY, len(log)):
        raise Broken(f"the digest at position {len(log)} differs from that of a replay")


async def followed(world: Load, got: Sequence[tuple[int, str]], log: Log) -> None:
    """Check that a follower has received every event once, in order."""
    await world.until(lambda: len(got) >= len(log), "the follower gets every event")
    for seen, event in zip(got, log, strict=False):
        if seen != (event.position, event.event_id):
            raise Broken(
                f"the follower got {seen}; the log has {event.event_id} at {event.position}"
            )
    if len(got) > len(log):
        raise Broken(f"the follower got {got[len(log) :]}, which the log does not have")
