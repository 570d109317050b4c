"""Rows of facts with their effective positions and first day, and sums by block. Pure.

A sum is the net change in the number of effective facts per block of positions. The number at a
position is the sum of the blocks before it, plus the changes in its own block.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from operator import attrgetter

import msgspec
from msgspec import Struct, field

from projections.fold.effective_facts import ClosedFact, FactRow
from projections.runner.writing import NULL, OPEN_POSITION, Line
from tracker.domain.entities.entity import RecordedFact
from tracker.domain.figures.figure_facts import Claimed, Series

BLOCK_POSITIONS = 10_000
NO_CLAIM = "\t".join([NULL] * 6)
"""The columns of claims in the row of another fact."""
FACETS = {"commodity": "commodity", "place": "place", "statistic": "statistic", "year": "period"}
"""The facets by which claims are counted, with their names in a series."""


def fact_lines(entity: str, rows: Iterable[FactRow]) -> list[Line]:
    """Return the rows of an entity's facts as lines, with columns in the order of `add_facts`."""
    kind = entity.partition("/")[0]
    return [_line(entity, kind, row) for row in rows]


def _line(entity: str, kind: str, row: FactRow) -> Line:
    known, fact = row.known, row.known.fact
    publishers = " ".join(fact.cited_publishers)
    claimed = NO_CLAIM
    if isinstance(fact, Claimed):
        version = NULL if fact.edition_version is None else one_line(fact.edition_version)
        series, quantity = fact.series, fact.quantity
        product = f"{series.stage or ''}/{series.form or ''}\t{series.years or NULL}"
        basis = msgspec.json.encode(quantity.basis).decode()
        claimed = f"{one_line(fact.edition)}\t{version}\t{product}\t{quantity.unit}\t{basis}"
    return (
        f"{known.position}\t{entity}\t{kind}\t{known.type}\t{publishers}\t{claimed}"
        f"\t{fact.public_on.isoformat()}\t{row.since}\t{row.until or OPEN_POSITION}"
    )


def one_line(text: str) -> str:
    """Return a text as a column of a line."""
    return " ".join(text.split())


def block_of(position: int) -> tuple[int, int]:
    """Return the number of a position's block, and the first position of that block."""
    block = position // BLOCK_POSITIONS
    return block, block * BLOCK_POSITIONS


class Group(msgspec.Struct, frozen=True, gc=False):
    """Common properties of facts that are summed together."""

    more: int
    """1 if they become effective, -1 if they stop being effective."""
    block: int
    kind: str
    publishers: tuple[str, ...]
    public_on: date
    edition: str
    edition_version: str


class FactSums(Struct, frozen=True):
    """The sums of the facts of a page, counted group by group at the end."""

    groups: dict[Group, list[Series | None]] = field(default_factory=lambda: defaultdict(list))
    """The series of each fact, None if it is not a claim."""

    def add(self, entity: str, rows: Sequence[FactRow], closed: Sequence[ClosedFact]) -> None:
        """Add the facts of an entity that become or stop being effective."""
        kind = entity.partition("/")[0]
        for row in rows:
            self._add(kind, row.known, row.since, 1)
            if row.until is not None:
                self._add(kind, row.known, row.until, -1)
        for ended in closed:
            self._add(kind, ended.known, ended.at, -1)

    def _add(self, kind: str, known: RecordedFact, position: int, more: int) -> None:
        fact, block = known.fact, position // BLOCK_POSITIONS
        edition, version, series = "", "", None
        if isinstance(fact, Claimed):
            edition, version, series = fact.edition, fact.edition_version or "", fact.series
        group = Group(more, block, kind, fact.cited_publishers, fact.public_on, edition, version)
        self.groups[group].append(series)

    def lines(self) -> list[str]:
        """Return the sums as sorted lines, with columns in the order of `add_sums`.

        The fixed order prevents deadlocks between processes.
        """
        sums = Counter[str]()
        for group, of in self.groups.items():
            common = "\t".join(
                [
                    f"{group.block}\t{group.kind}",
                    " ".join(group.publishers),
                    one_line(group.edition),
                    one_line(group.edition_version),
                    group.public_on.isoformat(),
                ]
            )
            for word, number in _words(of):
                sums[f"{common}\t{word}"] += group.more * number
        return [f"{key}\t{facts}" for key, facts in sorted(sums.items()) if facts]


def _words(of: Sequence[Series | None]) -> Iterator[tuple[str, int]]:
    """Yield the number of facts, and the subjects of claims."""
    yield "\t", len(of)
    series = [one for one in of if one is not None]
    for facet, name in FACETS.items():
        for word, number in Counter(map(attrgetter(name), series)).items():
            if word is not None:
                yield f"{facet}\t{word}", number
