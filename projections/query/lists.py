"""Lists of states at a moment: filtered, ordered and paginated."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import MAXYEAR, date
from typing import Any, TypeAlias, TypeVar

import asyncpg

from projections.query.early_days import EarlyDays
from projections.query.figure_claims import FigureClaims
from projections.query.list_statements import (
    BY_NAME,
    Bounds,
    ListShape,
    Ordering,
    SortKey,
    count_statement,
    page_statement,
    series_statement,
)
from projections.query.moment import Moment, MomentSeries, S, kind_name
from projections.query.state_cache import NAMED, StateCache
from projections.runner.progress import ProgressTracker
from projections.versions.rows import compound_keys
from projections.words import to_tsquery
from tracker.domain.basics.vocabulary import EvidenceLevel
from tracker.domain.figures.figure import FigureState
from tracker.postgres.database import Pool

T = TypeVar("T")
Days: TypeAlias = tuple[date | None, date | None]
"""First and last day of a range; None is an open end."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter of a list of entities; None does not filter.

    `publishers` and `published` apply to any fact behind a state, and for claims to the claim itself.
    `primary`, `verified` and `level` require that each fact has a source of that quality, or a better
    one; `checked` is a method by which one source was checked. `category` is the direction of a control,
    the kind of an announcement, the statistic of a figure, the status of an alliance, or the reader of an
    import. `dated` is the day of announcement or foundation. A date with only a month or year is in a
    range if one of its days is. `measure`, `status`, `in_force` and `commodities` must match in one
    clause. `period` is a range of years. `disputed` controls have accounts of other sources beside them.
    """

    commodities: Sequence[str] | None = None
    places: Sequence[str] | None = None
    publishers: Sequence[str] | None = None
    category: str | None = None
    measure: str | None = None
    status: str | None = None
    in_force: Days | None = None
    dated: Days | None = None
    published: Days | None = None
    period: tuple[int | None, int | None] | None = None
    stage: str | None = None
    search: str | None = None
    verified: bool | None = None
    level: str | None = None
    primary: bool | None = None
    checked: str | None = None
    disputed: bool | None = None
    about: Sequence[str] | None = None
    """Index words of the entities, if they do not follow from the other fields."""

    @property
    def words(self) -> list[str]:
        """The smallest set of index words that finds the entities."""
        if self.about is not None:
            return [*self.about]
        if self.commodities and self.places:
            return compound_keys(self.commodities, self.places)
        if self.commodities and self.period and self.period[0] == self.period[1]:
            return compound_keys(self.commodities, [self.period[0]])
        return [*(self.commodities or self.places or self.publishers or [""])]

    @property
    def narrows(self) -> bool:
        """Whether every page of the list has few of the entities of its kind."""
        return self.search is not None or self.words != [""]

    @property
    def key(self) -> tuple[Any, ...]:
        """The lookup key of the filter."""
        values = (getattr(self, name) for name in (*FILTER_FIELDS, "about"))
        return tuple([tuple(value) if isinstance(value, list) else value for value in values])

    def given(self) -> dict[str, Any]:
        """Return the values that filter, by name, as database arguments."""
        values = ((name, getattr(self, name)) for name in FILTER_FIELDS)
        return {
            name: ARGUMENT_CONVERTERS[name](value) if name in ARGUMENT_CONVERTERS else value
            for name, value in values
            if value is not None
        }


def to_range(given: tuple[Any, Any] | None) -> asyncpg.Range[Any] | None:
    """Convert to a range with both ends inclusive."""
    if given is None:
        return None
    return asyncpg.Range(*given, lower_inc=given[0] is not None, upper_inc=given[1] is not None)


def to_years(given: tuple[int | None, int | None] | None) -> asyncpg.Range[Any] | None:
    """Convert to a range of years, both inclusive.

    A last year after the calendar becomes an open end, because PostgreSQL has no integer after the
    greatest one.
    """
    if given is None:
        return None
    first, last = given
    return to_range((first, None if last is None or last > MAXYEAR else last))


FILTER_FIELDS: Sequence[str] = tuple(
    field.name for field in fields(Filter) if field.name != "about"
)
ARGUMENT_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "in_force": to_range,
    "dated": to_range,
    "published": to_range,
    "period": to_years,
    "search": to_tsquery,
    "level": lambda word: EvidenceLevel(word).rank,
}
EVERYTHING = Filter()


Key: TypeAlias = tuple[str | int, ...]
"""Sort key of an item: the value of the sort column, its name and, for a claim, the position."""


@dataclass(frozen=True, slots=True)
class KeyRange:
    """A part of a list: the items after one key and before another, at most `limit`.

    These are the first items or, with `from_end`, the last. `closed` includes the items of the keys.
    """

    after: Key | None = None
    before: Key | None = None
    limit: int | None = None
    from_end: bool = False
    closed: bool = False

    @property
    def bounds(self) -> Bounds:
        """The bounds of the statement."""
        return Bounds(self.after is not None, self.before is not None, self.closed, self.from_end)

    @property
    def arguments(self) -> tuple[Any, ...]:
        """The arguments of the statement: its limit and its keys."""
        return self.limit, *(self.after or ()), *(self.before or ())


WHOLE = KeyRange()


Keyed: TypeAlias = tuple[Key, T]
"""An item of a list, after its sort key."""


class Lists:
    """Queries for lists, on the version rows."""

    def __init__(self, pool: Pool, tracked: ProgressTracker | None = None):
        self._pool = pool
        self._early_days = EarlyDays(pool, tracked)
        self.states = StateCache(tracked)

    async def page(
        self,
        kind: type[S],
        moment: Moment,
        filter: Filter = EVERYTHING,
        order: Ordering = BY_NAME,
        span: KeyRange = WHOLE,
    ) -> list[Keyed[S]]:
        """Return the states of a kind in a span of an order."""
        return await self._page(kind, moment, filter, order, span)

    async def count(self, kind: type[S], moment: Moment, filter: Filter = EVERYTHING) -> int:
        """Return the number of states in the whole list."""
        return await self._count(kind, moment, filter)

    async def claims(
        self,
        moment: Moment,
        filter: Filter = EVERYTHING,
        order: Ordering = BY_NAME,
        span: KeyRange = WHOLE,
    ) -> list[Keyed[FigureClaims]]:
        """Return the claims in figures in a span of an order; figure and position break ties.

        A claim is identified by its figure and by its position, the last part of its key.
        """
        return await self._page(FigureClaims, moment, filter, order, span)

    async def count_claims(self, moment: Moment, filter: Filter = EVERYTHING) -> int:
        """Return the number of claims in the whole list."""
        return await self._count(FigureClaims, moment, filter)

    async def _page(
        self, kind: type[T], moment: Moment, filter: Filter, order: Ordering, span: KeyRange
    ) -> list[Keyed[T]]:
        if moment.series and (filter.narrows or span.limit is None):
            days = await self._lists_on(moment.series, kind, filter, order)
            return list(slice_range(days[moment.valid_at], span, order.down))
        shape, arguments = await self._shape_and_arguments(kind, moment, filter)

        async def fetch(with_state: bool) -> Sequence[asyncpg.Record]:
            statement = page_statement(shape, order, span.bounds, NAMED, with_state)
            return await self._pool.fetch(statement, *arguments, *span.arguments)

        rows, states = await self.states.read(kind, fetch)
        items = _with_places(rows, states, order, len(shape.names))
        return items[::-1] if span.from_end else items

    async def _count(self, kind: type[Any], moment: Moment, filter: Filter) -> int:
        if moment.series and filter.narrows:
            days = await self._lists_on(moment.series, kind, filter, BY_NAME)
            return len(days[moment.valid_at])
        shape, arguments = await self._shape_and_arguments(kind, moment, filter)
        return int(await self._pool.fetchval(count_statement(shape), *arguments))

    async def on_each_day(
        self, kind: type[S], series: MomentSeries, filter: Filter = EVERYTHING
    ) -> Mapping[date, list[S]]:
        """Return the states of a kind on each day of a series."""
        lists = await self._lists_on(series, kind, filter, BY_NAME)
        return {day: [state for _, state in keyed] for day, keyed in lists.items()}

    async def keyed_on_each_day(
        self, kind: type[S], series: MomentSeries, filter: Filter, order: Ordering
    ) -> Mapping[date, list[Keyed[S]]]:
        """Return the states of a kind on each day of a series, ordered and with their keys.

        Days with equal states share their objects.
        """
        return await self._lists_on(series, kind, filter, order)

    async def _lists_on(
        self, series: MomentSeries, kind: type[T], filter: Filter, order: Ordering
    ) -> Mapping[date, list[Keyed[T]]]:
        """Return the whole list on each day of a series, read together."""

        async def lists() -> dict[date, list[Keyed[T]]]:
            first = Moment(series.first, series.position)
            shape, arguments = await self._shape_and_arguments(kind, first, filter, series.last)

            async def fetch(with_state: bool) -> Sequence[asyncpg.Record]:
                statement = series_statement(shape, order, NAMED, with_state)
                return await self._pool.fetch(statement, *arguments, series.last)

            rows, states = await self.states.read(kind, fetch)
            keyed: list[Keyed[T]] = _with_places(rows, states, order, len(shape.names))
            return series.by_day(
                (row["first_day"], row["last_day"], item)
                for row, item in zip(rows, keyed, strict=True)
            )

        return await series.read((kind, order, filter.key), lists)

    async def _shape_and_arguments(
        self, items: type[Any], moment: Moment, filter: Filter, last: date | None = None
    ) -> tuple[ListShape, tuple[Any, ...]]:
        """Return the shape of a list's statements and their first arguments.

        The arguments are `FIXED_ARGUMENTS`, and one for each condition. `items` are states of a kind,
        or claims in figures. `last` is the last day of a series.
        """
        of_claims = items is FigureClaims
        kind = FigureState if of_claims else items
        given, names, name = filter.given(), _names(kind, filter), kind_name(kind)
        found_by = names or filter.words
        entities = _entities(filter, names)
        day = last or moment.valid_at
        if entities == "entities_by_word":
            [word] = found_by
            if await self._early_days.include(name, word, day):
                entities = "entities_by_day"
        shape = ListShape(entities, tuple(given), of_claims)
        return shape, (name, moment.valid_at, moment.position, found_by, *given.values())


def _with_places(
    rows: Sequence[asyncpg.Record], states: Sequence[T], order: Ordering, names: int
) -> list[Keyed[T]]:
    """Pair states with their keys. The name columns are adjacent, and the entity is the last column
    that identifies a row."""
    own = slice(2, 2 + names)
    if order.by is SortKey.NAME:
        return [(row[own], state) for row, state in zip(rows, states, strict=True)]
    return [((row["key"], *row[own]), state) for row, state in zip(rows, states, strict=True)]


def slice_range(
    items: Sequence[Keyed[T]], span: KeyRange, down: bool = False
) -> Sequence[Keyed[T]]:
    """Return a span of a complete list."""

    def behind(key: Key, bound: Key) -> bool:
        return (key < bound if down else key > bound) or (span.closed and key == bound)

    within = [
        (key, item)
        for key, item in items
        if (span.after is None or behind(key, span.after))
        and (span.before is None or behind(span.before, key))
    ]
    if span.limit is None:
        return within
    return within[max(len(within) - span.limit, 0) :] if span.from_end else within[: span.limit]


def _entities(filter: Filter, names: Sequence[str]) -> str:
    """Return the part of lists.sql that finds the entities of a list."""
    if filter.search:
        return "entities_by_text"
    if names:
        return "entities_by_name" if len(names) == 1 else "entities_by_names"
    return "entities_by_word" if len(filter.words) == 1 else "entities_by_words"


def _names(kind: type[Any], filter: Filter) -> list[str]:
    """Return the name prefixes of the figures of a list: commodity and place.

    The list is empty if names do not find the figures. Figures of one year have an index word.
    """
    one_year = filter.period and filter.period[0] == filter.period[1] and not filter.places
    if kind is not FigureState or filter.about is not None or not filter.commodities or one_year:
        return []
    return figures_of(filter.commodities, filter.places or [])


def figures_of(commodities: Iterable[str], places: Iterable[str] = ()) -> list[str]:
    """Return the name prefixes of the figures of some commodities, at some places if given."""
    of = [f"{kind_name(FigureState)}/{commodity}/" for commodity in dict.fromkeys(commodities)]
    at = [f"{place}/" for place in dict.fromkeys(places)] or [""]
    return [one + place for one in of for place in at]
