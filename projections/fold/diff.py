"""The differences between two states of an entity, field by field. Pure.

It is about what an entity is, not about why: the facts behind a state (`because`) are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from tracker.domain.entity import EntityState
from tracker.domain.values import TextCommitment

IDENTITIES: dict[str, Callable[[dict[str, Any]], str]] = {
    "clauses": lambda item: str(item["clause"]["id"]),
    "members": lambda item: str(item["place"]),
    "claims": lambda item: "/".join(
        str(name)
        for name in (item["source"]["publisher"], item["edition"], item["editionVersion"])
        if name
    ),
}
"""How items of a list are identified, by the name of the list. Other lists are compared as values."""

WHY = {"because", "judged"}
"""The fields that hold the facts behind a state."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field before and after, as JSON values; None where there was or is none. A text in an
    annex is what the state has of it, a `TextCommitment`.

    `path` leads to the field by names, and to an item of a list by its identity; it is empty
    for a state as a whole, which has appeared or disappeared. The path of a list itself, with
    identities before and after, means that their order differs.
    """

    path: tuple[str, ...]
    before: Any
    after: Any


def diff(before: EntityState | None, after: EntityState | None) -> tuple[FieldChange, ...]:
    """The fields in which two states of an entity, or a state and nothing, differ."""
    return diff_contents(content(before), content(after))


def diff_contents(before: Any, after: Any) -> tuple[FieldChange, ...]:
    """The fields in which the contents of two states differ."""
    return tuple(_differences((), before, after))


def content(state: EntityState | None, only: str | None = None) -> Any:
    """A state as JSON data with every field, also those that have their default; with `only` that one."""
    return (
        None
        if state is None
        else {
            name: _plain(getattr(state, field))
            for field, name in _fields(type(state))
            if field not in WHY and only in (None, name)
        }
    )


def _plain(value: Any) -> Any:
    if isinstance(value, TextCommitment):
        return value
    if isinstance(value, msgspec.Struct):
        return {name: _plain(getattr(value, field)) for field, name in _fields(type(value))}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return msgspec.to_builtins(value, enc_hook=str)


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[tuple[str, str], ...]:
    """The fields of a struct, by their names in Python and in JSON."""
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
    """The differences of lists, item by item; as values where an identity is not the only one."""
    identity = IDENTITIES[path[0]]
    old, new = ({identity(item): item for item in items} for items in (before, after))
    if len(old) < len(before) or len(new) < len(after):
        yield FieldChange(path, before, after)
        return
    for key in {**old, **new}:
        yield from _differences((*path, key), old.get(key), new.get(key))
    if [key for key in {**old, **new} if key in new] != list(new):
        yield FieldChange(path, list(old), list(new))
