"""Subjects of a fact: the commodities, places and actors in its declared fields.

Subjects follow from the types of the fields, so that subscriptions, filters and searches work for every kind
of fact. A new kind has all its fields of type `Commodity`, `Place` or `Actor` as subjects, at any depth. A
field that is not a subject, such as the destinations of a clause, is declared as `Annotated[...,
NOT_A_SUBJECT]`.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from msgspec import inspect

from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Actor, Place
from tracker.domain.entities.fact import NOT_A_SUBJECT, Fact

FieldPath = tuple[str, ...]
"""The path of a field: names of fields. The last one has words or lists of them."""


class SubjectFields(NamedTuple):
    """The fields of a type of fact that name its subjects."""

    commodities: tuple[FieldPath, ...]
    actors: tuple[FieldPath, ...]


def commodities(fact: Fact) -> Iterator[str]:
    """Return the commodities of a fact."""
    for steps in subject_fields(type(fact)).commodities:
        yield from _words(fact, steps)


def actors(fact: Fact) -> Iterator[str]:
    """Return the actors and places of a fact: the place of a figure, the issuer, the members, the actors."""
    for steps in subject_fields(type(fact)).actors:
        yield from _words(fact, steps)


@cache
def subject_fields(kind: type[Fact]) -> SubjectFields:
    """Return the subject fields of a type of fact, from their declarations."""
    names = list(_fields(inspect.type_info(kind), ()))
    return SubjectFields(
        tuple(steps for steps, word in names if issubclass(word, Commodity)),
        tuple(steps for steps, word in names if issubclass(word, Place | Actor)),
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
