"""The queue of candidates for reading: pages, counts, single candidates, past actions."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct

from tracker.errors import NotFound
from tracker.postgres.database import Pool, named_queries
from tracker.review.candidate import (
    Action,
    Candidate,
    CandidateKind,
    CandidateState,
    Decision,
    candidate_of,
)
from tracker.review.search_words import search_query

SQL = named_queries(Path(__file__).with_name("candidates.sql"))
COLUMNS = ", ".join(f"c.{field}" for field in Candidate.__struct_fields__)
BY_IDS: str = SQL.by_ids.replace("{columns}", COLUMNS)
MAX_ID = 2**63 - 1
NO_DAY = date(1000, 1, 1)
"""Sort value of an unknown day."""

Key: TypeAlias = tuple[date | int, ...]
"""The sort key of a candidate in an order."""


class CandidateOrder(Enum):
    """An order of the queue: its sort column, and whether it is descending."""

    OLDEST_FOUND = "found", False
    NEWEST_FOUND = "found", True
    OLDEST_PUBLISHED = "published", False
    NEWEST_PUBLISHED = "published", True

    def key(self, candidate: Candidate) -> Key:
        """Return the sort key of a candidate in this order. Candidates without a day count as the oldest."""
        by, _ = self.value
        day = candidate.published_on or NO_DAY
        return (candidate.id,) if by == "found" else (day, candidate.id)

    def check_key(self, key: Key) -> None:
        """Raise ValueError for an invalid sort key of this order."""
        if len(key) != (1 if self.value[0] == "found" else 2):
            raise ValueError


class CandidateFilter(Struct, frozen=True):
    """Filters of a list of candidates; None does not filter.

    `commodities` matches any of these; `assigned_to` is a name, or empty for unassigned candidates.
    """

    state: CandidateState | None = None
    source: str | None = None
    kind: CandidateKind | None = None
    commodities: Sequence[str] | None = None
    issuer: str | None = None
    assigned_to: str | None = None
    search: str | None = None

    def conditions(self) -> Iterator[tuple[str, Any]]:
        """Return the names of the conditions in candidates.sql with their arguments; `of_pending` has
        none."""
        if self.state is not None and self.state is not CandidateState.PENDING:
            yield SQL.of_state, self.state.value
        if self.source is not None:
            yield SQL.of_source, self.source
        if self.kind is not None:
            yield SQL.of_kind, self.kind.value
        if self.commodities is not None:
            yield SQL.of_commodities, list(self.commodities)
        if self.issuer is not None:
            yield SQL.of_issuer, self.issuer
        if self.assigned_to:
            yield SQL.of_person, self.assigned_to
        if self.search is not None and (query := search_query(self.search)):
            yield SQL.of_words, query


EVERYTHING = CandidateFilter()


class Span(Struct, frozen=True):
    """A part of a list: between two keys, including them if it is `closed`; a maximum number from its
    beginning or `from_end`."""

    after: Key | None = None
    before: Key | None = None
    limit: int = 1
    from_end: bool = False
    closed: bool = False


class Candidates:
    """The candidates of one database."""

    def __init__(self, pool: Pool):
        self._pool = pool

    async def page(
        self, narrowed: CandidateFilter, order: CandidateOrder, span: Span
    ) -> list[Candidate]:
        """Return the candidates in a part of a list, in order."""
        statement, arguments = page_statement(narrowed, order, span)
        rows = await self._pool.fetch(statement, *arguments)
        candidates = [candidate_of(row) for row in rows]
        return candidates[::-1] if span.from_end else candidates

    async def count(self, narrowed: CandidateFilter) -> int:
        """Return the number of candidates in a list."""
        statement, arguments = count_statement(narrowed)
        return int(await self._pool.fetchval(statement, *arguments))

    async def counts(self, narrowed: CandidateFilter = EVERYTHING) -> dict[CandidateState, int]:
        """Return the number of candidates in a list by state."""
        conditions, arguments = _conditions(narrowed)
        statement = SQL.counts.replace("{conditions}", conditions)
        rows = await self._pool.fetch(statement, *arguments)
        counts = {CandidateState(row["state"]): row["count"] for row in rows}
        return {state: counts.get(state, 0) for state in CandidateState}

    async def get(self, id: int) -> Candidate:
        """Return a candidate. Raises NotFound."""
        candidates = await self.get_all([id])
        if id not in candidates:
            raise not_found(id)
        return candidates[id]

    async def get_all(self, ids: Collection[int]) -> dict[int, Candidate]:
        """Return the existing candidates with some ids."""
        valid = [id for id in ids if 0 < id <= MAX_ID]
        return {row["id"]: candidate_of(row) for row in await self._pool.fetch(BY_IDS, valid)}

    async def decisions(self, ids: Collection[int]) -> dict[int, list[Decision]]:
        """Return the past actions on some candidates, newest first."""
        by_candidate: dict[int, list[Decision]] = {id: [] for id in ids}
        for row in await self._pool.fetch(SQL.decisions, list(by_candidate)):
            decision = Decision(**{**row, "action": Action(row["action"])})
            by_candidate[decision.candidate].append(decision)
        return by_candidate

    async def sources(self) -> list[str]:
        """Return the keys of the sources that have candidates."""
        return [row["source"] for row in await self._pool.fetch(SQL.sources)]


def not_found(id: int) -> NotFound:
    """Return the error for an unknown id."""
    return NotFound(f"There is no candidate {id}", path=("id",))


def page_statement(
    narrowed: CandidateFilter, order: CandidateOrder, span: Span
) -> tuple[str, list[Any]]:
    """Return the statement for a part of a list, with its arguments."""
    conditions, arguments = _conditions(narrowed)
    by, down = order.value
    columns: str = getattr(SQL, by)
    all_conditions = [conditions]
    for key, forward in ((span.after, not down), (span.before, down)):
        if key is not None:
            sign = (">" if forward else "<") + ("=" if span.closed else "")
            places = [f"${len(arguments) + 1 + at}" for at in range(len(key))]
            all_conditions.append(f"{columns} {sign} ({', '.join(places)})")
            arguments += key
    direction = "DESC" if down is not span.from_end else "ASC"
    ordering = ", ".join(f"{part} {direction}" for part in _parts(columns))
    return (
        SQL.page.replace("{columns}", COLUMNS)
        .replace("{conditions}", " AND ".join(all_conditions))
        .replace("{order}", ordering)
        .replace("{limit}", f"${len(arguments) + 1}"),
        [*arguments, span.limit],
    )


def count_statement(narrowed: CandidateFilter) -> tuple[str, list[Any]]:
    """Return the statement for the size of a list, with its arguments."""
    conditions, arguments = _conditions(narrowed)
    return SQL.count.replace("{conditions}", conditions), arguments


def _conditions(narrowed: CandidateFilter) -> tuple[str, list[Any]]:
    parts, arguments = ["true"], []
    for part, argument in narrowed.conditions():
        arguments.append(argument)
        parts.append(part.replace("{}", f"${len(arguments)}"))
    if narrowed.state is CandidateState.PENDING:
        parts.append(SQL.of_pending)
    if narrowed.assigned_to == "":
        parts.append(SQL.unassigned)
    return " AND ".join(parts), arguments


def _parts(columns: str) -> list[str]:
    """Return the columns of a sort key; the last one is `c.id`."""
    first = columns.removeprefix("(").removesuffix("c.id)").rstrip(", ")
    return [first, "c.id"] if first else ["c.id"]
