"""Apply small faulty changes to the code one at a time, and check whether tests fail.

    python -m tools.mutation --map                       once: maps tests to functions (runs all)
    python -m tools.mutation --sample 50 --seed 7        50 mutants of every room
    python -m tools.mutation --only projections/query/lists.sql
    python -m tools.mutation --again --seconds 600       earlier survivors, with more tests
    python -m tools.mutation --score

Needs `pip install -e '.[test,mutation]'`. Results are stored in .mutation/ and not repeated, so an
interrupted run resumes. Mutants run in a copy of the checkout.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from tools.mutation.coverage_map import CoverageMap, load_map, measure
from tools.mutation.mutants import ROOMS, Mutant, find_mutants
from tools.mutation.results import COLUMNS, Result, Results
from tools.mutation.tests_of import choose_tests
from tools.mutation.tree import Tree

SLOWDOWN = 4
"""Factor of the measured time after which a mutant counts as hanging."""
START_SECONDS = 60


def parse() -> argparse.Namespace:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.mutation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--sample",
        type=int,
        metavar="N",
        default=20,
        help="mutants of each room, or of what --only names (default: 20)",
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the sample (default: 1)")
    parser.add_argument(
        "--only",
        action="append",
        metavar="PATH",
        help="a room's folder or a file of it; may be repeated",
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=60,
        metavar="S",
        help="seconds of tests per mutant, nearest first (default: 60)",
    )
    parser.add_argument("--again", action="store_true", help="retry earlier survivors")
    parser.add_argument("--list", action="store_true", help="print the selected mutants")
    parser.add_argument("--score", action="store_true", help="print the score and the survivors")
    parser.add_argument(
        "--map",
        nargs="*",
        metavar="TEST",
        help="measure the code that tests run: in these files, or all",
    )
    return parser.parse_args()


def main() -> None:
    """Run the command."""
    options, results = parse(), Results()
    if options.map is not None:
        coverage = load_map()
        coverage.add(measure(options.map))
        coverage.save()
        return
    parts = [find_mutants(path) for path in options.only or ROOMS.values()]
    mutants = [mutant for part in parts for mutant in part]
    if options.score:
        return print_score(mutants, results)
    chosen = choose_mutants(options, parts, results)
    if options.list:
        print(*chosen, sep="\n")
        return
    with tempfile.TemporaryDirectory(prefix="mutation-") as directory, suppress(KeyboardInterrupt):
        os.chmod(directory, 0o755)
        try_all(chosen, Tree(Path(directory)), load_map(), results, options.seconds)
    print_score(mutants, results)


def choose_mutants(
    options: argparse.Namespace, parts: Iterable[Sequence[Mutant]], results: Results
) -> list[Mutant]:
    """Return a sample of each part, without tried and equivalent mutants.

    Each mutant has its own random number, so that a sample is stable where the code is.
    """
    if options.again:
        return [mutant for part in parts for mutant in part if results.survives(mutant)]
    chosen: list[Mutant] = []
    for part in parts:
        drawn = sorted(part, key=lambda mutant: _lot(options.seed, mutant))
        chosen += islice((mutant for mutant in drawn if mutant.runs), options.sample)
    return [mutant for mutant in chosen if mutant.id not in results.of]


def _lot(seed: int, mutant: Mutant) -> bytes:
    return hashlib.sha256(f"{seed} {mutant.id}".encode()).digest()


def try_all(
    mutants: Sequence[Mutant], tree: Tree, coverage: CoverageMap, results: Results, seconds: float
) -> None:
    """Run the tests on mutants, and print the results."""
    if not coverage.seconds:
        sys.exit("There is no coverage map: run `python -m tools.mutation --map` first")
    there = tree.collect()
    failing: set[str] = set()
    while mutants:
        killers: dict[str, list[Mutant]] = {}
        for number, mutant in enumerate(mutants, 1):
            result = try_one(mutant, tree, coverage, there - failing, seconds)
            results.add(result)
            if result.test:
                killers.setdefault(result.test, []).append(mutant)
            print(
                f"{number}/{len(mutants)} {result.outcome:9}{result.seconds:6.1f} s {mutant}"
                f"{'  ' + result.test if result.test else f'  {result.tests} tests'}",
                flush=True,
            )
        failing |= (wrong := tree.failing(sorted(killers), 60 + 20 * len(killers)))
        print(
            *(f"FAILS WITHOUT A MUTANT, its kills are tried again: {test}" for test in wrong),
            sep="\n",
        )
        mutants = [mutant for test in wrong for mutant in killers.get(test, [])]


def try_one(
    mutant: Mutant, tree: Tree, coverage: CoverageMap, there: set[str], seconds: float
) -> Result:
    """Run the tests on one mutant."""
    tests, all_of_them = choose_tests(mutant, coverage, there, seconds)
    limit = START_SECONDS + SLOWDOWN * sum(coverage.seconds.get(test, 1) for test in tests)
    begun = time.monotonic()
    with tree.with_mutant(mutant):
        met = tree.run(tests, limit)
    return Result(
        mutant.id,
        str(mutant),
        met.outcome.value,
        met.test,
        len(tests),
        all_of_them,
        round(time.monotonic() - begun, 1),
    )


def print_score(mutants: Sequence[Mutant], results: Results) -> None:
    """Print the table, and the survivors."""
    print(f"\n| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}")
    for row in results.rows(mutants):
        print(f"| {' | '.join(map(str, row))} |")
    for mutant in mutants:
        if results.survives(mutant):
            result = results.of[mutant.id]
            selection = "all" if result.all_tests else "the nearest"
            print(f"\nsurvived {selection} {result.tests} tests: {mutant}")


if __name__ == "__main__":
    main()
