"""Lists of what holds at a moment: narrowed, in an order, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import asyncpg

from projections.query.moment import Moment, S, kind_name
from projections.query.state_cache import NAMED, StateCache
from projections.versions.progress import ProgressTracker
from projections.versions.rows import compound_keys
from projections.versions.search_text import to_tsquery
from tracker.domain.figure import FigureState
from tracker.postgres.database import Pool, named_queries

SQL = named_queries(Path(__file__).with_name("lists.sql"))
AS_OF = named_queries(Path(__file__).with_name("as_of.sql"))


def version_at(entity: str, day: str, position: str) -> str:
    """The query for the version of an entity that holds on a day, as told at a position."""
    query: str = AS_OF.version
    for name, value in (("entity", entity), ("day", day), ("position", position)):
        query = query.replace(f"{{{name}}}", value)
    return query


def whole_state(version: str = "version") -> str:
    """What gives the whole state of a version that a query calls so."""
    return _of_version(AS_OF.whole_state, version)


def whole_sources(version: str = "version") -> str:
    """What gives all of its sources."""
    return _of_version(AS_OF.whole_sources, version)


def _of_version(part: str, version: str) -> str:
    return part.replace("{elements}", AS_OF.elements).replace("{version}", version)


HELD = AS_OF.held.replace("{version}", version_at("subject.entity", "$2::date", "$3::bigint"))
MOST_QUERIES = 1000
"""Queries that are kept, for lists that are narrowed and ordered in as many ways."""

FIXED = 4
"""How many arguments a question for a list has before those that narrow it."""

T = TypeVar("T")
Days: TypeAlias = tuple[date | None, date | None]
"""The first and the last day of a time; None: it is open there."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list of entities is narrowed to; None does not narrow.

    `publishers` and `published` are those of any fact behind a state, and for claims of the claim
    itself; `verified` is whether all of them were looked at. `category` is the direction of a
    control, the kind of an announcement, the statistic of a figure, the status of an alliance, the
    reader of an import. `dated` is when it was announced, made or founded. A date of which only
    the month or the year is known is in a time if one of its days is. `measure`, `destination`,
    `status`, `in_force` and `commodities` together must hold of one clause. `period` are years.
    """

    commodities: Sequence[str] | None = None
    places: Sequence[str] | None = None
    publishers: Sequence[str] | None = None
    category: str | None = None
    measure: str | None = None
    destination: str | None = None
    status: str | None = None
    in_force: Days | None = None
    dated: Days | None = None
    published: Days | None = None
    period: tuple[int | None, int | None] | None = None
    stage: str | None = None
    search: str | None = None
    verified: bool | None = None
    about: Sequence[str] | None = None
    """Words under which the entities are found, where they are not among the rest."""

    @property
    def words(self) -> list[str]:
        """Words under which the entities of the list are found, the fewest that it allows."""
        if self.about is not None:
            return [*self.about]
        if self.commodities and self.places:
            return compound_keys(self.commodities, self.places)
        if self.commodities and self.period and self.period[0] == self.period[1]:
            return compound_keys(self.commodities, [self.period[0]])
        return [*(self.commodities or self.places or self.publishers or [""])]

    def given(self) -> dict[str, Any]:
        """What narrows, by name, as the database takes it."""
        found = ((name, getattr(self, name)) for name in NARROWING)
        return {
            name: TAKEN[name](value) if name in TAKEN else value
            for name, value in found
            if value is not None
        }


def ranged(given: tuple[Any, Any] | None) -> asyncpg.Range[Any] | None:
    """A range from the first to the last, both inclusive."""
    if given is None:
        return None
    return asyncpg.Range(*given, lower_inc=given[0] is not None, upper_inc=given[1] is not None)


NARROWING: Sequence[str] = tuple(field.name for field in fields(Filter) if field.name != "about")
TAKEN: dict[str, Callable[[Any], Any]] = {
    "in_force": ranged,
    "dated": ranged,
    "published": ranged,
    "period": ranged,
    "search": to_tsquery,
}
OF_CLAUSES = ("measure", "destination", "status", "in_force")
OF_CLAIMS = ("publishers", "published", "verified")
PARTS = {"position": "bigint", "publisher": "text", "published": "daterange", "verified": "boolean"}
"""What claims can be asked for, and its types."""
EVERYTHING = Filter()


class By(Enum):
    """What a list is ordered by, before the names of its entities."""

    NAME = None
    TITLE = SQL.by_title
    DATE = SQL.by_date
    PERIOD = SQL.by_period
    PUBLICATION = SQL.by_publication


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a list. Names, which no two share, decide where the rest is equal."""

    by: By = By.NAME
    down: bool = False


BY_NAME = Order()
Key: TypeAlias = tuple[str | int, ...]
"""The place of an item in an order: what it is ordered by, its name, and, of a claim, the position.
"""


@dataclass(frozen=True, slots=True)
class Shape:
    """What the query for a span depends on."""

    after: int
    """How many parts the key has, 0 for none."""
    before: int
    from_end: bool
    closed: bool


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a list: what lies behind one key and before another, at most `limit` of it.

    They are the first or, `from_end`, the last. `closed`: the items of the keys belong to it too.
    """

    after: Key | None = None
    before: Key | None = None
    limit: int | None = None
    from_end: bool = False
    closed: bool = False

    @property
    def shape(self) -> Shape:
        """What its query depends on."""
        return Shape(len(self.after or ()), len(self.before or ()), self.from_end, self.closed)

    @property
    def bounds(self) -> Key:
        """The arguments of its query."""
        return *(self.after or ()), *(self.before or ())


WHOLE = Span()


Found: TypeAlias = tuple[Key, T]
"""An item of a list, behind its place in the order."""

PAGE_OF_STATES = SQL.page, ("subject.entity",)
PAGE_OF_CLAIMS = SQL.claims_page, ("subject.entity", "claim.position")
"""A query for a page, and the columns by which its items are told apart."""


class Lists:
    """Answers what is in a list, from the version rows."""

    def __init__(self, pool: Pool, tracked: ProgressTracker | None = None):
        self._pool = pool
        self.states = StateCache(tracked)

    async def page(
        self,
        kind: type[S],
        moment: Moment,
        filter: Filter = EVERYTHING,
        order: Order = BY_NAME,
        span: Span = WHOLE,
    ) -> list[Found[S]]:
        """The states of a kind that lie in a span of an order."""
        return await self._found(PAGE_OF_STATES, kind, moment, filter, order, span)

    async def count(self, kind: type[S], moment: Moment, filter: Filter = EVERYTHING) -> int:
        """How many states the whole list has."""
        return await self._count(SQL.count, kind, moment, filter)

    async def claims(
        self,
        moment: Moment,
        filter: Filter = EVERYTHING,
        order: Order = BY_NAME,
        span: Span = WHOLE,
    ) -> list[Found[FigureState]]:
        """The claims in figures that lie in a span of an order; by figure and position, where the
        rest is equal. Each is told by its figure, and by its position: the last part of its key.
        """
        return await self._found(PAGE_OF_CLAIMS, FigureState, moment, filter, order, span)

    async def count_claims(self, moment: Moment, filter: Filter = EVERYTHING) -> int:
        """How many claims the whole list has."""
        return await self._count(SQL.claims_count, FigureState, moment, filter)

    async def _found(
        self,
        page: tuple[str, tuple[str, ...]],
        kind: type[S],
        moment: Moment,
        filter: Filter,
        order: Order,
        span: Span,
    ) -> list[Found[S]]:
        given: dict[str, Any] = filter.given()
        asked = (*_asked(kind, moment, filter, given), span.limit, *span.bounds)

        async def fetch(state: str) -> Sequence[asyncpg.Record]:
            query = _page(page, state, _about(kind, filter), tuple(given), order, span.shape)
            return await self._pool.fetch(query, *asked)

        rows, states = await self.states.read(kind, fetch)
        found = _placed(rows, states, order, len(page[1]))
        return found[::-1] if span.from_end else found

    async def _count(self, query: str, kind: type[Any], moment: Moment, filter: Filter) -> int:
        given = filter.given()
        query = _with_parts(_listing(query, _about(kind, filter), tuple(given)))
        return int(await self._pool.fetchval(query, *_asked(kind, moment, filter, given)))


def _placed(
    rows: Sequence[asyncpg.Record], states: Sequence[T], order: Order, names: int
) -> list[Found[T]]:
    """States with their places in an order. Their names are in columns beside each other: the
    entity is the last of those by which a row is told."""
    own = slice(2, 2 + names)
    if order.by is By.NAME:
        return [(row[own], state) for row, state in zip(rows, states, strict=True)]
    return [((row["key"], *row[own]), state) for row, state in zip(rows, states, strict=True)]


def part(found: Sequence[Found[T]], span: Span, down: bool = False) -> Sequence[Found[T]]:
    """The span of a list that is all there, in its order."""

    def behind(key: Key, bound: Key) -> bool:
        return (key < bound if down else key > bound) or (span.closed and key == bound)

    within = [
        (key, item)
        for key, item in found
        if (span.after is None or behind(key, span.after))
        and (span.before is None or behind(span.before, key))
    ]
    if span.limit is None:
        return within
    return within[max(len(within) - span.limit, 0) :] if span.from_end else within[: span.limit]


def over(entities: str, query: str) -> str:
    """A query over the states of some entities at a moment."""
    return (
        query.replace("{held}", HELD.replace("{about}", entities))
        .replace("{whole}", whole_state())
        .replace("{sources}", whole_sources())
    )


def ordered(page: str, names: tuple[str, ...], order: Order, shape: Shape, given: int) -> str:
    """A query for a span of a list in an order. What comes last of it is asked for backwards.

    The arguments of the bounds come behind those that are `given`.
    """
    columns = names if order.by.value is None else (order.by.value, *names)
    first, second = ("<", ">") if order.down else (">", "<")
    behind = _bound(columns, first, shape, given + 1) if shape.after else ""
    ahead = _bound(columns, second, shape, given + 1 + shape.after) if shape.before else ""
    way = "DESC" if order.down != shape.from_end else "ASC"
    return page.replace("{bounds}", f"{behind}\n  {ahead}").replace(
        "{order}", ", ".join(f"{column} {way}" for column in columns)
    )


def _bound(columns: tuple[str, ...], sign: str, shape: Shape, mark: int) -> str:
    """Where a span ends on one side. The first column is told apart too: an index knows it."""
    marks = [f"${mark + at}::{_type(column)}" for at, column in enumerate(columns)]
    return (
        f"AND {columns[0]} {sign}= {marks[0]}\n"
        f"  AND ({', '.join(columns)}) {sign}{'=' * shape.closed} ({', '.join(marks)})"
    )


def _type(column: str) -> str:
    return "bigint" if column == "claim.position" else "text"


def _about(kind: type[Any], filter: Filter) -> str:
    """The name of the query for the entities that a filter is about."""
    if filter.search:
        return "about_text"
    if names := _names(kind, filter):
        return "about_name" if len(names) == 1 else "about_names"
    return "about_one" if len(filter.words) == 1 else "about_any"


def _names(kind: type[Any], filter: Filter) -> list[str]:
    """How the names of the figures of a list begin, if that finds them: with what they are of, and
    where. Those of one year have a word of their own."""
    one_year = filter.period and filter.period[0] == filter.period[1] and not filter.places
    if kind is not FigureState or filter.about is not None or not filter.commodities or one_year:
        return []
    return figures_of(filter.commodities, filter.places or [])


def figures_of(commodities: Iterable[str], places: Iterable[str] = ()) -> list[str]:
    """How the names of the figures of some commodities begin, at some places if given."""
    of = [f"{kind_name(FigureState)}/{commodity}/" for commodity in dict.fromkeys(commodities)]
    at = [f"{place}/" for place in dict.fromkeys(places)] or [""]
    return [one + place for one in of for place in at]


def _asked(
    kind: type[Any], moment: Moment, filter: Filter, given: Mapping[str, Any]
) -> tuple[Any, ...]:
    """The arguments of a question for a list; `FIXED`, and what is given."""
    found_by = _names(kind, filter) or filter.words
    return kind_name(kind), moment.valid_at, moment.position, found_by, *given.values()


@lru_cache(MOST_QUERIES)
def _page(
    page: tuple[str, tuple[str, ...]],
    state: str,
    about: str,
    given: tuple[str, ...],
    order: Order,
    shape: Shape,
) -> str:
    """A query for a page of a list; its limit comes behind what is given, and then its bounds."""
    query, names = page
    limit = FIXED + len(given) + 1
    key = f", {order.by.value} AS key" if order.by.value else ""
    for name, part in (("named", NAMED), ("key", key), ("state", state), ("limit", f"${limit}")):
        query = query.replace(f"{{{name}}}", part)
    return _with_parts(ordered(_listing(query, about, given), names, order, shape, limit))


@lru_cache(MOST_QUERIES)
def _listing(query: str, about: str, given: tuple[str, ...]) -> str:
    """A query over the entities that a filter is about, with the conditions that are given."""
    of_claims = "{claims}" in query
    query = query.replace("{claims}", SQL.claims)
    query = query.replace("{matching}", "\n  AND ".join(_conditions(given, of_claims)) or "true")
    query = over(getattr(SQL, about), query)
    for name in ("said", "sought"):
        query = query.replace(f"{{{name}}}", getattr(SQL, name))
    for number, name in enumerate(given, FIXED + 1):
        query = query.replace(f"{{{name}}}", f"${number}")
    return query


def _with_parts(query: str) -> str:
    """The same, where no more of claims is read than the query speaks of."""
    parts = [f"{name} {type_}" for name, type_ in PARTS.items() if f"claim.{name}" in query]
    return query.replace("{parts}", ", ".join(parts or ["position bigint"]))


def _conditions(given: tuple[str, ...], of_claims: bool) -> list[str]:
    """What is asked of the versions in a list, and of the clauses or claims in them."""
    apart = {*OF_CLAUSES, *(("verified",) if of_claims else ())}
    found = [getattr(SQL, name) for name in given if name not in apart]
    if of_clauses := [getattr(SQL, name) for name in given if name in OF_CLAUSES]:
        goods = [SQL.clause_commodities] if "commodities" in given else []
        found.append(SQL.clause.replace("{conditions}", "\n      AND ".join(goods + of_clauses)))
    if of_claims:
        found += [
            SQL.claim,
            *(getattr(SQL, f"claim_{name}") for name in given if name in OF_CLAIMS),
        ]
    return found
