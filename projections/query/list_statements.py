"""Composition of the statements of lists. `tests/projections/golden.sql` has them in full.

A list reads the entities that may be in it, looks up the version of each at the moment, and applies the
conditions. A statement has only the requested conditions, which keeps planning and execution cheap.
"""

from collections.abc import Sequence
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from projections.query.sql_parts import (
    fill,
    load_parts,
    versions_of,
    versions_of_series,
    whole_sources,
    whole_state,
)

SQL = load_parts(Path(__file__).with_name("lists.sql"))

FIXED_ARGUMENTS = 4
"""The kind, the day, the position, and the index words or names: $1 to $4."""
MAX_CACHED_STATEMENTS = 1000
"""Maximum of cached statements, each for lists with the same conditions, order and bounds."""

CLAUSE_CONDITIONS = ("measure", "status", "in_force")
"""Conditions that one and the same clause must meet."""
CERTAINTY = ("verified", "level", "primary", "checked")
"""Conditions that a claim is checked for separately from its figure."""
CLAIM_CONDITIONS = ("publishers", "published", *CERTAINTY)
"""Conditions that the claim must meet in a list of claims."""
CLAIM_COLUMNS = {
    "position": "bigint",
    "publisher": "text",
    "published": "daterange",
    "level": "int",
    "is_primary": "boolean",
    "checked": "text",
}
STATE_COLUMN = f"{whole_state()} AS state"


class SortKey(Enum):
    """Sort keys of a list, before the names of its entities."""

    NAME = None
    TITLE = SQL.by_title
    DATE = SQL.by_date
    PERIOD = SQL.by_period
    PUBLICATION = SQL.by_publication


class Ordering(NamedTuple):
    """The order of a list. Unique names break ties."""

    by: SortKey = SortKey.NAME
    down: bool = False


BY_NAME = Ordering()


class Bounds(NamedTuple):
    """The bounds of a part of an ordered list: keys at its ends, whether they are included, and whether
    it is read from its end."""

    after: bool = False
    before: bool = False
    closed: bool = False
    from_end: bool = False


class ListShape(NamedTuple):
    """The form of a list's statements, apart from order and bounds."""

    entities: str
    """Part of lists.sql that finds the entities."""
    conditions: tuple[str, ...]
    """Parts of lists.sql with the conditions, in the order of their arguments."""
    of_claims: bool = False
    """Whether the items are the claims in figures instead of entities."""

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that identify items and break ties in the order."""
        return ("subject.entity", "claim.position") if self.of_claims else ("subject.entity",)


@lru_cache(MAX_CACHED_STATEMENTS)
def page_statement(
    shape: ListShape, order: Ordering, bounds: Bounds, row_names: str, with_state: bool
) -> str:
    """Compose the statement for a page of a list.

    The arguments are those of the conditions, the limit, the key after which the page begins and the
    key before which it ends. `row_names` are the columns that identify a version. Its state comes last,
    if requested.
    """
    limit = FIXED_ARGUMENTS + len(shape.conditions) + 1
    columns = [row_names, *shape.names[1:]]
    if order.by.value:
        columns.append(f"{order.by.value} AS key")
    if with_state:
        columns.append(STATE_COLUMN)
    ordering = ordering_columns(order, shape.names)
    conditions = _conditions(shape) + bound_conditions(ordering, order, bounds, limit + 1)
    return fill(
        SQL.page,
        columns=",\n".join(columns),
        rows=_rows(shape, [*columns, *conditions]),
        conditions=all_of(conditions),
        order=order_by(ordering, order, bounds),
        limit=f"${limit}",
    )


@lru_cache(MAX_CACHED_STATEMENTS)
def series_statement(shape: ListShape, order: Ordering, row_names: str, with_state: bool) -> str:
    """Compose the statement for a whole list on all days of a range.

    The last day comes after the arguments of the conditions. Each version appears once, with its last
    day.
    """
    last = f"${FIXED_ARGUMENTS + len(shape.conditions) + 1}"
    columns = [row_names, *shape.names[1:], "version.last_day"]
    if order.by.value:
        columns.append(f"{order.by.value} AS key")
    if with_state:
        columns.append(STATE_COLUMN)
    conditions = _conditions(shape)
    return fill(
        SQL.series,
        columns=",\n".join(columns),
        rows=_rows(shape, [*columns, *conditions], last),
        conditions=all_of(conditions),
        order=order_by(ordering_columns(order, shape.names), order, Bounds()),
    )


@lru_cache(MAX_CACHED_STATEMENTS)
def count_statement(shape: ListShape) -> str:
    """Compose the statement for the number of items of a list."""
    conditions = _conditions(shape)
    return fill(SQL.count, rows=_rows(shape, conditions), conditions=all_of(conditions))


def ordering_columns(order: Ordering, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns that items are ordered by; a key has one part for each."""
    return names if order.by.value is None else (order.by.value, *names)


def order_by(columns: Sequence[str], order: Ordering, bounds: Bounds) -> str:
    """Compose an ORDER BY, reversed if the page is read from the end."""
    direction = "DESC" if order.down != bounds.from_end else "ASC"
    return ", ".join(f"{column} {direction}" for column in columns)


def bound_conditions(
    columns: Sequence[str], order: Ordering, bounds: Bounds, argument: int
) -> list[str]:
    """Return the conditions for the items between two keys, with arguments from a number on."""
    after, before = ("<", ">") if order.down else (">", "<")
    conditions = []
    for is_given, sign in ((bounds.after, after), (bounds.before, before)):
        if is_given:
            conditions += _bound(columns, sign, bounds.closed, argument)
            argument += len(columns)
    return conditions


def _bound(columns: Sequence[str], sign: str, closed: bool, argument: int) -> list[str]:
    """Return the conditions for one bound.

    The first column is also compared alone, which lets PostgreSQL use its index.
    """
    key = [
        f"${number}::{'bigint' if column == 'claim.position' else 'text'}"
        for number, column in enumerate(columns, argument)
    ]
    return [
        f"{columns[0]} {sign}= {key[0]}",
        f"({', '.join(columns)}) {sign}{'=' * closed} ({', '.join(key)})",
    ]


def _rows(shape: ListShape, speaking: Sequence[str], last_day: str | None = None) -> str:
    """Compose the query for the versions that may be in the list, or for the claims in them.

    Claims have only the columns that the rest of the statement mentions, because reading others takes
    time. With an argument for a last day the versions are those of all days until then.
    """
    entities = fill(getattr(SQL, shape.entities), **_values(shape), last=last_day or "$2")
    versions = versions_of_series(entities, last_day) if last_day else versions_of(entities)
    if not shape.of_claims:
        return versions
    text = "\n".join(speaking)
    columns = [f"{name} {kind}" for name, kind in CLAIM_COLUMNS.items() if f"claim.{name}" in text]
    return fill(SQL.claims, versions=versions, sources=whole_sources(), columns=", ".join(columns))


def _conditions(shape: ListShape) -> list[str]:
    """Return the conditions on versions, and on the clauses or claims in them."""
    given, values = shape.conditions, _values(shape)
    of_clause = [name for name in given if name in CLAUSE_CONDITIONS]
    of_claim = [name for name in given if name in CLAIM_CONDITIONS and shape.of_claims]
    if of_clause and "commodities" in given:
        of_clause.insert(0, "clause_commodities")
    parts = [name for name in given if name not in CLAUSE_CONDITIONS]
    if shape.of_claims:  # the source of a claim may be verified when others of the figure are not
        parts = [name for name in parts if name not in CERTAINTY]
        parts += ["claim", *(f"claim_{name}" for name in of_claim)]
    conditions = [fill(getattr(SQL, name), **values) for name in parts]
    if of_clause:
        of_one_clause = all_of([fill(getattr(SQL, name), **values) for name in of_clause])
        conditions.append(fill(SQL.clause, conditions=of_one_clause))
    return conditions


def _values(shape: ListShape) -> dict[str, str]:
    """Return the values of placeholders: the argument of each condition, and shared parts."""
    values = {name: f"${n}" for n, name in enumerate(shape.conditions, FIXED_ARGUMENTS + 1)}
    values |= {"said": SQL.said, "sources": whole_sources()}
    if "search" in values:
        values["sought"] = fill(SQL.sought, search=values["search"])
    return values


def all_of(conditions: Sequence[str]) -> str:
    """Join conditions by AND, for a WHERE."""
    return "\n  AND ".join(one.replace("\n", "\n  ") for one in conditions) or "true"
