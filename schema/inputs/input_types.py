"""Input types, derived from the facts of the domain.

A struct becomes an input type with the same fields in camelCase, each with its description from
`schema.base.descriptions`. Inputs are converted back to plain JSON data, and the domain validates them.
"""

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
import strawberry
from strawberry.types import get_object_definition

import schema.base.enums  # noqa: F401 - enums are known before input types are made of them
from schema.base.descriptions import describe
from tracker.domain.basics.values import PartialDate, TextCommitment
from tracker.errors import InvalidInput, TooLarge

RENAMED = {"judged": "assessment"}
"""GraphQL names of fields with another name in the log."""

UNSTATED = frozenset({"reviewed_by", "snapshot"})
"""Fields of facts that only reviews set."""

CHECKED_BY_DOMAIN = frozenset({"unit", "source"})
"""Required fields that are nullable here, because the errors of the domain are more precise than those of
GraphQL."""

MAX_TEXT_CHARACTERS = 10_000
"""Maximum length of a text. The limits of the domain are lower."""


def input_type(
    name: str, struct: type[msgspec.Struct], description: str, more: Mapping[str, Any] | None = None
) -> type[Any]:
    """Return an input type with the fields of a struct, after `more` fields by name and type."""
    annotations = dict(more or {})
    required = set(annotations)
    hints = get_type_hints(struct, include_extras=True)
    for field in msgspec.structs.fields(struct):
        if field.name in UNSTATED:
            continue
        annotations[field.name] = graphql_type(hints[field.name])
        if field.required and field.name not in CHECKED_BY_DOMAIN:
            required.add(field.name)
        elif type(None) not in get_args(annotations[field.name]):
            annotations[field.name] = annotations[field.name] | None
    namespace: dict[str, Any] = {"__annotations__": annotations, "__module__": __name__}
    for field_name in annotations:
        described = describe(field_name, struct)
        namespace[field_name] = _field(field_name, described, field_name in required)
    return strawberry.input(type(name, (), namespace), name=name, description=description)


def _field(name: str, described: str, required: bool) -> Any:
    renamed = RENAMED.get(name)
    if required:
        return strawberry.field(name=renamed, description=described)
    if name in CHECKED_BY_DOMAIN:
        described += " Required."
    return strawberry.field(name=renamed, description=described, default=None)


def one_of_type(name: str, kinds: Mapping[str, type[Any]], description: str) -> type[Any]:
    """Return an input type with exactly one field set, each described by its type."""
    namespace: dict[str, Any] = {
        "__annotations__": {field: kind | None for field, kind in kinds.items()},
        "__module__": __name__,
    }
    for field, kind in kinds.items():
        namespace[field] = strawberry.field(
            description=description_of_kind(kind), default=strawberry.UNSET
        )
    return strawberry.input(
        type(name, (), namespace), name=name, description=description, one_of=True
    )


def description_of_kind(kind: type[Any]) -> str:
    """Return the description of an input type."""
    return str(get_object_definition(kind, strict=True).description)


@cache
def graphql_type(hint: Any) -> Any:
    """Return the GraphQL type of a field in a struct: words of a vocabulary are strings."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return graphql_type(arguments[0])
    if origin is tuple:
        return list[graphql_type(arguments[0])]  # type: ignore[misc]  # known at run time only
    if origin in (Union, types.UnionType):
        members = [
            part for part in arguments if part is not TextCommitment
        ]  # skip annotations of msgspec
        parts = tuple(part if part is type(None) else graphql_type(part) for part in members)
        return Union[parts]  # noqa: UP007 - made from a tuple
    if issubclass(hint, msgspec.Struct):
        about = " ".join(str(hint.__doc__).split("\n\n")[0].split())
        return input_type(f"{hint.__name__}Input", hint, about)
    if issubclass(hint, Enum | PartialDate | Decimal | bool | int):
        return hint
    return str


def to_plain_json(value: Any, *path: str | int) -> Any:
    """Return the value of an input as plain JSON data, without fields that were left out.

    Raises InvalidInput or TooLarge for extreme texts before the domain validates them.
    """
    if is_dataclass(value):
        values = {to_camel(f.name): getattr(value, f.name) for f in fields(value)}
        return {
            name: to_plain_json(of, *path, name)
            for name, of in values.items()
            if of is not None and of is not strawberry.UNSET
        }
    if isinstance(value, list):
        return [to_plain_json(of, *path, index) for index, of in enumerate(value)]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        check_text(value, *path)
    return value


def check_text(value: str, *path: str | int) -> None:
    """Refuse texts that are far too long or contain NUL characters, which PostgreSQL cannot store."""
    if len(value) > MAX_TEXT_CHARACTERS:
        raise TooLarge(
            f"expected at most {MAX_TEXT_CHARACTERS} letters, got {len(value)}", path=path
        )
    if "\0" in value:
        raise InvalidInput("expected text without NUL characters", path=path)


def to_camel(name: str) -> str:
    """Return a field's name in JSON and GraphQL."""
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)
