"""Rounds: load, a fault at a random moment, the cluster whole again, and the check."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from tests.cluster.check import check
from tests.cluster.faults import FAULTS, WRITES_SECONDS, Fault
from tests.cluster.world import ClusterUnderLoad, longest_silence

ROUNDS_PER_WORLD = 10
"""So many rounds go over one cluster; the next begins with a new, empty one."""


@dataclass
class RoundTotals:
    """What the rounds of a kind of fault amount to."""

    each: bool = False
    """Whether a line is printed of each."""
    rounds: int = 0
    acknowledged: int = 0
    unknown: int = 0
    checkpoints: int = 0
    silences: list[float] = field(default_factory=list)
    """Seconds without an acknowledgement, of each round."""


async def run(kind: str, rounds: Iterable[int], seed: int, tally: RoundTotals) -> None:
    """Run rounds of a kind of fault and tally them. Raises Broken, with a note of the round."""
    left = list(rounds)
    while left:
        now, left = left[:ROUNDS_PER_WORLD], left[ROUNDS_PER_WORLD:]
        async with FAULTS[kind].world() as world:
            for number in now:
                await run_round(world, kind, number, seed, tally)


async def run_round(
    world: ClusterUnderLoad, kind: str, number: int, seed: int, tally: RoundTotals
) -> None:
    """Run a round; everything random in it follows from seed, kind and number."""
    chance = Random(f"{seed}/{kind}/{number}")
    begun, notes = len(world.sent), noted(world)
    try:
        silence = await silence_of(world, FAULTS[kind], chance)
        sent = world.sent[begun:]
        tally.acknowledged += sum(len(command.positions or ()) for command in sent)
        tally.unknown += sum(command.positions is None for command in sent)
        await check(world)
        tally.checkpoints += noted(world) - notes
        tally.silences.append(silence)
    except Exception as error:
        error.add_note(world.last_words())
        error.add_note(
            f"in round {number} of {kind!r} with seed {seed}; again:"
            f" python -m tests.cluster {kind} --seed {seed} --first {number} --rounds 1"
        )
        raise
    tally.rounds += 1
    if tally.each:
        print(f"{kind} {number}: {silence:.1f} s without writes", flush=True)


async def silence_of(world: ClusterUnderLoad, fault: Fault, chance: Random) -> float:
    """Seconds without an acknowledgement, by reason of a fault at a random moment."""
    begun = len(world.sent)
    async with world.load(chance):
        await world.settled()
        await asyncio.sleep(chance.uniform(0.5, 5))
        struck = time.monotonic()
        await fault.strike(world, chance)
        await world.settled(WRITES_SECONDS)
        await world.cluster.until_whole()
        await world.settled()
    told = [sent.told_at for sent in world.sent[begun:] if sent.positions is not None]
    return longest_silence(told, struck)


def noted(world: ClusterUnderLoad) -> int:
    """The number of checkpoints that were given so far."""
    return sum(len(auditor.notes) for auditor in world.auditors)
