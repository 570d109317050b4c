"""Elements of the long lists in states: one or more for each fact of an entity.

A state of many facts lists each of them. Such lists are stored separately from the states. Each element is
stored once, regardless of the number of states that contain it.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import date
from hashlib import blake2b
from typing import NamedTuple, Self

from tracker.domain.basics.codec import encode
from tracker.domain.basics.values import Value
from tracker.domain.entities.provenance import Issuers

MAX_INLINE_FACTS = 16
"""Maximum number of facts behind a state whose lists are stored with it."""
PART_MARK = "\x02"
"""Mark at the start of a state that is stored without its lists, and between its parts.

The parts are the size of the whole, the mark of its lists, and the texts before, between and after them. JSON
does not contain this character.
"""


def are_stored_apart(count: int) -> bool:
    """Return whether the lists of a state with a number of facts are stored separately."""
    return count > MAX_INLINE_FACTS


def is_split(text: str) -> bool:
    """Return whether a state is stored without its lists."""
    return text[:1] == PART_MARK


class Element(NamedTuple):
    """An element of a list in the states from one day up to another (None: all later days)."""

    list: int
    """The number of the list in the state, from 1."""
    place: str
    """The sort key of the element in its list."""
    first_day: date
    end: date | None
    value: Value
    text: str
    """The element as JSON."""
    issuers: Issuers = None
    """The issuers of its fact; the text does not contain them."""

    @classmethod
    def of(
        cls, list: int, place: str, first_day: date, value: Value, end: date | None = None
    ) -> Self:
        """Return the element of a value."""
        return cls(list, place, first_day, end, value, encode(value).decode())


class EncodedElement(NamedTuple):
    """An element, its JSON text, and a number derived from the text."""

    value: Value
    text: str
    number: int
    size: int


class ElementCache:
    """Cache of encoded elements by their sources. All folds of one entity share it."""

    __slots__ = ("_elements",)

    def __init__(self) -> None:
        self._elements: dict[Hashable, EncodedElement] = {}

    def get(self, key: Hashable, make: Callable[[], Value]) -> EncodedElement:
        """Return the element of a key and its JSON; build it on a cache miss."""
        element = self._elements.get(key)
        if element is None:
            value = make()
            text = encode(value)
            number = int.from_bytes(blake2b(text, digest_size=16).digest())
            element = self._elements[key] = EncodedElement(value, text.decode(), number, len(text))
        return element


class Elements:
    """A long list in a state, with the JSON of its elements."""

    __slots__ = ("_sum", "_texts", "size", "values")

    def __init__(self, written: Iterable[EncodedElement] = ()):
        each = [*written]
        self.values = [one.value for one in each]
        self._texts = [one.text for one in each]
        self._sum = sum([one.number for one in each])
        self.size = sum([one.size + 1 for one in each])
        """Bytes of all elements as JSON, each with a comma."""

    def copy(self) -> Self:
        """Return a copy of the list."""
        twin = type(self)()
        twin.values, twin._texts = [*self.values], [*self._texts]
        twin._sum, twin.size = self._sum, self.size
        return twin

    def insert(self, index: int, new: EncodedElement) -> None:
        """Insert an element at a place."""
        self.values.insert(index, new.value)
        self._texts.insert(index, new.text)
        self._sum += new.number
        self.size += new.size + 1

    def put(self, index: int, old: EncodedElement, new: EncodedElement) -> None:
        """Replace an element."""
        self.values[index], self._texts[index] = new.value, new.text
        self._sum += new.number - old.number
        self.size += new.size - old.size

    @property
    def mark(self) -> str:
        """Mark that identifies the elements; their order follows from their content."""
        return f"{len(self.values)}.{self._sum % 2**128:x}"

    @property
    def first(self) -> str:
        """Return the first element as JSON."""
        return self._texts[0]

    def text(self) -> str:
        """Return all elements as JSON, with commas."""
        return ",".join(self._texts)


def split_at_lists(text: str, lists: Sequence[tuple[str, Elements]]) -> list[str]:
    """Split the JSON of a state with only the first element of each list into the parts before, between
    and after its lists."""
    parts = []
    for name, elements in lists:
        head, name_and_mark, text = text.partition(f'"{name}":[{elements.first}]')
        assert name_and_mark
        parts.append(f'{head}"{name}":[')
        text = "]" + text
    return [*parts, text]
