"""Common part of the commands that run rounds of faults and print a line of a table per kind."""

import argparse
import asyncio
import logging
import random
import signal
import sys
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Totals = TypeVar("Totals")
World = TypeVar("World")


@dataclass(frozen=True, slots=True)
class RoundsCommand(Generic[Totals]):
    """A command that runs rounds of kinds of faults; `about` is its help text."""

    module: str
    about: str | None
    kinds: Collection[str]
    rounds: int
    """Default number of rounds per kind."""
    columns: Sequence[str]
    """Columns of the table, after the kind."""
    totals: Callable[[bool], Totals]
    """Factory of empty totals; its argument is whether to print a line per round."""
    run: Callable[[str, range, int, Totals], Coroutine[Any, Any, None]]
    """Function that runs rounds of a kind, by a seed. Raises for a broken guarantee."""
    cells: Callable[[Totals], Sequence[object]]
    impossible: type[Exception]
    """Exception for a kind of fault that is impossible on this machine."""

    def main(self) -> None:
        """Run the requested rounds, and exit with 1 at the first broken guarantee."""
        asked = self._parse()
        _be_interrupted()
        logging.getLogger("asyncpg.pool").setLevel(logging.CRITICAL)  # it would log every fault
        _print_row("fault", self.columns, head=f"seed {asked.seed}\n\n")
        print(f"|{' --- |' * (len(self.columns) + 1)}", flush=True)
        for kind in asked.kinds:
            self._play(kind, range(asked.first, asked.first + asked.rounds), asked)

    def _play(self, kind: str, rounds: range, asked: argparse.Namespace) -> None:
        totals, shown = self.totals(asked.each), f"`{kind}`"
        try:
            asyncio.run(self.run(kind, rounds, asked.seed, totals))
        except self.impossible as reason:
            print(f"| {shown} | NOT TESTED: {reason} |", flush=True)
        except KeyboardInterrupt:
            _print_row(shown, self.cells(totals))
            sys.exit("Interrupted.")
        except Exception as error:
            _print_row(shown, self.cells(totals))
            sys.exit("\n".join([f"BROKEN {error!r}", *getattr(error, "__notes__", ())]))
        else:
            _print_row(shown, self.cells(totals))

    def _parse(self) -> argparse.Namespace:
        parser = argparse.ArgumentParser(
            prog=f"python -m {self.module}",
            description=self.about,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        among = ", ".join(self.kinds)
        parser.add_argument(
            "kinds",
            nargs="*",
            metavar="KIND",
            default=list(self.kinds),
            help=f"of {among}; all if left out",
        )
        parser.add_argument(
            "--rounds", type=int, default=self.rounds, help=f"of each kind (default: {self.rounds})"
        )
        parser.add_argument("--first", type=int, default=1, help="the number of the first round")
        parser.add_argument("--seed", type=int, default=random.randrange(10**6))
        parser.add_argument("--each", action="store_true", help="also print a line a round")
        asked = parser.parse_args()
        if unknown := set(asked.kinds) - set(self.kinds):
            parser.error(f"no such kind: {', '.join(sorted(unknown))}")
        return asked


async def run_rounds(
    rounds: Iterable[int],
    per_world: int,
    create_world: Callable[[], AbstractAsyncContextManager[World]],
    run_round: Callable[[World, int], Awaitable[None]],
) -> None:
    """Run rounds, some at a time in a new environment. Raises Broken, with a note of the round."""
    left = list(rounds)
    while left:
        now, left = left[:per_world], left[per_world:]
        async with create_world() as world:
            for number in now:
                await run_round(world, number)


def again_note(module: str, kind: str, number: int, seed: int) -> str:
    """Return the command that repeats a round."""
    return (
        f"in round {number} of {kind!r} with seed {seed}; again:"
        f" python -m {module} {kind} --seed {seed} --first {number} --rounds 1"
    )


def _be_interrupted() -> None:
    """Exit on both signals; a shell's background processes ignore the first."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def _print_row(first: str, cells: Sequence[object], head: str = "") -> None:
    print(f"{head}| {' | '.join([first, *map(str, cells)])} |", flush=True)
