"""Arguments of tools: parsed strictly, with errors that name the expected values. Pure."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated, Any, TypeVar, get_type_hints

import msgspec
from msgspec import Meta, Struct

from tracker.domain.basics.codec import to_invalid_input
from tracker.errors import InvalidInput, TooLarge

MAX_TEXT_CHARACTERS = 300
"""Maximum length of a text argument."""
MAX_ITEMS = 50
"""Maximum number of items in a response."""

Day = Annotated[str, Meta(extra_json_schema={"format": "date"})]
YearNumber = Annotated[int, Meta(ge=1, le=9999)]
Count = Annotated[int, Meta(ge=1, le=MAX_ITEMS)]
Arguments = TypeVar("Arguments", bound="ToolArguments")


class ToolArguments(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """Common arguments of all tools: the moment."""

    day: Day | None = None
    position: Annotated[int, Meta(ge=0)] | None = None


class PagedArguments(ToolArguments, frozen=True, kw_only=True):
    """Common arguments of tools with pages."""

    first: Count = 20
    after: str | None = None


def read_arguments(kind: type[Arguments], arguments: Mapping[str, Any]) -> Arguments:
    """Parse the arguments of a call.

    Null counts as missing; words may have capitals, blanks and hyphens. Raises InvalidInput or TooLarge
    with the name of the argument.
    """
    names = {field.name: field.encode_name for field in msgspec.structs.fields(kind)}
    known = list(names.values())
    words = {names[name]: accepted for name, accepted in word_lists(kind).items()}
    values = {name: value for name, value in arguments.items() if value is not None}
    for name, value in values.items():
        if name not in known:
            raise InvalidInput(
                f"{name[:50]!r} is not an argument of this tool: expected"
                f" {', '.join(known)}{did_you_mean(name, known)}",
                path=(name[:50],),
            )
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and len(text) > MAX_TEXT_CHARACTERS:
                raise TooLarge(f"expected at most {MAX_TEXT_CHARACTERS} characters", path=(name,))
        if name in words:
            values[name] = _as_words(name, value, words[name])
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise to_invalid_input(error) from None


def did_you_mean(name: str, known: list[str]) -> str:
    """Return the end of a message about an unknown name: the closest one, if one is close."""
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def word_lists(kind: type[ToolArguments]) -> dict[str, list[str]]:
    """Return the words of each argument with a vocabulary."""
    by_field = {}
    for name, type_ in get_type_hints(kind).items():
        vocabulary = [
            one
            for one in (type_, *_parts(type_))
            if isinstance(one, type) and issubclass(one, StrEnum)
        ]
        if vocabulary:
            by_field[name] = [word.value for word in vocabulary[0]]
    return by_field


def _parts(type_: Any) -> list[Any]:
    """Return the component types of a type."""
    inner = getattr(type_, "__args__", ())
    return [part for one in inner for part in (one, *_parts(one))]


def _as_words(name: str, value: Any, known: list[str]) -> Any:
    if isinstance(value, list):
        return [_as_words(name, one, known) for one in value]
    if not isinstance(value, str):
        return value
    word = re.sub(r"[ -]", "_", value.strip().lower())
    if word not in known:
        raise InvalidInput(
            f"{value[:50]!r}: expected one of {', '.join(known)}{did_you_mean(word, known)}",
            path=(name,),
        )
    return word
