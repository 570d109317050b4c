"""Test rounds: load, a fault at a random moment, repair, and the check."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from random import Random

from tests.faults.command import again_note, run_rounds
from tools.cluster import faults
from tools.cluster.check import check
from tools.cluster.restored import restore_backup
from tools.cluster.world import ClusterUnderLoad, by_hosts, by_proxy, longest_silence, silence_after

MODULE = "tools.cluster"


@dataclass(frozen=True)
class Kind:
    """A kind of fault."""

    world: Callable[[], AbstractAsyncContextManager[ClusterUnderLoad]]
    play: Callable[[ClusterUnderLoad, Random], Awaitable[float]]
    """A function that runs a round, checks all guarantees, and returns the seconds without writes.
    Raises Broken."""
    rounds_per_world: int = 10
    """Rounds per cluster; the next one begins with a new, empty cluster."""


def under_load(
    strike: Callable[[ClusterUnderLoad, Random], Awaitable[float | None]],
) -> Callable[[ClusterUnderLoad, Random], Awaitable[float]]:
    """Return a round for a fault that loses nothing, at a random moment under load.

    A fault without acknowledgements returns the time of its end, from which the seconds without writes
    count.
    """

    async def play(world: ClusterUnderLoad, chance: Random) -> float:
        begun = len(world.sent)
        async with world.load(chance):
            await world.settled()
            await asyncio.sleep(chance.uniform(0.5, 5))
            struck = time.monotonic()
            ended = await strike(world, chance)
            await world.settled(faults.WRITES_SECONDS)
            await world.cluster.until_whole()
            await world.settled()
        acknowledged = [sent.told_at for sent in world.sent[begun:] if sent.positions]
        await check(world)  # it resends unconfirmed commands, and so confirms them
        return (
            longest_silence(acknowledged, struck)
            if ended is None
            else silence_after(acknowledged, ended)
        )

    return play


KINDS = {
    "primary": Kind(by_hosts, under_load(faults.kill_primary)),
    "switchover": Kind(by_hosts, under_load(faults.switch_over)),
    "service-stop": Kind(by_hosts, under_load(faults.stop_primary)),
    "frozen": Kind(by_hosts, under_load(faults.freeze_primary)),
    "partition": Kind(by_hosts, under_load(faults.cut_off_primary)),
    "standby": Kind(by_hosts, under_load(faults.kill_standby)),
    "standbys": Kind(by_hosts, under_load(faults.kill_standbys)),
    "etcd": Kind(by_hosts, under_load(faults.kill_etcd)),
    "cancelled": Kind(by_hosts, under_load(faults.cancel_appends)),
    "cancelled-waits": Kind(by_hosts, under_load(faults.cancel_waits)),
    "tracker": Kind(by_hosts, under_load(faults.kill_tracker)),
    "restored": Kind(by_hosts, restore_backup, rounds_per_world=1),
    "primary-proxy": Kind(by_proxy, under_load(faults.kill_primary)),
    "frozen-proxy": Kind(by_proxy, under_load(faults.freeze_primary)),
}


@dataclass
class RoundTotals:
    """Totals of the rounds of a kind of fault."""

    each: bool = False
    """Whether to print a line for each."""
    rounds: int = 0
    acknowledged: int = 0
    unknown: int = 0
    checkpoints: int = 0
    silences: list[float] = field(default_factory=list)
    """Seconds without an acknowledgement in each round."""


async def run(kind: str, rounds: Iterable[int], seed: int, tally: RoundTotals) -> None:
    """Run rounds of a kind of fault and count them. Raises Broken, with a note of the round."""

    async def run_one(world: ClusterUnderLoad, number: int) -> None:
        await run_round(world, kind, number, seed, tally)

    await run_rounds(rounds, KINDS[kind].rounds_per_world, KINDS[kind].world, run_one)


async def run_round(
    world: ClusterUnderLoad, kind: str, number: int, seed: int, tally: RoundTotals
) -> None:
    """Run a round; its randomness depends only on seed, kind and number."""
    chance = Random(f"{seed}/{kind}/{number}")
    begun, notes = len(world.sent), noted(world)
    try:
        silence = await KINDS[kind].play(world, chance)
        sent = world.sent[begun:]
        tally.acknowledged += sum(len(command.positions or ()) for command in sent)
        tally.unknown += sum(command.unknown for command in sent)
        tally.checkpoints += noted(world) - notes
        tally.silences.append(silence)
    except Exception as error:
        error.add_note(world.last_words())
        error.add_note(again_note(MODULE, kind, number, seed))
        raise
    tally.rounds += 1
    if tally.each:
        print(f"{kind} {number}: {silence:.1f} s without writes", flush=True)


def noted(world: ClusterUnderLoad) -> int:
    """Return the number of checkpoints published so far."""
    return sum(len(auditor.notes) for auditor in world.auditors)
