"""What was filled into a form, and the input that it makes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    get_nullable_type,
)

from schema.pages.record.fields import State, is_one_of
from tracker.errors import InvalidInput

MAX_ITEMS = 200
"""Items of a list in a form."""
MAX_LEVELS = 12
"""Names in the path of a field."""
INTEGER = re.compile(r"-?[0-9]{1,18}")
EMPTY: tuple[object, ...] = ("", [], {}, None)
MISSING = "expected a value"

Tree = dict[str, Any]


def read_state(kind: GraphQLInputObjectType, pairs: Iterable[tuple[str, str]]) -> dict[str, State]:
    """What the fields of a form say, in the shape of an input. Raises InvalidInput for fields that
    the input does not have."""
    tree: Tree = {}
    for name, value in pairs:
        _plant(tree, name, value)
    return _object(kind, tree, ())


def _plant(tree: Tree, name: str, value: str) -> None:
    *parents, last = name.split(".")
    if len(parents) >= MAX_LEVELS:
        raise InvalidInput("this form has no such field", path=(name,))
    for parent in parents:
        tree = tree.setdefault(parent, {})
        if not isinstance(tree, dict):
            raise InvalidInput("this form has no such field", path=(name,))
    if isinstance(tree.get(last), dict):
        raise InvalidInput("this form has no such field", path=(name,))
    tree[last] = value.replace("\r\n", "\n").strip()


def _object(kind: GraphQLInputObjectType, tree: Tree, path: tuple[str, ...]) -> dict[str, State]:
    for name in tree:
        if name not in kind.fields:
            raise InvalidInput("this form has no such field", path=(*path, name))
    return {name: _state(kind.fields[name].type, of, (*path, name)) for name, of in tree.items()}


def _state(kind: Any, found: Any, path: tuple[str, ...]) -> State:
    kind = get_nullable_type(kind)
    if isinstance(kind, GraphQLInputObjectType) and isinstance(found, dict):
        return _object(kind, found, path)
    if isinstance(kind, GraphQLList) and isinstance(found, dict):
        if len(found) > MAX_ITEMS or not all(INTEGER.fullmatch(index) for index in found):
            raise InvalidInput(f"expected at most {MAX_ITEMS} items", code="TOO_LARGE", path=path)
        return [
            _state(kind.of_type, found[index], (*path, index)) for index in sorted(found, key=int)
        ]
    if isinstance(found, dict) or (
        found and isinstance(kind, GraphQLInputObjectType | GraphQLList)
    ):
        raise InvalidInput("this form has no such field", path=path)
    return str(found)


def without_empty(state: State) -> State:
    """A state without what is empty: so its lists have the items that are sent, by their numbers."""
    if isinstance(state, dict):
        kept = {name: without_empty(of) for name, of in state.items()}
        return {name: of for name, of in kept.items() if of not in EMPTY}
    if isinstance(state, list):
        return [of for of in map(without_empty, state) if of not in EMPTY]
    return state


def with_another(state: dict[str, State], path: str) -> dict[str, State]:
    """A state with one more item at the end of the list at a path."""
    *parents, last = path.split(".")
    found = _part(state, parents, make=True)
    if isinstance(found, dict):
        items = found.get(last)
        found[last] = [*(items if isinstance(items, list) else []), ""]
    return state


def without_item(state: dict[str, State], path: str) -> dict[str, State]:
    """A state without the item of a list at a path."""
    *parents, last = path.split(".")
    found = _part(state, parents)
    if isinstance(found, list) and (index := _index(found, last)) is not None:
        del found[index]
    return state


def _part(state: State, path: Sequence[str], make: bool = False) -> State | None:
    """The part of a state at a path, made if asked where there is none; else None."""
    if not path:
        return state
    name, *rest = path
    if isinstance(state, list):
        index = _index(state, name)
        if index is None:
            return None
        if make and not isinstance(state[index], dict | list):
            state[index] = {}
        return _part(state[index], rest, make)
    if not isinstance(state, dict):
        return None
    if make and not isinstance(state.get(name), dict | list):
        state[name] = {}
    return _part(state.get(name, ""), rest, make)


def _index(items: Sequence[State], name: str) -> int | None:
    """The place of an item that there is."""
    found = int(name) if INTEGER.fullmatch(name) else -1
    return found if 0 <= found < len(items) else None


def fields_of(state: State, path: str = "") -> Iterator[tuple[str, str]]:
    """The fields of a form that say a state."""
    if isinstance(state, str):
        yield path, state
        return
    items = state.items() if isinstance(state, dict) else enumerate(state)
    for name, of in items:
        yield from fields_of(of, f"{path}.{name}" if path else str(name))


def make_input(
    kind: GraphQLInputObjectType, state: State
) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """The input that a state without empty parts makes, and what is wrong by the fields of the form."""
    errors: dict[str, list[str]] = {}
    return _input_object(kind, state if isinstance(state, dict) else {}, "", errors), errors


def _input_object(
    kind: GraphQLInputObjectType, state: Mapping[str, State], within: str, errors: dict[str, Any]
) -> dict[str, Any]:
    made = {}
    for name, field in kind.fields.items():
        path = f"{within}.{name}" if within else name
        if name in state:
            made[name] = _input(get_nullable_type(field.type), state[name], path, errors)
        elif isinstance(field.type, GraphQLNonNull):
            inner = get_nullable_type(field.type)
            if isinstance(inner, GraphQLInputObjectType) and not is_one_of(inner):
                made[name] = _input_object(inner, {}, path, errors)
            else:
                errors[f"{path}.0" if isinstance(inner, GraphQLList) else path] = [MISSING]
    return made


def _input(kind: Any, state: State, path: str, errors: dict[str, Any]) -> Any:
    match kind, state:
        case GraphQLInputObjectType(), dict():
            return _input_object(kind, state, path, errors)
        case GraphQLList(), list():
            inner = get_nullable_type(kind.of_type)
            return [_input(inner, of, f"{path}.{index}", errors) for index, of in enumerate(state)]
        case GraphQLEnumType(), str() if state not in kind.values:
            errors[path] = ["expected one of these: " + ", ".join(kind.values)]
        case GraphQLScalarType(name="Int"), str():
            if INTEGER.fullmatch(state) and abs(int(state)) < 2**31:
                return int(state)
            errors[path] = ["expected a whole number"]
        case GraphQLScalarType(name="Boolean"), str():
            if state in ("true", "false"):
                return state == "true"
            errors[path] = ["expected yes or no"]
    return state


def place_of(path: Sequence[str | int], names: Iterable[str]) -> str | None:
    """The field of a form at which an error with a path is shown: the nearest there is."""
    known = {*names}
    for end in range(len(path), 0, -1):
        name = ".".join(map(str, path[:end]))
        if name in known:
            return name
    return None
