"""Typed text of a form, and the resulting GraphQL input. Pure.

The text (`State`) has the shape of the input: objects, lists, and strings for all else. The name of a field
is its path in the input, with points between: `clauses.0.measure`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import graphql

from tracker.errors import InvalidInput

State: TypeAlias = "str | list[State] | dict[str, State]"
Pair: TypeAlias = tuple[str, str]
"""Name and value of a field, as a browser sends them."""
Errors: TypeAlias = dict[str, list[str]]
"""Error messages by the names of fields."""

MAX_ITEMS = 200
"""Maximum number of items of a list in a form."""
ADD, REMOVE = "add", "remove"
"""Buttons of a form: add an item to the list at a path, remove the item at a path."""
INTEGER = re.compile(r"-?[0-9]{1,18}")
WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")
EMPTY: tuple[object, ...] = ("", [], {}, None)
MISSING = "expected a value"
UNKNOWN_FIELD = "this form has no such field"


def is_one_of(kind: graphql.GraphQLInputObjectType) -> bool:
    """Return whether exactly one field of an input may be set."""
    return bool(kind.extensions["strawberry-definition"].is_one_of)


def joined(within: str, name: str | int) -> str:
    """Return the name of a field within another."""
    return f"{within}.{name}" if within else str(name)


def edit_lists(pairs: Sequence[Pair], controls: Mapping[str, str]) -> list[Pair]:
    """Return the fields after the list button that was pressed, if one was."""
    if path := controls.get(ADD):
        items = (name[len(path) + 1 :].partition(".")[0] for name, _ in pairs if _below(name, path))
        last = max((int(item) for item in items if INTEGER.fullmatch(item)), default=-1)
        return [*pairs, (f"{path}.{last + 1}", "")]
    if path := controls.get(REMOVE):
        return [pair for pair in pairs if pair[0] != path and not _below(pair[0], path)]
    return [*pairs]


def _below(name: str, path: str) -> bool:
    return name.startswith(f"{path}.")


def read_state(
    kind: graphql.GraphQLInputObjectType, pairs: Iterable[Pair], path: Sequence[str] = ()
) -> dict[str, State]:
    """Return the fields of a form in the shape of an input. Raises InvalidInput for unknown fields."""
    state = {}
    for name, inner in _grouped(pairs).items():
        if name not in kind.fields:
            raise InvalidInput(UNKNOWN_FIELD, path=(*path, name))
        state[name] = _state(kind.fields[name].type, inner, (*path, name))
    return state


def _grouped(pairs: Iterable[Pair]) -> dict[str, list[Pair]]:
    """Return the fields by the first part of their names, each with a point and what follows it."""
    groups: dict[str, list[Pair]] = {}
    for name, value in pairs:
        first, point, rest = name.partition(".")
        groups.setdefault(first, []).append((point + rest, value))
    return groups


def _state(kind: Any, pairs: Sequence[Pair], path: tuple[str, ...]) -> State:
    kind = graphql.get_nullable_type(kind)
    inner = [(name[1:], value) for name, value in pairs if name]
    if isinstance(kind, graphql.GraphQLInputObjectType) and len(inner) == len(pairs):
        return read_state(kind, inner, path)
    if isinstance(kind, graphql.GraphQLList) and len(inner) == len(pairs):
        items = _grouped(inner)
        if len(items) > MAX_ITEMS or not all(map(INTEGER.fullmatch, items)):
            raise InvalidInput(f"expected at most {MAX_ITEMS} items", code="TOO_LARGE", path=path)
        return [_state(kind.of_type, items[at], (*path, at)) for at in sorted(items, key=int)]
    text = pairs[-1][1].replace("\r\n", "\n").strip()
    if inner or (text and isinstance(kind, graphql.GraphQLInputObjectType | graphql.GraphQLList)):
        raise InvalidInput(UNKNOWN_FIELD, path=path)
    return text


def without_empty(state: State) -> State:
    """Return a state without empty parts. Items of its lists have the numbers of the input."""
    if isinstance(state, dict):
        parts = {name: without_empty(of) for name, of in state.items()}
        return {name: of for name, of in parts.items() if of not in EMPTY}
    if isinstance(state, list):
        return [of for of in map(without_empty, state) if of not in EMPTY]
    return state


def fields_of(state: State, path: str = "") -> Iterator[Pair]:
    """Yield the fields of a form for a state."""
    if isinstance(state, str):
        yield path, state
        return
    for name, of in state.items() if isinstance(state, dict) else enumerate(state):
        yield from fields_of(of, joined(path, name))


def read_number(fields: Mapping[str, str], name: str) -> int | None:
    """Return the number in a hidden field; None if the field is empty. Raises InvalidInput."""
    text = fields.get(name, "")
    if text and not WHOLE_NUMBER.fullmatch(text):
        raise InvalidInput("expected a whole number", path=(name,))
    return int(text) if text else None


def make_input(
    kind: graphql.GraphQLInputObjectType,
    state: Mapping[str, State],
    errors: Errors,
    within: str = "",
) -> dict[str, Any]:
    """Return the input for a state without empty parts. Put errors at their fields."""
    made = {}
    for name, field in kind.fields.items():
        path, inner = joined(within, name), graphql.get_nullable_type(field.type)
        if name in state:
            made[name] = _value(inner, state[name], path, errors)
        elif graphql.is_required_input_field(field):
            if isinstance(inner, graphql.GraphQLInputObjectType) and not is_one_of(inner):
                made[name] = make_input(inner, {}, errors, path)
            else:
                errors[f"{path}.0" if isinstance(inner, graphql.GraphQLList) else path] = [MISSING]
    return made


def _value(kind: Any, state: State, path: str, errors: Errors) -> Any:
    match kind, state:
        case graphql.GraphQLInputObjectType(), dict():
            return make_input(kind, state, errors, path)
        case graphql.GraphQLList(), list():
            inner = graphql.get_nullable_type(kind.of_type)
            return [_value(inner, of, f"{path}.{index}", errors) for index, of in enumerate(state)]
        case graphql.GraphQLList(), str():
            return [word.strip() for word in state.split(",") if word.strip()]
        case graphql.GraphQLEnumType(), str() if state not in kind.values:
            errors[path] = ["expected one of these: " + ", ".join(kind.values)]
        case graphql.GraphQLScalarType(name="Int"), str():
            if INTEGER.fullmatch(state) and abs(int(state)) < 2**31:
                return int(state)
            errors[path] = ["expected a whole number"]
        case graphql.GraphQLScalarType(name="Position"), str() if not INTEGER.fullmatch(state):
            errors[path] = ["expected a whole number"]
        case graphql.GraphQLScalarType(name="Boolean"), str():
            if state in ("true", "false"):
                return state == "true"
            errors[path] = ["expected yes or no"]
    return state
