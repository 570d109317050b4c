"""Rules for new records. Pure.

These rules apply where a fact is decided, whether by a mutation, an import or a command. Facts that were
recorded before a rule existed are read without it and stay unchanged.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import cache
from typing import Any, get_args, get_type_hints

import msgspec

from tracker.domain.basics.codec import encode
from tracker.domain.basics.text_rules import check_digits, check_line, check_text
from tracker.domain.basics.values import Text, TextCommitment, Value
from tracker.domain.entities.fact import Fact
from tracker.errors import InvalidInput

BESIDE_FIELDS = ("source", "moreSources", "note", "quotation")
"""Fields of a fact that a source cannot lack."""
EVENT_ID_FIELDS = frozenset({"retracts", "replacement", "redacts"})
"""Fields with event ids, which are validated where events get them."""


def check_recordable(value: Value) -> None:
    """Reject a fact that would be misread or misrepresented.

    Raises InvalidInput with the path of the field.
    """
    for name, written, check in _checks(type(value)):
        part = getattr(value, name)
        if isinstance(part, tuple):
            for index, item in enumerate(part):
                check(item, written, index)
        elif part is not None:
            check(part, written)
    value.check_recordable()
    if isinstance(value, Fact):
        _check_unsupported(value)


def _check_unsupported(fact: Fact) -> None:
    """Reject entries of `unsupported` that are not fields of the fact. Raises InvalidInput."""
    marked = [
        (("moreSources", index - 1) if index else ("source",), source.unsupported)
        for index, source in enumerate(fact.sources)
        if source.unsupported
    ]
    if not marked:
        return
    values = msgspec.json.decode(encode(fact))
    fields = {name: value for name, value in values.items() if name not in BESIDE_FIELDS}
    for path, unsupported in marked:
        for index, field in enumerate(unsupported):
            if not _has(fields, field.split(".")):
                raise InvalidInput(
                    f"{field!r} is not a field that the fact gives: expected one of"
                    f" {', '.join(fields)}, or a part of one such as 'amounts.0.quantity'",
                    code="UNKNOWN_FIELD",
                    path=(*path, "unsupported", index),
                )


def _has(value: Any, parts: Sequence[str]) -> bool:
    """Return whether plain data have a value at a path."""
    if not parts:
        return True
    if isinstance(value, list):
        index = int(parts[0]) if parts[0].isdecimal() else len(value)
        return index < len(value) and _has(value[index], parts[1:])
    return isinstance(value, dict) and parts[0] in value and _has(value[parts[0]], parts[1:])


def check_not_reviewed(fact: Fact) -> None:
    """Reject a fact that names its own reviewer or snapshot: only a review sets them. Raises InvalidInput."""
    for index, source in enumerate((fact.source, *fact.more_sources)):
        path = ("moreSources", index - 1) if index else ("source",)
        if source.reviewed_by:
            raise InvalidInput(
                "expected no reviewer: a review writes down who accepted a fact",
                path=(*path, "reviewedBy"),
            )
        if source.snapshot:
            raise InvalidInput(
                "expected no snapshot: a review writes down which one a fact was read from",
                path=(*path, "snapshot"),
            )


def _check_struct(value: Value, *path: str | int) -> None:
    try:
        check_recordable(value)
    except InvalidInput as error:
        raise error.below(*path) from None


def _check_free_text(value: str | TextCommitment, *path: str | int) -> None:
    if isinstance(value, str):
        check_text(value, *path)


@cache
def _checks(kind: type[Value]) -> tuple[tuple[str, str, Callable[..., None]], ...]:
    """Yield the fields of a struct to check: name, JSON name, and the check of the value or its items."""
    hints = get_type_hints(kind, include_extras=True)
    checks = (
        (field, _check_of(hints[field.name]))
        for field in msgspec.structs.fields(kind)
        if field.name not in EVENT_ID_FIELDS
    )
    return tuple((field.name, field.encode_name, check) for field, check in checks if check)


def _check_of(hint: Any) -> Callable[..., None] | None:
    """Return the check for a field of a type; None for words of a vocabulary, which check themselves."""
    parts = set(_parts(hint))
    if Text in parts:
        return _check_free_text
    for plain in parts:
        if plain is str:
            return check_line
        if plain is Decimal:
            return check_digits
        if isinstance(plain, type) and issubclass(plain, Value):
            return _check_struct
    return None


def _parts(hint: Any) -> Iterator[Any]:
    """Yield all types that a type is composed of, including itself."""
    yield hint
    for part in get_args(hint):
        yield from _parts(part)
