"""Lists of what holds at a moment: narrowed, in an order, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

import asyncpg

from projections.moments import Moment, S, kind_name
from projections.rows import pairs
from projections.texts import sought
from tracker.domain.codec import decode
from tracker.domain.figure import Claim, FigureState
from tracker.log.database import Pool, named_queries

SQL = named_queries(Path(__file__).with_name("lists.sql"))
HELD = named_queries(Path(__file__).with_name("as_of.sql")).held
GIVEN = 19
"""How many arguments a page has before its bounds."""

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
            return pairs(self.commodities, self.places)
        if self.commodities and self.period and self.period[0] == self.period[1]:
            return pairs(self.commodities, [self.period[0]])
        return [*(self.commodities or self.places or self.publishers or [""])]

    def asked(self, kind: type[Any], moment: Moment) -> tuple[Any, ...]:
        """The arguments of a question for the list."""
        return (
            kind_name(kind), moment.valid_at, moment.position, self.words, self.commodities,
            self.places, self.publishers, self.category, self.measure, self.destination,
            self.status, ranged(self.in_force), ranged(self.dated), ranged(self.published),
            ranged(self.period), self.stage, sought(self.search) if self.search else None,
            self.verified)


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
class Span:
    """A part of a list: what lies behind one key and before another, at most `limit` of it.

    They are the first or, `from_end`, the last. `closed`: the items of the keys belong to it too.
    """

    after: Key | None = None
    before: Key | None = None
    limit: int | None = None
    from_end: bool = False
    closed: bool = False


WHOLE = Span()


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """An item of a list, with its place in the order."""

    key: Key
    item: T


class Lists:
    """Answers what is in a list, from the version rows."""

    def __init__(self, pool: Pool):
        self._pool = pool

    async def page(
        self, kind: type[S], moment: Moment, filter: Filter = EVERYTHING, order: Order = BY_NAME,
        span: Span = WHOLE,
    ) -> list[Found[S]]:
        """The states of a kind that lie in a span of an order."""
        rows = await self._rows(SQL.page, ("subject.entity",), kind, moment, filter, order, span)
        return [Found(_key(order, row["key"], row["entity"]), decode(kind, row["state"]))
                for row in rows]

    async def count(self, kind: type[S], moment: Moment, filter: Filter = EVERYTHING) -> int:
        """How many states the whole list has."""
        return await self._count(SQL.count, kind, moment, filter)

    async def claims(
        self, moment: Moment, filter: Filter = EVERYTHING, order: Order = BY_NAME,
        span: Span = WHOLE,
    ) -> list[Found[tuple[FigureState, Claim]]]:
        """The claims in figures that lie in a span of an order; by figure and position, where the
        rest is equal."""
        names = ("subject.entity", "claim.position")
        rows = await self._rows(SQL.claims_page, names, FigureState, moment, filter, order, span)
        once = {row["entity"]: row["state"] for row in rows}
        states = {entity: decode(FigureState, state) for entity, state in once.items()}
        return [Found(_key(order, row["key"], row["entity"], row["position"]),
                      _claim(states[row["entity"]], row["position"])) for row in rows]

    async def count_claims(self, moment: Moment, filter: Filter = EVERYTHING) -> int:
        """How many claims the whole list has."""
        return await self._count(SQL.claims_count, FigureState, moment, filter)

    async def _rows(
        self, page: str, names: tuple[str, ...], kind: type[Any], moment: Moment, filter: Filter,
        order: Order, span: Span,
    ) -> list[asyncpg.Record]:
        query = ordered(_listing(page, filter), names, order, span)
        bounds = (*(span.after or ()), *(span.before or ()))
        rows = await self._pool.fetch(query, *filter.asked(kind, moment), span.limit, *bounds)
        return rows[::-1] if span.from_end else rows

    async def _count(self, query: str, kind: type[Any], moment: Moment, filter: Filter) -> int:
        return int(await self._pool.fetchval(_listing(query, filter), *filter.asked(kind, moment)))


def part(found: Sequence[Found[T]], span: Span, down: bool = False) -> Sequence[Found[T]]:
    """The span of a list that is all there, in its order."""
    def behind(key: Key, bound: Key) -> bool:
        return (key < bound if down else key > bound) or (span.closed and key == bound)

    within = [of for of in found
              if (span.after is None or behind(of.key, span.after))
              and (span.before is None or behind(span.before, of.key))]
    if span.limit is None:
        return within
    return within[max(len(within) - span.limit, 0):] if span.from_end else within[:span.limit]


def over(entities: str, query: str) -> str:
    """A query over the states of some entities at a moment."""
    return query.replace("{held}", HELD.replace("{about}", entities))


def ordered(
    page: str, names: tuple[str, ...], order: Order, span: Span, given: int = GIVEN
) -> str:
    """A query for a span of a list in an order. What comes last of it is asked for backwards.

    The arguments of the bounds come behind those that are `given`.
    """
    columns = names if order.by.value is None else (order.by.value, *names)
    first, second = ("<", ">") if order.down else (">", "<")
    behind = _bound(columns, first, span, given + 1) if span.after else ""
    ahead = _bound(columns, second, span, given + 1 + len(span.after or ())) if span.before else ""
    way = "DESC" if order.down != span.from_end else "ASC"
    return (page.replace("{key}", order.by.value or "NULL")
            .replace("{bounds}", f"{behind}\n  {ahead}")
            .replace("{order}", ", ".join(f"{column} {way}" for column in columns)))


def _bound(columns: tuple[str, ...], sign: str, span: Span, mark: int) -> str:
    """Where a span ends on one side. The first column is told apart too: an index knows it."""
    marks = [f"${mark + at}::{_type(column)}" for at, column in enumerate(columns)]
    return (f"AND {columns[0]} {sign}= {marks[0]}\n"
            f"  AND ({', '.join(columns)}) {sign}{'=' * span.closed} ({', '.join(marks)})")


def _type(column: str) -> str:
    return "bigint" if column == "claim.position" else "text"


def _listing(query: str, filter: Filter) -> str:
    """A query over the entities that a filter is about."""
    about = SQL.about_one if len(filter.words) == 1 else SQL.about_any
    return _filled(SQL.about_text if filter.search else about, query)


@cache
def _filled(about: str, query: str) -> str:
    whole = over(about, query)
    for name in ("matching", "matching_claims", "verified", "said", "sought"):
        whole = whole.replace(f"{{{name}}}", getattr(SQL, name))
    return whole


def ranged(given: tuple[Any, Any] | None) -> asyncpg.Range[Any] | None:
    """A range from the first to the last, both inclusive."""
    if given is None:
        return None
    return asyncpg.Range(*given, lower_inc=given[0] is not None, upper_inc=given[1] is not None)


def _key(order: Order, key: str | None, entity: str, *position: int) -> Key:
    name: Key = (entity, *position)
    return name if order.by.value is None else (key or "", *name)


def _claim(figure: FigureState, position: int) -> tuple[FigureState, Claim]:
    return figure, next(claim for claim in figure.claims if claim.position == position)
