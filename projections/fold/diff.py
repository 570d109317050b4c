"""Differences between two states of an entity, field by field. Pure.

The facts behind a state (`because`) are not compared.
"""

from collections.abc import Callable, Iterator
from functools import cache
from types import NoneType
from typing import Any

import msgspec
from msgspec import Struct

from tracker.domain.basics.values import TextCommitment
from tracker.domain.controls.clause import Clause
from tracker.domain.entities.elements import are_stored_apart
from tracker.domain.entities.entity import EntityState

IDENTITIES: dict[str, Callable[[dict[str, Any]], str]] = {
    "clauses": lambda item: str(item["clause"]["id"]),
    "members": lambda item: str(item["place"]),
    "claims": lambda item: "/".join(
        map(
            str,
            filter(None, (item["source"]["publisher"], item["edition"], item["editionVersion"])),
        )
    ),
}
"""Functions that identify the items of a list, by list name. Other lists are compared as values."""

OF_COPIES = frozenset({"copyOf", "copySha256"})
"""Fields of sources that are left out without a value, so that answers from older logs stay the same."""
PLAIN_TYPES = frozenset({str, int, bool, NoneType, TextCommitment})
"""Types of values that are used as they are."""

LASTING_TYPES = frozenset({Clause})
"""Types of long values in facts, which are the same objects in all states of an entity."""

WHY = {"because", "judged"}
"""The fields that hold the facts behind a state."""
LONG_LISTS = {"claims", "disputes"}
"""The other lists with an element for each of many facts: see `Fold.LONG`."""


class FieldChange(Struct, frozen=True):
    """A field before and after, as JSON values, or None. A text in an annex is a `TextCommitment`.

    `path` leads to the field by names, and to an item of a list by its identity. It is empty for a
    whole state that appeared or disappeared. The path of a list itself, with identities before and
    after, means a different order.
    """

    path: tuple[str, ...]
    before: Any
    after: Any


def diff(before: EntityState | None, after: EntityState | None) -> tuple[FieldChange, ...]:
    """Return the fields in which two states of an entity differ; None is no state."""
    return diff_contents(content(before), content(after))


def diff_contents(before: Any, after: Any) -> tuple[FieldChange, ...]:
    """Return the fields in which the contents of two states differ."""
    return tuple(_differences((), before, after))


class IdentifiedList(list[Any]):
    """A list as JSON data, with the identities of its items."""

    __slots__ = ("identities",)

    identities: list[str]


class SharedItems:
    """Clauses and items of long lists as JSON data, made once for all states of an entity with them."""

    __slots__ = ("_made",)

    def __init__(self) -> None:
        self._made: dict[int, tuple[Any, Any, str]] = {}
        """Each item, which keeps its id in use, its JSON data and its identity."""

    def list_of(self, name: str, items: tuple[Any, ...]) -> list[Any]:
        """Return a list as JSON data. An item of two lists is one object in both."""
        made, identity = self._made, IDENTITIES.get(name)
        for item in items:
            if id(item) not in made:
                data = _plain(item)
                made[id(item)] = item, data, identity(data) if identity else ""
        contents = IdentifiedList([made[id(item)][1] for item in items])
        contents.identities = [made[id(item)][2] for item in items]
        return contents

    def data_of(self, item: msgspec.Struct) -> Any:
        """Return an item as JSON data."""
        if id(item) not in self._made:
            self._made[id(item)] = item, _plain(item), ""
        return self._made[id(item)][1]


def content(
    state: EntityState | None, only: str | None = None, shared: SharedItems | None = None
) -> Any:
    """Return a state as JSON data with every field, including defaults, or only the field `only`.

    `shared` has the clauses and the items of lists that are stored apart; all states of an entity share their
    objects.
    """
    if state is None:
        return None
    fields = [
        (name, getattr(state, field))
        for field, name in _fields(type(state))
        if field not in WHY and only in (None, name)
    ]
    return {
        name: shared.list_of(name, value)
        if shared and name in LONG_LISTS and are_stored_apart(len(value))
        else _plain(value, shared)
        for name, value in fields
    }


def _plain(value: Any, shared: SharedItems | None = None) -> Any:
    kind = type(value)
    if kind in PLAIN_TYPES:
        return value
    if kind is tuple:
        return [_plain(item, shared) for item in value]
    if shared and kind in LASTING_TYPES:
        return shared.data_of(value)
    if isinstance(value, msgspec.Struct):
        return {
            name: _plain(given, shared)
            for field, name in _fields(type(value))
            if (given := getattr(value, field)) is not None or name not in OF_COPIES
        }
    return msgspec.to_builtins(value, enc_hook=str)


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[tuple[str, str], ...]:
    """Return the fields of a struct, by their names in Python and in JSON."""
    return tuple((field.name, field.encode_name) for field in msgspec.structs.fields(kind))


def _differences(path: tuple[str, ...], before: Any, after: Any) -> Iterator[FieldChange]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in {**before, **after}:
            yield from _differences((*path, name), before.get(name), after.get(name))
    elif len(path) == 1 and path[0] in IDENTITIES:
        yield from _item_differences(path, before, after)
    else:
        yield FieldChange(path, before, after)


def _item_differences(
    path: tuple[str, ...], before: list[Any], after: list[Any]
) -> Iterator[FieldChange]:
    """Yield the differences of lists, item by item, or as values if identities are not unique."""
    names_before, names_after = _identities(path[0], before), _identities(path[0], after)
    if len({*names_before}) < len(before) or len({*names_after}) < len(after):
        yield FieldChange(path, before, after)
        return
    begin = _common_beginning(before, after)
    old = dict(zip(names_before[begin:], before[begin:], strict=True))
    new = dict(zip(names_after[begin:], after[begin:], strict=True))
    for key in {**old, **new}:
        yield from _differences((*path, key), old.get(key), new.get(key))
    if [key for key in {**old, **new} if key in new] != list(new):
        yield FieldChange(path, names_before, names_after)


def _identities(name: str, items: list[Any]) -> list[str]:
    if isinstance(items, IdentifiedList):
        return items.identities
    return [*map(IDENTITIES[name], items)]


def _common_beginning(before: list[Any], after: list[Any]) -> int:
    """Return the number of first items that are the same objects in two lists."""
    index, end = 0, min(len(before), len(after))
    while index < end and before[index] is after[index]:
        index += 1
    return index
