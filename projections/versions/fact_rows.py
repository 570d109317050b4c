"""Rows of facts: the positions at which each counts and its first day; and their sums by block. Pure.

A sum is the net change of the number of facts in a block of positions. The number of facts at a position
follows from the sums of the blocks before it and from the facts that begin to count, or end, in its own
block, without a look at each of them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from operator import attrgetter

import msgspec

from projections.fold.effective_facts import ClosedFact, FactRow
from projections.fold.timeline import EntityFold
from projections.lru_cache import SizedLruCache
from projections.versions.rows import NULL, OPEN_POSITION, Line
from tracker.domain.entity import RecordedFact
from tracker.domain.figure_facts import Claimed, Series
from tracker.domain.registry import entity_type

MAX_CACHE_BYTES = 64 * 1024 * 1024
"""About how much memory the folds of a projector may take."""
MEMORY_BYTES_PER_JSON_BYTE = 6
"""Bytes in memory for one of an entry or of a state as JSON: these, and what is made of them."""
MEMORY_BYTES_PER_PLAIN_BYTE = 2
"""The same of entities whose states do not grow with their facts, such as watched sources."""


class FoldCache:
    """The entities that were folded last, so that their events need not be read again.

    A fold is given out once: after more facts it is another one. A fold with facts whose rows were
    then not written, because of a crash or because another projector came first, is of no use any
    more. Nothing is kept when the database was lost, which may come back in an older state and
    then go on otherwise.
    """

    def __init__(self, max_bytes: int = MAX_CACHE_BYTES) -> None:
        self._folds: SizedLruCache[str, EntityFold] = SizedLruCache(max_bytes)

    def take(self, stream: str, version: int) -> EntityFold:
        """Remove and return the fold of an entity at a version at most: an empty one if there is
        none."""
        fold = self._folds.take(stream)
        return fold if fold and fold.version <= version else EntityFold(stream)

    def put(self, stream: str, fold: EntityFold) -> None:
        """Keep the fold of an entity."""
        plain = entity_type(stream).RECENT_EVENTS is not None
        each = MEMORY_BYTES_PER_PLAIN_BYTE if plain else MEMORY_BYTES_PER_JSON_BYTE
        self._folds.put(stream, fold, each * (fold.size + fold.written))

    def clear(self) -> None:
        """Forget all."""
        self._folds.clear()


BLOCK_POSITIONS = 10_000
FACETS = {"commodity": "commodity", "place": "place", "statistic": "statistic", "year": "period"}
"""The facets by which claims are counted, with their names in a series."""


def fact_lines(entity: str, rows: Iterable[FactRow]) -> list[Line]:
    """The rows of facts of an entity, each a line, its columns in the order of `add_facts`."""
    kind = entity.partition("/")[0]
    return [_line(entity, kind, row) for row in rows]


def _line(entity: str, kind: str, row: FactRow) -> Line:
    known, fact = row.known, row.known.fact
    publishers = " ".join(fact.cited_publishers)
    edition = version = NULL
    if isinstance(fact, Claimed):
        edition = one_line(fact.edition)
        version = NULL if fact.edition_version is None else one_line(fact.edition_version)
    return (
        f"{known.position}\t{entity}\t{kind}\t{known.type}\t{publishers}\t{edition}\t{version}"
        f"\t{fact.public_on.isoformat()}\t{row.since}\t{row.until or OPEN_POSITION}"
    )


def one_line(text: str) -> str:
    """A text as it stands in a column of a line."""
    return " ".join(text.split())


def block_of(position: int) -> tuple[int, int]:
    """The number of the block that a position lies in, and the first position of that."""
    block = position // BLOCK_POSITIONS
    return block, block * BLOCK_POSITIONS


class Group(msgspec.Struct, frozen=True, gc=False):
    """The common properties of facts that are summed together."""

    more: int
    """1 where they begin to count, -1 where they do no more."""
    block: int
    kind: str
    publishers: tuple[str, ...]
    public_on: date
    edition: str
    edition_version: str


@dataclass(frozen=True, slots=True)
class FactSums:
    """The sums of the facts of a page: they are counted in the end, group by group."""

    groups: dict[Group, list[Series | None]] = field(default_factory=lambda: defaultdict(list))
    """The series of each fact, None where it is no claim."""

    def add(self, entity: str, rows: Sequence[FactRow], closed: Sequence[ClosedFact]) -> None:
        """Add the facts of an entity that begin to count, and those that do no more."""
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
        """The sums as lines, their columns in the order of `add_sums`, always in the same order: so
        processes never wait for each other."""
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
    """The number of facts, and the subjects of claims."""
    yield "\t", len(of)
    series = [one for one in of if one is not None]
    for facet, name in FACETS.items():
        for word, number in Counter(map(attrgetter(name), series)).items():
            if word is not None:
                yield f"{facet}\t{word}", number
