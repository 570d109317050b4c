"""The fields of a form, from an input of the API and what was filled in. Pure.

What is filled in (`State`) has the shape of the input: objects, lists, and text for all else. A field
is named by its path in it, with points between: `clauses.0.measure`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from graphql import (
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    get_nullable_type,
)

from schema.execution.schema import SCHEMA

State: TypeAlias = "str | list[State] | dict[str, State]"
Errors: TypeAlias = Mapping[str, Sequence[str]]
"""What is wrong, by the names of fields."""

COMMANDS = "CommandInput"
WRAPPERS = frozenset({"ifVersion"})
"""Commands that only carry another one."""
ALWAYS_SHOWN = frozenset({"source"})
"""Optional groups of fields that are always open: the domain asks for them."""
LAST = ("source", "note", "quotation", "moreSources", "replacement")
"""Fields that stand behind all others of an input."""
LONG_TEXTS = frozenset({"note", "quotation", "exemptions", "account", "reason", "purpose"})
SELDOM = frozenset(
    {"moreSources", "originalTitle", "instrument", "official", "confidence", "primary", "revised"}
)
"""Fields that are shown among others that are seldom used."""
USED_OF = {
    "ClauseInput": frozenset(
        {"id", "measure", "commodities", "destinations", "inForceFrom", "inForceUntil", "covers"}
    )
}
"""Of inputs with many fields, those that are not seldom used."""
LABELS = {"hs": "HS codes", "id": "Key", "on": "Public on", "url": "Web address"}
"""Labels of fields whose names alone do not say it."""
SUGGESTED = {
    "commodities": ("commodities", "commodity"),
    "places": (
        "actors",
        "destinations",
        "issuer",
        "member",
        "members",
        "origins",
        "place",
        "places",
    ),
}
"""The fields that the items of a list are suggested for, by the name of the list."""
SUGGESTIONS = {field: name for name, fields in SUGGESTED.items() for field in fields}
DAY_FORMS = "2025-11-09, 2025-11 or 2025"
"""How a date is written, as exactly as it is known."""
SPACE_BEFORE = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form, with what was filled in."""

    name: str
    label: str
    help: str
    kind: str
    """`text`, `long`, `number`, `yes_no` or `choice`; `group` of fields, `list` of them."""
    required: bool = False
    value: str = ""
    choices: Sequence[tuple[str, str, str]] = ()
    """Value, words and meaning of each choice."""
    fields: Sequence[Field] = ()
    """Those of a group, or of the items of a list."""
    seldom: bool = False
    shown: bool = True
    """Whether a group is open."""
    errors: Sequence[str] = ()
    suggestions: str | None = None
    """The list of which items are suggested."""
    example: str = ""

    @property
    def id(self) -> str:
        """The id of its element."""
        return f"field-{self.name}"

    @property
    def filled(self) -> bool:
        """Whether something is filled in."""
        return bool(self.value) or any(field.filled for field in self.fields)

    def below(self) -> Iterator[Field]:
        """The field itself and all in it."""
        yield self
        for field in self.fields:
            yield from field.below()


def commands() -> Mapping[str, GraphQLInputObjectType]:
    """The inputs of all commands by their names."""
    kind = SCHEMA._schema.type_map[COMMANDS]
    assert isinstance(kind, GraphQLInputObjectType)
    return {
        name: input_object(field) for name, field in kind.fields.items() if name not in WRAPPERS
    }


def input_object(field: GraphQLInputField) -> GraphQLInputObjectType:
    """The input that a field takes."""
    kind = get_nullable_type(field.type)
    assert isinstance(kind, GraphQLInputObjectType)
    return kind


def is_one_of(kind: GraphQLInputObjectType) -> bool:
    """Whether exactly one field of an input is given."""
    return bool(kind.extensions["strawberry-definition"].is_one_of)


def label_of(name: str) -> str:
    """A name of the API in words: `suspendedUntil` is `Suspended until`."""
    words = LABELS.get(name) or SPACE_BEFORE.sub(" ", name).lower()
    return words[:1].upper() + words[1:]


def form_fields(kind: GraphQLInputObjectType, state: State, errors: Errors) -> list[Field]:
    """The fields of an input with what was filled in and what is wrong with it."""
    return [_with_errors(field, errors) for field in _object_fields(kind, state, "")]


def _object_fields(kind: GraphQLInputObjectType, state: State, within: str) -> list[Field]:
    given = state if isinstance(state, dict) else {}
    if is_one_of(kind):
        return [
            replace(_field(name, kind.fields[name], of, _joined(within, name), kind), shown=True)
            for name, of in given.items()
        ]
    return [
        _field(name, kind.fields[name], given.get(name, ""), _joined(within, name), kind)
        for name in sorted(kind.fields, key=lambda name: name in LAST and LAST.index(name) + 1)
    ]


def _field(
    name: str, field: GraphQLInputField, state: State, path: str, parent: GraphQLInputObjectType
) -> Field:
    required = isinstance(field.type, GraphQLNonNull)
    used = USED_OF.get(parent.name)
    made = _suggesting(name, _of_type(get_nullable_type(field.type), state, path, required))
    label = label_of(name)
    if made.kind == "list":
        items = [replace(each, label=f"{label}, {each.label}") for each in made.fields]
        made = replace(made, fields=items)
    return replace(
        made,
        label=label,
        help=field.description or "",
        required=required,
        seldom=name in SELDOM if used is None else name not in used,
        shown=made.shown or name in ALWAYS_SHOWN,
        kind="long" if made.kind == "text" and name in LONG_TEXTS else made.kind,
    )


def _suggesting(name: str, field: Field) -> Field:
    """A field, or a list of fields, with suggestions."""
    if field.kind == "list":
        return replace(field, fields=[_suggesting(name, each) for each in field.fields])
    return replace(field, suggestions=SUGGESTIONS.get(name) if field.kind == "text" else None)


def _of_type(kind: Any, state: State, path: str, required: bool) -> Field:
    blank = Field(path, "", "", "text")
    match kind:
        case GraphQLList():
            inner = get_nullable_type(kind.of_type)
            items = state if isinstance(state, list) else []
            if not items and (required or not isinstance(inner, GraphQLInputObjectType)):
                items = [""]
            made = [
                replace(_of_type(inner, of, f"{path}.{index}", True), label=str(index + 1))
                for index, of in enumerate(items)
            ]
            return replace(blank, kind="list", fields=made)
        case GraphQLInputObjectType():
            fields = _object_fields(kind, state, path)
            return replace(blank, kind="group", fields=fields, shown=required or bool(state))
        case GraphQLEnumType():
            choices = [
                (name, name.replace("_", " ").lower(), value.description or "")
                for name, value in kind.values.items()
            ]
            return replace(blank, kind="choice", choices=choices, value=_text(state))
        case GraphQLScalarType(name="Boolean"):
            return replace(blank, kind="yes_no", value=_text(state))
        case GraphQLScalarType(name="Int" | "Decimal"):
            return replace(blank, kind="number", value=_text(state))
        case GraphQLScalarType(name="PartialDate"):
            return replace(blank, value=_text(state), example=DAY_FORMS)
    return replace(blank, value=_text(state))


def _with_errors(field: Field, errors: Errors) -> Field:
    return replace(
        field,
        errors=errors.get(field.name, ()),
        fields=[_with_errors(each, errors) for each in field.fields],
        shown=field.shown or any(each.name in errors for each in field.below()),
        seldom=field.seldom and not any(each.name in errors for each in field.below()),
    )


def _text(state: State) -> str:
    return state if isinstance(state, str) else ""


def _joined(within: str, name: str) -> str:
    return f"{within}.{name}" if within else name
