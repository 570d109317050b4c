"""Facts and states as JSON, and back, with errors that name the field."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from functools import cache, lru_cache
from typing import Any, TypeVar, cast

import msgspec

from tracker.errors import InvalidInput, Path

T = TypeVar("T")
WHERE = re.compile(r"^(?P<what>.*?)(?: - at `(?P<where>.*)`)?$", re.DOTALL)
STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[\.\.\.\]")


@lru_cache(maxsize=65536)
def _word(kind: Callable[[str], Any], text: str) -> Any:
    return kind(text)


def _decode_word(kind: Callable[[str], Any], value: Any) -> Any:
    """Build a word of a vocabulary (`Place`, `Commodity`, `Unit`, `PartialDate`, `Actor`)."""
    if not isinstance(value, str):
        raise InvalidInput(f"expected text, got {type(value).__name__}")
    return _word(kind, value)


_encoder = msgspec.json.Encoder(enc_hook=str)


@cache
def _decoder(kind: Hashable) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind, dec_hook=_decode_word)


def encode(value: Any) -> bytes:
    """`value` as compact JSON; the same value always gives the same bytes."""
    return _encoder.encode(value)


def decode(kind: type[T], data: bytes | str) -> T:
    """A value of type `kind` from JSON. Raises InvalidInput with the path of the wrong field."""
    try:
        value: T = _decoder(cast(Hashable, kind)).decode(data)
        return value
    except msgspec.ValidationError as error:
        raise invalid(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"expected JSON: {error}", code="INVALID_JSON") from None


def convert(kind: type[T], value: Any) -> T:
    """A value of type `kind` from plain Python data, as JSON would give it. Raises InvalidInput."""
    try:
        return msgspec.convert(value, kind, dec_hook=_decode_word, strict=True)
    except msgspec.ValidationError as error:
        raise invalid(error) from None


def invalid(error: msgspec.ValidationError) -> InvalidInput:
    """What is wrong, in this product's words: a stable code and the path of the field."""
    match = WHERE.match(str(error))
    what, where = (match["what"], match["where"]) if match else (str(error), None)
    cause = error.__cause__
    path = _path(where or "")
    if isinstance(cause, InvalidInput):
        return InvalidInput(cause.message, code=cause.code, path=(*path, *cause.path))
    missing = re.search(r"missing required field `(\w+)`", what)
    if missing:
        field = missing[1]
        return InvalidInput(f"expected a {field}", code=REQUIRED.get(field, "FIELD_REQUIRED"),
                            path=(*path, field))
    too_long = "length <=" in what
    return InvalidInput(what, code="TOO_LARGE" if too_long else "INVALID_INPUT", path=path)


REQUIRED = {"unit": "UNIT_REQUIRED", "source": "SOURCE_REQUIRED"}


def _path(where: str) -> Path:
    return tuple(name or int(index) for name, index in STEP.findall(where) if name or index)
