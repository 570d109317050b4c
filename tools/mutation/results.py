"""Results of mutants, one line each in `.mutation/results.jsonl`, and the score."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.mutation.mutants import ROOMS, ROOT, Mutant
from tools.mutation.tree import Outcome

RESULTS_FILE = ROOT / ".mutation" / "results.jsonl"
EQUIVALENT = Path(__file__).with_name("equivalent.toml")
COLUMNS = ("room", "mutants", "tried", "killed", "timeouts", "survived", "equivalent", "found")


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a mutant: the test that killed it, or the number of passed tests.

    `all_tests` tells whether all tests of the function ran, or only those within the time limit.
    """

    id: str
    mutant: str
    outcome: str
    test: str
    tests: int
    all_tests: bool
    seconds: float


class Results:
    """The results so far; the last one of a mutant counts."""

    def __init__(self) -> None:
        lines = (
            RESULTS_FILE.read_text(encoding="utf-8").splitlines() if RESULTS_FILE.exists() else []
        )
        self.of = {result.id: result for line in lines for result in [Result(**json.loads(line))]}
        self.equivalent = _read_equivalent()

    def add(self, result: Result) -> None:
        """Store a result, so that it survives an interruption."""
        self.of[result.id] = result
        RESULTS_FILE.parent.mkdir(exist_ok=True)
        with RESULTS_FILE.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(result), ensure_ascii=False) + "\n")

    def is_equivalent(self, mutant: Mutant) -> bool:
        """Whether a person has judged that its behaviour equals the original."""
        change = mutant.change
        return (
            mutant.path,
            change.scope,
            _plain(change.before),
            _plain(change.after),
        ) in self.equivalent

    def survives(self, mutant: Mutant) -> bool:
        """Whether it was tried, survived and is not equivalent."""
        result = self.of.get(mutant.id)
        return (
            result is not None
            and result.outcome == Outcome.SURVIVED.value
            and not self.is_equivalent(mutant)
        )

    def rows(self, mutants: Iterable[Mutant]) -> list[tuple[object, ...]]:
        """Return the score of each room: the share of killed mutants among tried ones that are not
        equivalent."""
        there, counts = Counter(), {room: Counter() for room in ROOMS}
        for mutant in mutants:
            there[mutant.room] += 1
            if result := self.of.get(mutant.id):
                counts[mutant.room][self._kind(mutant, result)] += 1
        rows = [_row(room, there[room], counts[room]) for room in ROOMS if there[room]]
        return [*rows, _row("all", there.total(), sum(counts.values(), Counter()))]

    def _kind(self, mutant: Mutant, result: Result) -> str:
        survived = result.outcome == Outcome.SURVIVED.value
        return "equivalent" if survived and self.is_equivalent(mutant) else result.outcome


def _row(room: str, there: int, count: Counter[str]) -> tuple[object, ...]:
    detected = count["killed"] + count["timeout"]
    judged = detected + count["survived"]
    return (
        room,
        f"{there:,}",
        count.total(),
        count["killed"],
        count["timeout"],
        count["survived"],
        count["equivalent"],
        f"{100 * detected / judged:.0f} %" if judged else "–",
    )


def _read_equivalent() -> set[tuple[str, str, str, str]]:
    judged = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8")).get("equivalent", [])
    return {
        (one["path"], one["scope"], _plain(one["before"]), _plain(one["after"])) for one in judged
    }


def _plain(text: str) -> str:
    return " ".join(text.split())
