"""What facts come to: each kind of entity takes them in one after the other, in valid-time order.

A fold goes on where it was, so that another fact costs the same however many there are before it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import date
from hashlib import blake2b
from operator import attrgetter
from typing import ClassVar, Generic, Self, TypeVar

from msgspec import structs

from tracker.domain.codec import encode
from tracker.domain.history import Because, Known, cited
from tracker.domain.values import Source, Value

STEP = 512
"""Facts after which a fold is kept, so that what lies before them need not be folded again."""
FEW = 16
"""Up to so many elements a list is written with its state; the elements of longer ones are kept as
JSON, and only joined."""


class EntityState(Value, frozen=True, kw_only=True):
    """What every state has: the entity's id without its kind, and the facts behind it."""

    id: str

    @property
    def because(self) -> tuple[Because, ...]:
        """The facts that made the state what it is, in the order of the log."""
        raise NotImplementedError

    @property
    def sources(self) -> list[Source]:
        """The sources of those facts."""
        return [fact.source for fact in self.because]


class CitingState(EntityState, frozen=True, kw_only=True):
    """A state that lists the facts behind it apart from what they say."""

    because: tuple[Because, ...]


def are_many(count: int) -> bool:
    """Whether so many elements are kept as JSON."""
    return count > FEW


class Written:
    """Elements of long lists that were written as JSON, by what they follow from. All folds of one
    entity share them."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[Hashable, tuple[Value, str]] = {}

    def of(self, key: Hashable, make: Callable[[], Value]) -> tuple[Value, str]:
        """The element of a key and its JSON; made if there is none."""
        found = self._found.get(key)
        if found is None:
            value = make()
            found = self._found[key] = value, encode(value).decode()
        return found


class Elements:
    """The elements of a long list in a state, and what they are as JSON."""

    __slots__ = ("_sum", "_texts", "values")

    def __init__(self, written: Iterable[tuple[Value, str]] = ()):
        pairs = [*written]
        self.values = [value for value, _ in pairs]
        self._texts = [text for _, text in pairs]
        self._sum = sum(map(hash, self._texts))

    def copy(self) -> Self:
        """Another list of the same."""
        twin = type(self)()
        twin.values, twin._texts, twin._sum = [*self.values], [*self._texts], self._sum
        return twin

    def insert(self, index: int, written: tuple[Value, str]) -> None:
        """Put another element at a place."""
        self.values.insert(index, written[0])
        self._texts.insert(index, written[1])
        self._sum += hash(written[1])

    def put(self, index: int, written: tuple[Value, str]) -> None:
        """Put an element in the place of another."""
        self._sum += hash(written[1]) - hash(self._texts[index])
        self.values[index], self._texts[index] = written

    @property
    def mark(self) -> tuple[int, int]:
        """Tells them from other elements; the order follows from what they are."""
        return len(self.values), self._sum

    def text(self) -> str:
        """All elements as JSON, with commas."""
        return ",".join(self._texts)


S = TypeVar("S", bound=EntityState)


class Fold(Generic[S]):
    """What the facts taken in so far come to."""

    __slots__: tuple[str, ...] = ()
    LONG: ClassVar[str | None] = None
    """The field of states that has an element for each of many facts."""

    def take(self, known: Known) -> None:
        """Take in the next fact in valid-time order."""
        raise NotImplementedError

    def state(self, id: str, day: date) -> S | None:
        """The state on a day, by which all facts taken in are public, and no others; None before
        the first."""
        raise NotImplementedError

    def elements(self) -> Elements | None:
        """The elements of the field `LONG`, where they are many."""
        return None

    def text(self, state: S) -> str:
        """The state that this fold gave last as JSON: the same bytes as when it is written whole.
        """
        elements = self.elements()
        if elements is None:
            return encode(state).decode()
        head, empty, tail = self._short(state).decode().partition(f'"{self.LONG}":[]')
        assert empty
        return f'{head}"{self.LONG}":[{elements.text()}]{tail}'

    def mark(self, state: S) -> Hashable:
        """Tells the state that this fold gave last from others: its JSON where that is short, else
        what is quicker to find out."""
        elements = self.elements()
        if elements is None:
            return encode(state).decode()
        return blake2b(self._short(state), digest_size=16).digest(), elements.mark

    def _short(self, state: S) -> bytes:
        """A state as JSON without its elements."""
        return encode(structs.replace(state, **{str(self.LONG): ()}))

    def copy(self) -> Self:
        """Another of the same facts, which goes on apart from this one."""
        twin = type(self).__new__(type(self))
        for kind in type(self).__mro__:
            for name in getattr(kind, "__slots__", ()):
                value = getattr(self, name)
                copied = value.copy() if isinstance(value, (list, dict, Elements)) else value
                setattr(twin, name, copied)
        return twin


class CitingFold(Fold[S]):
    """A fold of facts that its states list in the order of the log."""

    __slots__ = ("_cited", "_known", "_written")
    LONG = "because"

    def __init__(self) -> None:
        self._known: list[Known] = []
        self._cited: Elements | None = None
        self._written = Written()

    def cite(self, known: Known) -> None:
        """Have a fact among those behind the state."""
        index = len(self._known)
        if self._known and self._known[-1].position > known.position:
            index = bisect_right(self._known, known.position, key=_POSITION)
        self._known.insert(index, known)
        if self._cited is not None:
            self._cited.insert(index, self._write(known))

    def elements(self) -> Elements | None:
        """The facts behind the state."""
        if self._cited is None and are_many(len(self._known)):
            self._cited = Elements(map(self._write, self._known))
        return self._cited

    @property
    def because(self) -> tuple[Because, ...]:
        """The facts behind the state, in the order of the log."""
        if elements := self.elements():
            return tuple(elements.values)  # type: ignore[arg-type]  # all of this kind
        return tuple([cited(known) for known in self._known])

    def _write(self, known: Known) -> tuple[Value, str]:
        return self._written.of(known.position, lambda: cited(known))


_POSITION = attrgetter("position")

F = TypeVar("F", bound=Fold[EntityState])


class Folding(Generic[F]):
    """The folds of as many of an entity's facts, from the first on, as one likes.

    One of them is where the last question was, others are kept at every `STEP` facts.
    """

    __slots__ = ("_at", "_begin", "_fold", "_kept")

    def __init__(self, begin: Callable[[], F]):
        self._begin = begin
        self._at, self._fold = 0, begin()
        self._kept: list[tuple[int, F]] = []

    def copy(self) -> Self:
        """Another of the same facts."""
        twin = type(self).__new__(type(self))
        twin._begin, twin._at, twin._fold = self._begin, self._at, self._fold.copy()
        twin._kept = [*self._kept]
        return twin

    def of(self, facts: Sequence[Known], count: int) -> F:
        """The fold of the first facts, for reading only."""
        kept = bisect_right(self._kept, count, key=_COUNT)
        if self._at > count or (kept and self._kept[kept - 1][0] > self._at):
            self._go_back(kept)
        for index in range(self._at, count):
            self._fold.take(facts[index])
            self._at = index + 1
            if self._at % STEP == 0 and self._at // STEP > len(self._kept):
                self._kept.append((self._at, self._fold.copy()))
        return self._fold

    def forget(self, count: int) -> None:
        """Know nothing that follows from more than the first facts: others come next."""
        del self._kept[bisect_right(self._kept, count, key=_COUNT):]
        if self._at > count:
            self._go_back(len(self._kept))

    def _go_back(self, kept: int) -> None:
        """Go back to the last of some folds that are kept."""
        self._at, fold = self._kept[kept - 1] if kept else (0, None)
        self._fold = fold.copy() if fold is not None else self._begin()


def _count(kept: tuple[int, object]) -> int:
    return kept[0]


_COUNT = _count
