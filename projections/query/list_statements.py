"""The statements of lists: composed here alone, and to be read whole in `tests/projections/golden`.

A list walks the entities that may be in it, looks up the version of each that holds at the moment,
and leaves out those that do not meet its conditions. It has only the conditions that are asked for:
what is not there need not be planned, nor looked at.
"""

from __future__ import annotations

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
ENTITIES_BY_NAMES = fill(SQL.entities_by_names, last="$2")

FIXED_ARGUMENTS = 4
"""The kind, the day, the position, and the words or names that entities are found by: $1 to $4."""
MAX_CACHED_STATEMENTS = 1000
"""Statements that are kept, each for lists with the same conditions, order and bounds."""

CLAUSE_CONDITIONS = ("measure", "status", "in_force")
"""They must hold of one and the same clause."""
CERTAINTY = ("verified", "primary", "checked")
"""They are asked of a claim apart from what is asked of its figure."""
CLAIM_CONDITIONS = ("publishers", "published", *CERTAINTY)
"""In a list of claims they must hold of the claim."""
CLAIM_COLUMNS = {
    "position": "bigint",
    "publisher": "text",
    "published": "daterange",
    "verified": "boolean",
    "is_primary": "boolean",
    "checked": "text",
}
STATE_COLUMN = f"{whole_state()} AS state"


class SortKey(Enum):
    """What a list is ordered by, before the names of its entities."""

    NAME = None
    TITLE = SQL.by_title
    DATE = SQL.by_date
    PERIOD = SQL.by_period
    PUBLICATION = SQL.by_publication


class Ordering(NamedTuple):
    """The order of a list. Names, which no two share, decide where the rest is equal."""

    by: SortKey = SortKey.NAME
    down: bool = False


BY_NAME = Ordering()


class Bounds(NamedTuple):
    """What the statement for a part of an ordered list depends on: which of its ends are given as
    keys, whether those keys belong to it, and whether it is read from its end."""

    after: bool = False
    before: bool = False
    closed: bool = False
    from_end: bool = False


class ListShape(NamedTuple):
    """What the statements of a list depend on, beside its order and bounds."""

    entities: str
    """The part of lists.sql that finds the entities."""
    conditions: tuple[str, ...]
    """The parts of lists.sql that are asked of them, in the order of their arguments."""
    of_claims: bool = False
    """Whether the items are the claims in figures, not the entities."""

    @property
    def names(self) -> tuple[str, ...]:
        """The columns by which items are told apart, and ordered in the end."""
        return ("subject.entity", "claim.position") if self.of_claims else ("subject.entity",)


@lru_cache(MAX_CACHED_STATEMENTS)
def page_statement(
    shape: ListShape, order: Ordering, bounds: Bounds, row_names: str, with_state: bool
) -> str:
    """The statement for a page of a list. Its limit comes behind the arguments of the conditions,
    then the key behind which it begins, then the one before which it ends.

    `row_names` are the columns that name a version; its state comes last, where it is asked for.
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
    """The statement for a whole list on all days from one to another, which comes behind the
    arguments of the conditions: each version once, with its last day."""
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
    """The statement for how many items a list has."""
    conditions = _conditions(shape)
    return fill(SQL.count, rows=_rows(shape, conditions), conditions=all_of(conditions))


def ordering_columns(order: Ordering, names: tuple[str, ...]) -> tuple[str, ...]:
    """What items are ordered by: their key has a part for each."""
    return names if order.by.value is None else (order.by.value, *names)


def order_by(columns: Sequence[str], order: Ordering, bounds: Bounds) -> str:
    """An ORDER BY, backwards where the last items are asked for."""
    direction = "DESC" if order.down != bounds.from_end else "ASC"
    return ", ".join(f"{column} {direction}" for column in columns)


def bound_conditions(
    columns: Sequence[str], order: Ordering, bounds: Bounds, argument: int
) -> list[str]:
    """The conditions for what lies between two keys; their arguments begin at a number."""
    after, before = ("<", ">") if order.down else (">", "<")
    conditions = []
    for is_given, sign in ((bounds.after, after), (bounds.before, before)):
        if is_given:
            conditions += _bound(columns, sign, bounds.closed, argument)
            argument += len(columns)
    return conditions


def _bound(columns: Sequence[str], sign: str, closed: bool, argument: int) -> list[str]:
    """Where items end on one side. The first column is compared alone too: an index knows it."""
    key = [
        f"${number}::{'bigint' if column == 'claim.position' else 'text'}"
        for number, column in enumerate(columns, argument)
    ]
    return [
        f"{columns[0]} {sign}= {key[0]}",
        f"({', '.join(columns)}) {sign}{'=' * closed} ({', '.join(key)})",
    ]


def _rows(shape: ListShape, speaking: Sequence[str], last_day: str | None = None) -> str:
    """The versions that may be in the list, or the claims in them with the columns that the rest of
    the statement speaks of: to read the others takes time. With an argument for a last day they
    are those of all days until then."""
    entities = fill(getattr(SQL, shape.entities), **_values(shape), last=last_day or "$2")
    versions = versions_of_series(entities, last_day) if last_day else versions_of(entities)
    if not shape.of_claims:
        return versions
    text = "\n".join(speaking)
    columns = [f"{name} {kind}" for name, kind in CLAIM_COLUMNS.items() if f"claim.{name}" in text]
    return fill(SQL.claims, versions=versions, sources=whole_sources(), columns=", ".join(columns))


def _conditions(shape: ListShape) -> list[str]:
    """What is asked of versions, and of the clauses or claims in them."""
    given, values = shape.conditions, _values(shape)
    of_clause = [name for name in given if name in CLAUSE_CONDITIONS]
    of_claim = [name for name in given if name in CLAIM_CONDITIONS and shape.of_claims]
    if of_clause and "commodities" in given:
        of_clause.insert(0, "clause_commodities")
    parts = [name for name in given if name not in CLAUSE_CONDITIONS]
    if shape.of_claims:  # its source may be verified where not all of the figure are
        parts = [name for name in parts if name not in CERTAINTY]
        parts += ["claim", *(f"claim_{name}" for name in of_claim)]
    conditions = [fill(getattr(SQL, name), **values) for name in parts]
    if of_clause:
        of_one_clause = all_of([fill(getattr(SQL, name), **values) for name in of_clause])
        conditions.append(fill(SQL.clause, conditions=of_one_clause))
    return conditions


def _values(shape: ListShape) -> dict[str, str]:
    """What parts are filled with: the argument of each condition, and parts of several of them."""
    values = {name: f"${n}" for n, name in enumerate(shape.conditions, FIXED_ARGUMENTS + 1)}
    values |= {"said": SQL.said, "sources": whole_sources()}
    if "search" in values:
        values["sought"] = fill(SQL.sought, search=values["search"])
    return values


def all_of(conditions: Sequence[str]) -> str:
    """Conditions joined by AND, as they follow a WHERE."""
    return "\n  AND ".join(one.replace("\n", "\n  ") for one in conditions) or "true"
