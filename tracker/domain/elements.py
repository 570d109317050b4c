"""The elements of the long lists in states: one or more for each of an entity's facts.

A state of many facts names each of them. So such lists are written apart from the states that have
them, and each of their elements once, however many states it is in.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import date
from hashlib import blake2b
from typing import NamedTuple, Self

from tracker.domain.codec import encode
from tracker.domain.provenance import Issuers
from tracker.domain.values import Value

MAX_INLINE_FACTS = 16
"""Up to so many facts behind a state its lists are written with it."""
PART_MARK = "\x02"
"""Begins a state that is written without its lists, and parts what is written of it: how large the
whole is, what tells its lists from others, and what is before, between and behind them. JSON has no
such character."""


def are_stored_apart(count: int) -> bool:
    """Whether the lists of a state with so many facts behind it are written apart."""
    return count > MAX_INLINE_FACTS


def is_split(text: str) -> bool:
    """Whether a state is written without its lists."""
    return text[:1] == PART_MARK


class Element(NamedTuple):
    """An element of a list in the states from a day on, up to another (None: all later days)."""

    list: int
    """The number of the list in the state, from 1 on."""
    place: str
    """The sort key of the element in its list."""
    first_day: date
    end: date | None
    value: Value
    text: str
    """The element as JSON."""
    issuers: Issuers = None
    """The issuers of its fact, of which nothing is in the text."""

    @classmethod
    def of(
        cls, list: int, place: str, first_day: date, value: Value, end: date | None = None
    ) -> Self:
        """An element of some value."""
        return cls(list, place, first_day, end, value, encode(value).decode())


class EncodedElement(NamedTuple):
    """An element, what it is as JSON, and a number that follows from this."""

    value: Value
    text: str
    number: int
    size: int


class ElementCache:
    """Elements that were written as JSON, by what they follow from. All folds of one entity share
    them."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[Hashable, EncodedElement] = {}

    def get(self, key: Hashable, make: Callable[[], Value]) -> EncodedElement:
        """The element of a key and its JSON; made if there is none."""
        found = self._found.get(key)
        if found is None:
            value = make()
            text = encode(value)
            number = int.from_bytes(blake2b(text, digest_size=16).digest())
            found = self._found[key] = EncodedElement(value, text.decode(), number, len(text))
        return found


class Elements:
    """A long list in a state, and what its elements are as JSON."""

    __slots__ = ("_sum", "_texts", "size", "values")

    def __init__(self, written: Iterable[EncodedElement] = ()):
        each = [*written]
        self.values = [one.value for one in each]
        self._texts = [one.text for one in each]
        self._sum = sum([one.number for one in each])
        self.size = sum([one.size + 1 for one in each])
        """Bytes of all of them as JSON, each with a comma."""

    def copy(self) -> Self:
        """Another list of the same."""
        twin = type(self)()
        twin.values, twin._texts = [*self.values], [*self._texts]
        twin._sum, twin.size = self._sum, self.size
        return twin

    def insert(self, index: int, new: EncodedElement) -> None:
        """Put another element at a place."""
        self.values.insert(index, new.value)
        self._texts.insert(index, new.text)
        self._sum += new.number
        self.size += new.size + 1

    def put(self, index: int, old: EncodedElement, new: EncodedElement) -> None:
        """Put an element in the place of another."""
        self.values[index], self._texts[index] = new.value, new.text
        self._sum += new.number - old.number
        self.size += new.size - old.size

    @property
    def mark(self) -> str:
        """Tells them from other elements; the order follows from what they are."""
        return f"{len(self.values)}.{self._sum % 2**128:x}"

    @property
    def first(self) -> str:
        """The first of them as JSON."""
        return self._texts[0]

    def text(self) -> str:
        """All of them as JSON, with commas."""
        return ",".join(self._texts)


def split_at_lists(text: str, lists: Sequence[tuple[str, Elements]]) -> list[str]:
    """Split the JSON of a state, which has only the first element of each list, into the parts
    before, between and behind its lists.
    """
    parts = []
    for name, elements in lists:
        head, found, text = text.partition(f'"{name}":[{elements.first}]')
        assert found
        parts.append(f'{head}"{name}":[')
        text = "]" + text
    return [*parts, text]
