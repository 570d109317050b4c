"""Parquet columns of states, derived from the state types.

A field is a column of the same name. Vocabulary words are those of the API (`IN_FORCE`), partial dates
are texts (`2025-11`), and numbers are doubles (exact digits are in `state`). A redactable text is its
commitment. Fields of the parts in `INLINE` are columns at the same level, as in the API.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Annotated, Any, TypeAlias, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from tracker.domain.basics.values import TextCommitment
from tracker.domain.entities.entity import EntityState, Evidence

Convert: TypeAlias = Callable[[Any], Any]
INLINE = frozenset({"series", "clause", "quantity"})
"""Parts of states whose fields are columns, unless they can be missing or stand beside a `value`."""
OWN = frozenset({"id", "because"})
"""Fields of all states whose columns are made elsewhere."""


class ParquetColumn(Struct, frozen=True):
    """A column: its name, its Arrow type, and a function that reads its value from a state."""

    name: str
    type: Any
    read: Convert

    def below(self, part: str) -> ParquetColumn:
        """Return the column for an object that has the state as a part of that name."""
        return ParquetColumn(self.name, self.type, lambda of: self.read(getattr(of, part)))


def state_columns(arrow: Any, kind: type[EntityState]) -> list[ParquetColumn]:
    """Return the columns of the states of a kind."""
    return [column for column in _fields(arrow, kind) if column.name not in OWN]


def _fields(arrow: Any, kind: type[msgspec.Struct]) -> Iterator[ParquetColumn]:
    hints = get_type_hints(kind, include_extras=True)
    for name in kind.__struct_fields__:
        hint = _plain(hints[name])
        if name in INLINE and not _optional(hints[name]) and "value" not in hints:
            for column in _fields(arrow, hint):
                yield column.below(name)
        else:
            type_, convert = _column_type(arrow, hint)
            yield ParquetColumn(name, type_, _nullable(name, convert))


def _optional(hint: Any) -> bool:
    """Return whether a value of a type can be missing."""
    return type(None) in get_args(hint)


def _nullable(name: str, convert: Convert) -> Convert:
    def read(of: Any) -> Any:
        value = getattr(of, name)
        return None if value is None else convert(value)

    return read


def _plain(hint: Any) -> Any:
    """Return a type without limits and without None; a text or commitment is a text."""
    if get_origin(hint) is Annotated:
        return _plain(get_args(hint)[0])
    if get_origin(hint) in (Union, types.UnionType):
        kinds = {_plain(part) for part in get_args(hint)} - {type(None)}
        if kinds == {str, TextCommitment}:
            return TextCommitment
        [only] = kinds
        return only
    return hint


@cache
def _struct(arrow: Any, kind: type[msgspec.Struct]) -> tuple[Any, Convert]:
    columns = list(_fields(arrow, kind))
    type_ = arrow.struct([arrow.field(column.name, column.type) for column in columns])
    return type_, lambda of: {column.name: column.read(of) for column in columns}


def _column_type(arrow: Any, hint: Any) -> tuple[Any, Convert]:
    """Return the Arrow type of a type, and the conversion of its values."""
    if get_origin(hint) is tuple:
        type_, convert = _column_type(arrow, _plain(get_args(hint)[0]))
        return arrow.list_(type_), lambda of: [convert(item) for item in of]
    if hint is Evidence:
        return arrow.int64(), lambda of: of.position
    if hint is TextCommitment:
        return arrow.string(), lambda of: of if isinstance(of, str) else of.commitment
    if issubclass(hint, msgspec.Struct):
        return _struct(arrow, hint)
    if issubclass(hint, Enum):
        return arrow.string(), lambda of: of.name
    plain: dict[type, tuple[Any, Convert]] = {
        bool: (arrow.bool_(), bool),
        int: (arrow.int64(), int),
        float: (arrow.float64(), float),
        Decimal: (arrow.float64(), float),
        date: (arrow.date32(), lambda of: of),
        datetime: (arrow.timestamp("us", tz="UTC"), lambda of: of),
    }
    if issubclass(hint, str):
        return arrow.string(), str
    return plain[hint]
