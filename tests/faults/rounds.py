"""Test rounds: load, a fault at a random moment, recovery, and the check."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from tests.faults.check import check
from tests.faults.command import again_note, run_rounds
from tests.faults.faults import FAULTS, Fault
from tests.faults.world import SystemUnderLoad

MODULE = "tests.faults"
ROUNDS_PER_WORLD = 10
"""Rounds per environment; the next one begins with a new, empty one."""


@dataclass
class RoundTotals:
    """Totals of the rounds of a kind of fault."""

    each: bool = False
    """Whether to print a line for each."""
    rounds: int = 0
    acknowledged: int = 0
    unknown: int = 0
    refused: int = 0
    delivered: int = 0
    again: int = 0
    recovery: list[float] = field(default_factory=list)
    """Recovery seconds of each round."""


async def run(kind: str, rounds: Iterable[int], seed: int, tally: RoundTotals) -> None:
    """Run rounds of a kind of fault and count them. Raises Broken, with a note of the round."""

    async def run_one(world: SystemUnderLoad, number: int) -> None:
        await run_round(world, kind, number, seed, tally)

    await run_rounds(rounds, ROUNDS_PER_WORLD, FAULTS[kind].world, run_one)


async def run_round(
    world: SystemUnderLoad, kind: str, number: int, seed: int, tally: RoundTotals
) -> None:
    """Run a round; its randomness depends only on seed, kind and number."""
    chance = Random(f"{seed}/{kind}/{number}")
    begun, came = len(world.sent), world.came
    try:
        tally.recovery.append(await recovery(world, FAULTS[kind], chance))
        sent = world.sent[begun:]
        tally.acknowledged += sum(len(command.positions or ()) for command in sent)
        tally.refused += sum(command.refused for command in sent)
        tally.unknown += sum(command.unknown for command in sent)
        await check(world)
        tally.delivered += world.came.events - came.events
        tally.again += world.came.again - came.again
    except Exception as error:
        error.add_note(again_note(MODULE, kind, number, seed))
        raise
    tally.rounds += 1
    if tally.each:
        print(f"{kind} {number}: {tally.recovery[-1]:.2f} s", flush=True)


async def recovery(world: SystemUnderLoad, fault: Fault, chance: Random) -> float:
    """Return the seconds until every writer is acknowledged again after a random fault."""
    async with world.load(chance):
        await asyncio.sleep(chance.uniform(0.05, 0.5))
        struck = await fault.strike(world, chance)
        await world.settled()
        return time.monotonic() - struck
