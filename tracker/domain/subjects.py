"""The subjects of a fact: the commodities, places and actors that its declared fields name.

The fields say it themselves by their types, so that no kind of fact can be forgotten by those who
follow, filter or search: a new one is about whatever it has of type `Commodity`, `Place` or
`Actor`, however deep. A field that names somebody whom the fact is not about, such as the
destinations of a clause, says so where it is declared: `Annotated[..., NOT_A_SUBJECT]`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from msgspec import inspect

from tracker.domain.values import NOT_A_SUBJECT, Actor, Commodity, Fact, Place

FieldPath = tuple[str, ...]
"""The way to a field: names of fields, the last one that of words or of lists of them."""


class SubjectFields(NamedTuple):
    """The fields of a type of fact that name its subjects."""

    commodities: tuple[FieldPath, ...]
    actors: tuple[FieldPath, ...]


def commodities(fact: Fact) -> Iterator[str]:
    """The commodities that a fact is about."""
    for steps in subject_fields(type(fact)).commodities:
        yield from _words(fact, steps)


def actors(fact: Fact) -> Iterator[str]:
    """Who a fact is about: where a figure is from, the issuer, the members, those who act."""
    for steps in subject_fields(type(fact)).actors:
        yield from _words(fact, steps)


@cache
def subject_fields(kind: type[Fact]) -> SubjectFields:
    """The fields of a type of fact that name its subjects, by their declarations."""
    found = list(_fields(inspect.type_info(kind), ()))
    return SubjectFields(
        tuple(steps for steps, word in found if issubclass(word, Commodity)),
        tuple(steps for steps, word in found if issubclass(word, Place | Actor)),
    )


def _fields(declared: inspect.Type, steps: FieldPath) -> Iterator[tuple[FieldPath, type[Any]]]:
    match declared:
        case inspect.Metadata(extra=extra) if extra and extra == NOT_A_SUBJECT.extra:
            return
        case inspect.Metadata(type=inner):
            yield from _fields(inner, steps)
        case inspect.StructType(fields=fields):
            for field in fields:
                yield from _fields(field.type, (*steps, field.name))
        case inspect.UnionType(types=types):
            for inner in types:
                yield from _fields(inner, steps)
        case inspect.VarTupleType(item_type=inner) | inspect.ListType(item_type=inner):
            yield from _fields(inner, steps)
        case inspect.CustomType(cls=word) if issubclass(word, Commodity | Place | Actor):
            yield steps, word


def _words(value: Any, steps: FieldPath) -> Iterator[str]:
    if value is None:
        return
    if isinstance(value, tuple | list):
        for item in value:
            yield from _words(item, steps)
    elif steps:
        yield from _words(getattr(value, steps[0]), steps[1:])
    else:
        yield value
