"""Sums of facts: how many more of them count behind a block of positions than before it. Pure.

What is said of all facts at a position follows from the sums of the blocks before it and from the facts
that begin to count, or end, in its own block: so it takes no look at each of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from projections.fold.effective_facts import ClosedFact, FactRow
from projections.versions.fact_rows import one_line, publishers_of
from tracker.domain.entity import RecordedFact
from tracker.domain.figure import Claimed

BLOCK_POSITIONS = 10_000


def block_of(position: int) -> tuple[int, int]:
    """The number of the block that a position lies in, and the first position of that."""
    block = position // BLOCK_POSITIONS
    return block, block * BLOCK_POSITIONS


def sum_facts(
    sums: Counter[str], entity: str, rows: Iterable[FactRow], closed: Iterable[ClosedFact]
) -> None:
    """Add facts of an entity that begin to count, and those that do no more, to the sums; what they
    are of is a line, its columns in the order of `add_sums`."""
    kind = entity.partition("/")[0]
    for known, since, until in rows:
        sums.update(_keys(kind, known, since))
        if until is not None:
            sums.subtract(_keys(kind, known, until))
    for known, at in closed:
        sums.subtract(_keys(kind, known, at))


def sum_lines(sums: Counter[str]) -> list[str]:
    """The sums as lines, always in the same order: so processes never wait for each other."""
    return [f"{key}\t{facts}" for key, facts in sorted(sums.items()) if facts]


def _keys(kind: str, known: RecordedFact, position: int) -> Iterator[str]:
    fact, edition, version = known.fact, "", ""
    if isinstance(fact, Claimed):
        edition, version = one_line(fact.edition), one_line(fact.edition_version or "")
    common = (
        f"{block_of(position)[0]}\t{kind}\t{publishers_of(fact)}\t{edition}\t{version}"
        f"\t{fact.public_on.isoformat()}"
    )
    yield f"{common}\t\t"
    if isinstance(fact, Claimed):
        of = fact.series
        yield f"{common}\tcommodity\t{of.commodity}"
        yield f"{common}\tplace\t{of.place}"
        yield f"{common}\tstatistic\t{of.statistic}"
        if of.period is not None:
            yield f"{common}\tyear\t{of.period}"
