"""Words of vocabularies with attributes, and the values that several vocabularies share."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Self


class Word(StrEnum):
    """A word of a vocabulary with attributes: `NAME = word, ATTRIBUTE, …`, in the order of their annotations.

    A docstring below each word describes it to clients. The definition of a word that lacks an attribute
    raises ValueError.
    """

    _value_: str
    phrase: str
    """The word in a sentence; unless it is an attribute of the vocabulary, the word with spaces."""

    def __new__(cls, word: str, *declared: object) -> Self:
        self = str.__new__(cls, word)
        self._value_, self.phrase = word, word.replace("_", " ")
        kinds = cls.__mro__[: cls.__mro__.index(Word)]
        names = [name for kind in kinds for name in kind.__annotations__]
        for name, value in zip(names, declared, strict=True):
            setattr(self, name, value)
        return self


class NamedWord(Word):
    """A word whose phrase differs from it: `NAME = word, phrase`."""

    phrase: str


class Hue(StrEnum):
    """A kind of measure, as a colour. A domestic processing rule counts as a ban; an investigation
    restricts nothing and has no colour of its own."""

    BAN = "ban"
    LICENCE = "licence"
    QUOTA = "quota"
    TARIFF = "tariff"
    OTHER = "other"


class Shape(StrEnum):
    """The shape of a period of a status in drawings."""

    HOLLOW = "hollow"
    """Thin outline: law that is not yet in force."""
    DASHED = "dashed"
    """Thin dashed outline: not law."""
    SOLID = "solid"
    HATCHED = "hatched"
    LINE = "line"
    """Line after an end mark: ended as planned."""
    DOTS = "dots"
    """Dotted line after a cross: ended by an act."""


class Phase(StrEnum):
    """The phase of a clause in which it has a status."""

    NOT_LAW = "not_law"
    UPCOMING = "upcoming"
    CURRENT = "current"
    """In force, or in force again after a suspension."""
    ENDED = "ended"


def vocabularies_of(names: Mapping[str, object]) -> tuple[type[StrEnum], ...]:
    """Return the vocabularies that a module defines, by its global names."""
    return tuple(
        one
        for one in names.values()
        if isinstance(one, type)
        and issubclass(one, StrEnum)
        and one.__module__ == names["__name__"]
    )
