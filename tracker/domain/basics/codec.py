"""JSON codec of facts and states, with errors that name the field."""

import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, TypeVar, cast, get_args, get_type_hints

import msgspec

from tracker.domain.basics.text_rules import check_notation
from tracker.errors import InvalidInput, Path

T = TypeVar("T")
ERROR_PATH = re.compile(r"(?P<what>.*) - at `\$(?P<where>[^`]*)`", re.DOTALL)
PATH_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[\.\.\.\]")
LENGTH = re.compile(r"Expected `(\w+)` of length ([<>])= (\d+)")
TYPES = re.compile(r"`([\w |]+)`")
TYPE_WORDS = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
}
"""Types of JSON in the errors of msgspec, in words."""
FIELD_ERROR = re.compile(r"Object (missing required|contains unknown) field `(.*)`", re.DOTALL)


@lru_cache(maxsize=65536)
def _decode_word(kind: Callable[[str], Any], value: Any) -> Any:
    """Build a word of a vocabulary (`Place`, `Commodity`, `Unit`, `PartialDate`, `Actor`).

    The cache itself is called for each decoded word: a wrapper function would take longer than the lookup. It
    rejects lists and objects with a TypeError; see `to_invalid_input`.
    """
    if not isinstance(value, str):
        raise InvalidInput(f"expected text, got {type(value).__name__}")
    return kind(value)


_encoder = msgspec.json.Encoder(enc_hook=str)


@cache
def _decoder(kind: Hashable) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind, dec_hook=_decode_word)


def encode(value: Any) -> bytes:
    """Encode `value` as compact JSON; equal values give equal bytes."""
    return _encoder.encode(value)


def decode(kind: type[T], data: bytes | str) -> T:
    """Decode a value of type `kind` from JSON. Raises InvalidInput with the path of the wrong field."""
    try:
        value: T = _decoder(cast(Hashable, kind)).decode(data)
        return value
    except msgspec.ValidationError as error:
        raise to_invalid_input(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(f"expected JSON: {error}", code="INVALID_JSON") from None


def decode_all(kind: type[T], texts: Sequence[bytes | str]) -> list[T]:
    """Decode values of type `kind`, one per text; raises as `decode` does."""
    try:
        return [*map(_decoder(cast(Hashable, kind)).decode, texts)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return [decode(kind, text) for text in texts]  # raises an error that names the field


def decode_input(kind: type[T], data: bytes | str) -> T:
    """Decode a value of type `kind` from JSON input: numbers must be in plain notation.

    The log contains only numbers in our own notation, so `decode` is sufficient there. Raises InvalidInput
    with the path of the wrong field.
    """
    value = decode(kind, data)
    _check_notation(value, _plain.decode(data), ())
    return value


_plain = msgspec.json.Decoder(float_hook=str)


def _check_notation(value: Any, notation: Any, path: Path) -> None:
    """Reject a number in another notation, given the value and its source."""
    match value:
        case Decimal():
            if isinstance(notation, str):
                check_notation(notation, *path)
        case msgspec.Struct():
            for name, written in _numeric_fields(type(value)):
                if written in notation:
                    _check_notation(getattr(value, name), notation[written], (*path, written))
        case tuple():
            for index, item in enumerate(value):
                _check_notation(item, notation[index], (*path, index))


@cache
def _numeric_fields(kind: type[msgspec.Struct]) -> tuple[tuple[str, str], ...]:
    """Return the fields of a struct that may contain numbers, with their JSON names."""
    hints = get_type_hints(kind)
    return tuple(
        (field.name, field.encode_name)
        for field in msgspec.structs.fields(kind)
        if any(
            part is Decimal or issubclass(part, msgspec.Struct)
            for part in _classes(hints[field.name])
        )
    )


def _classes(hint: Any) -> Iterator[type]:
    """Return the classes in a type: `Clause` for `tuple[Clause, ...]`."""
    if isinstance(hint, type) and not get_args(hint):
        yield hint
    for part in get_args(hint):
        yield from _classes(part)


def from_builtins(kind: type[T], value: Any) -> T:
    """Convert plain Python data, as parsed from JSON, to type `kind`. Raises InvalidInput."""
    try:
        data = encode(value)
    except (UnicodeEncodeError, RecursionError) as error:
        raise InvalidInput(f"expected what JSON can hold: {error}") from None
    return decode_input(kind, data)


def to_invalid_input(error: msgspec.ValidationError) -> InvalidInput:
    """Convert a msgspec error to InvalidInput, with a stable code and the path of the field."""
    match = ERROR_PATH.fullmatch(str(error))
    problem, where = match.groups() if match else (str(error), "")
    cause = error.__cause__
    path = _path(where)
    if isinstance(cause, InvalidInput):
        return InvalidInput(
            cause.message, code=cause.code, path=(*path, *cause.path), suggestion=cause.suggestion
        )
    if isinstance(cause, TypeError):  # a list or an object in place of a word: see `_decode_word`
        problem = "expected text, got a list or an object"
    if about := FIELD_ERROR.fullmatch(problem):
        return _field_error(about[2], about[1] == "missing required", path)
    too_long = "length <=" in problem
    return InvalidInput(
        _in_words(problem), code="TOO_LARGE" if too_long else "INVALID_INPUT", path=path
    )


def _in_words(problem: str) -> str:
    """Return a message of msgspec with words for its types."""
    if length := LENGTH.fullmatch(problem):
        type_, relation, number = length.groups()
        limit = "at most" if relation == "<" else "at least"
        unit = "character" if type_ == "str" else "item"
        return f"expected {limit} {number} {unit}{'' if number == '1' else 's'}"
    words = TYPES.sub(
        lambda found: " or ".join(TYPE_WORDS.get(one, one) for one in found[1].split(" | ")),
        problem,
    )
    return words.replace("Expected", "expected", 1)


def _field_error(field: str, missing: bool, path: Path) -> InvalidInput:
    if missing:
        return InvalidInput(
            f"expected the field {field}",
            code=REQUIRED_CODES.get(field, "FIELD_REQUIRED"),
            path=(*path, field),
        )
    return InvalidInput("expected no field of this name", path=(*path, field))


REQUIRED_CODES = {"unit": "UNIT_REQUIRED", "source": "SOURCE_REQUIRED"}


def _path(where: str) -> Path:
    return tuple(name or int(index) for name, index in PATH_STEP.findall(where) if name or index)
