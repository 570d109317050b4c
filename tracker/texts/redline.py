"""The differences between two versions of a text: units added, removed and replaced, with their words.

Applied to the older version, a redline gives the newer one byte for byte. Differences of formatting are kept
for that, but do not count as changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import takewhile

from msgspec import Struct

from tracker.domain.basics.vocabulary import TextChange
from tracker.errors import InvalidInput
from tracker.texts.units import Unit, split_into_units
from tracker.texts.words import Word, words_of

MAX_COMPARISONS = 4_000_000
"""Product of the numbers of words of a unit above which all behind its first change is replaced."""
MIN_KEPT_WORDS = 3
"""Fewer equal words between two changes are a part of one change."""
MIN_KEPT_SHARE = 0.5
"""A unit that keeps less of its words is replaced as a whole."""
CHANGES = {"replace": TextChange.REPLACED, "insert": TextChange.ADDED, "delete": TextChange.REMOVED}
"""Kinds of change by the steps of difflib."""
Step = tuple[str, int, int, int, int]


class Run(Struct, frozen=True):
    """Successive words with the same kind of change, as printed in both versions."""

    change: TextChange
    old: str
    new: str


class UnitChange(Struct, frozen=True):
    """A unit in two versions; `old_number` and `new_number` are its places, None where it is missing."""

    id: str
    change: TextChange
    runs: tuple[Run, ...]
    old_number: int | None
    new_number: int | None


class Redline(Struct, frozen=True):
    """All units of two versions in the order of the newer one, each removed unit behind its predecessor."""

    units: tuple[UnitChange, ...]

    def changes(self) -> list[UnitChange]:
        """Return the units whose words differ."""
        return [
            unit
            for unit in self.units
            if unit.change not in {TextChange.SAME, TextChange.FORMATTED}
        ]

    def apply(self, old: str) -> str:
        """Return the newer version. Raises InvalidInput if `old` is not the older version."""
        if self.older() != old:
            raise InvalidInput("expected the older text of this redline", code="OTHER_TEXT")
        ordered = sorted(
            (unit.new_number, unit) for unit in self.units if unit.new_number is not None
        )
        return "".join(run.new for _, unit in ordered for run in unit.runs)

    def older(self) -> str:
        """Return the older version."""
        ordered = sorted(
            (unit.old_number, unit) for unit in self.units if unit.old_number is not None
        )
        return "".join(run.old for _, unit in ordered for run in unit.runs)


def compare_texts(old: str, new: str) -> Redline:
    """Return the differences between two versions of a text."""
    before = {unit.id: (number, unit) for number, unit in enumerate(split_into_units(old))}
    after = {unit.id: (number, unit) for number, unit in enumerate(split_into_units(new))}
    return Redline(
        tuple(_compare(id, before.get(id), after.get(id)) for id in _order([*before], [*after]))
    )


def _order(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """Return the ids in the newer order, each removed one behind the one that it followed."""
    known, order = set(new), list(new)
    for number, id in enumerate(old):
        if id not in known:
            order.insert(order.index(old[number - 1]) + 1 if number else 0, id)
    return order


def _compare(id: str, old: tuple[int, Unit] | None, new: tuple[int, Unit] | None) -> UnitChange:
    runs = tuple(_runs(old[1].text if old else "", new[1].text if new else ""))
    kinds = {run.change for run in runs}
    if old is None or new is None:
        change = TextChange.ADDED if old is None else TextChange.REMOVED
    elif kinds <= {TextChange.SAME}:
        change = TextChange.SAME
    else:
        change = (
            TextChange.FORMATTED
            if kinds <= {TextChange.SAME, TextChange.FORMATTED}
            else TextChange.REPLACED
        )
    return UnitChange(id, change, runs, old[0] if old else None, new[0] if new else None)


def _runs(old: str, new: str) -> Iterator[Run]:
    """Yield the runs of two versions of a unit."""
    if old == new:
        yield Run(TextChange.SAME, old, new)
        return
    before, after = words_of(old), words_of(new)
    for kind, a, b, c, d in _steps([word.folded for word in before], [w.folded for w in after]):
        if kind == "equal":
            yield from _equal_runs(before[a:b], after[c:d])
        else:
            yield Run(CHANGES[kind], _printed(before[a:b]), _printed(after[c:d]))


def _steps(old: Sequence[str], new: Sequence[str]) -> list[Step]:
    """Return the steps from the old to the new words, as those of difflib, in pieces that can be read."""
    whole: list[Step] = [("replace", 0, len(old), 0, len(new))]
    if not old or not new:
        return whole
    if len(old) * len(new) > MAX_COMPARISONS:
        pairs = zip(old, new, strict=False)
        start = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        rest: Step = ("replace", start, len(old), start, len(new))
        return [("equal", 0, start, 0, start), rest] if start else whole
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    kept = sum(b - a for kind, a, b, _, _ in steps if kind == "equal")
    return _without_scraps(steps) if kept >= MIN_KEPT_SHARE * min(len(old), len(new)) else whole


def _without_scraps(steps: Sequence[Step]) -> list[Step]:
    """Return the steps with a few equal words between two changes as a part of one change."""
    found = list[Step]()
    for number, step in enumerate(steps):
        scrap = (
            step[0] == "equal"
            and step[2] - step[1] < MIN_KEPT_WORDS
            and 0 < number < len(steps) - 1
        )
        if found and (scrap or step[0] != "equal") and found[-1][0] != "equal":
            found[-1] = ("replace", found[-1][1], step[2], found[-1][3], step[4])
        else:
            found.append(step)
    return found


def _equal_runs(old: Sequence[Word], new: Sequence[Word]) -> Iterator[Run]:
    """Yield runs of equal words, separated by their formatting."""
    start, pairs = 0, list(zip(old, new, strict=True))
    while start < len(pairs):
        same = pairs[start][0].printed == pairs[start][1].printed
        end = start
        while end < len(pairs) and (pairs[end][0].printed == pairs[end][1].printed) is same:
            end += 1
        change = TextChange.SAME if same else TextChange.FORMATTED
        yield Run(change, _printed(old[start:end]), _printed(new[start:end]))
        start = end


def _printed(words: Iterable[Word]) -> str:
    return "".join(word.printed for word in words)
