"""Folds of facts into states: each kind of entity applies its facts in valid-time order.

A fold goes on where it was, so that another fact costs the same however many there are before it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Sequence
from datetime import date
from operator import attrgetter
from typing import ClassVar, Generic, Self, TypeVar

from msgspec import structs

from tracker.domain.codec import encode
from tracker.domain.elements import (
    PART_MARK,
    Element,
    ElementCache,
    Elements,
    EncodedElement,
    are_stored_apart,
    split_at_lists,
)
from tracker.domain.history import Evidence, RecordedFact, to_evidence
from tracker.domain.values import Fact, Source, Value

KEPT_FOLD_INTERVAL_FACTS = 512
"""Facts after which a fold is kept, so that what lies before them need not be folded again."""


class EntityState(Value, frozen=True, kw_only=True):
    """The base of states: the entity's id without its kind, and the facts behind it."""

    id: str

    @property
    def because(self) -> tuple[Evidence, ...]:
        """The facts that made the state what it is, in the order of the log."""
        raise NotImplementedError

    @property
    def issuers(self) -> tuple[str, ...]:
        """The issuers that its opening names: see `tracker.domain.provenance`."""
        return ()

    @property
    def sources(self) -> list[Source]:
        """The sources of those facts, those of one fact beside each other."""
        return [source for fact in self.because for source in fact.sources]


class StateWithEvidence(EntityState, frozen=True, kw_only=True):
    """A state that lists the facts behind it apart from what they say."""

    because: tuple[Evidence, ...]
    """The recorded events that this state follows from, in the order of the log."""


S = TypeVar("S", bound=EntityState)


class Fold(Generic[S]):
    """The fold of the facts applied so far."""

    __slots__: tuple[str, ...] = ()
    LONG: ClassVar[tuple[str, ...]] = ()
    """The fields of states that have an element for each of many facts, in their order."""
    NEEDS_OPENING: ClassVar[bool] = False
    """Whether only those facts count that come after the first opening."""

    def take(self, known: RecordedFact) -> None:
        """Take in the next fact in valid-time order."""
        raise NotImplementedError

    def state(self, id: str, day: date) -> S | None:
        """The state on a day, by which all facts taken in are public, and no others; None before
        the first."""
        raise NotImplementedError

    @classmethod
    def elements_of(cls, known: RecordedFact, place: str, replaced: date | None) -> list[Element]:
        """The elements that there are in long lists because of a fact.

        `place` is what facts in valid-time order are ordered by; `replaced` is the day on which the
        next fact that replaces it is public, of those with the same `replacing`.
        """
        raise NotImplementedError

    @classmethod
    def replacing(cls, fact: Fact) -> Hashable:
        """The key that facts share which replace each other; None for facts that are not replaced."""
        return None

    def lists(self) -> Sequence[Elements] | None:
        """The lists in the fields `LONG`, where the facts are many."""
        return None

    def text(self, state: S) -> str:
        """The state that this fold gave last as JSON: the same bytes as when it is written whole."""
        lists = self._filled_lists()
        if not lists:
            return encode(state).decode()
        *parts, last = self._parts(state, lists)
        return (
            "".join(
                [part + elements.text() for part, (_, elements) in zip(parts, lists, strict=True)]
            )
            + last
        )

    def written(self, state: S) -> str:
        """The state that this fold gave last as it is kept: as JSON, without long lists. It tells
        the state from others."""
        if self.lists() is None:  # as of most
            return encode(state).decode()
        lists = self._filled_lists()
        parts = self._parts(state, lists)
        size = sum([len(part.encode()) for part in parts]) + sum([e.size - 1 for _, e in lists])
        marks = " ".join([elements.mark for _, elements in lists])
        return PART_MARK + PART_MARK.join([str(size), marks, *parts])

    def _filled_lists(self) -> list[tuple[str, Elements]]:
        """The lists that have elements, where these are many, with the names of their fields."""
        lists = zip(self.LONG, self.lists() or (), strict=False)
        return [(name, elements) for name, elements in lists if elements.values]

    def _parts(self, state: S, lists: Sequence[tuple[str, Elements]]) -> list[str]:
        """A state as JSON without its lists."""
        brief = {name: (elements.values[0],) for name, elements in lists}
        return split_at_lists(encode(structs.replace(state, **brief)).decode(), lists)

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

    __slots__ = ("_cited", "_known", "_texts")
    LONG: ClassVar[tuple[str, ...]] = ("because",)

    def __init__(self) -> None:
        self._known: list[RecordedFact] = []
        self._cited: Elements | None = None
        self._texts = ElementCache()

    @classmethod
    def elements_of(cls, known: RecordedFact, place: str, replaced: date | None) -> list[Element]:
        """The fact itself."""
        return [Element.of(1, in_order_of_log(known), known.fact.public_on, to_evidence(known))]

    def cite(self, known: RecordedFact) -> None:
        """Have a fact among those behind the state."""
        index = len(self._known)
        if self._known and self._known[-1].position > known.position:
            index = bisect_right(self._known, known.position, key=_POSITION)
        self._known.insert(index, known)
        if self._cited is not None:
            self._cited.insert(index, self._write(known))

    def lists(self) -> Sequence[Elements] | None:
        """The facts behind the state."""
        cited = self.cited()
        return None if cited is None else (cited,)

    def cited(self) -> Elements | None:
        """The facts behind the state, where they are many."""
        if self._cited is None and are_stored_apart(len(self._known)):
            self._cited = Elements(map(self._write, self._known))
        return self._cited

    @property
    def because(self) -> tuple[Evidence, ...]:
        """The facts behind the state, in the order of the log."""
        if elements := self.cited():
            return tuple(elements.values)  # type: ignore[arg-type]  # all of this kind
        return tuple([to_evidence(known) for known in self._known])

    def _write(self, known: RecordedFact) -> EncodedElement:
        return self._texts.get(known.position, lambda: to_evidence(known))


def in_order_of_log(known: RecordedFact) -> str:
    """The sort key of facts in the order of the log."""
    return f"{known.position:019}"


_POSITION = attrgetter("position")

F = TypeVar("F", bound=Fold[EntityState])


class PrefixFolds(Generic[F]):
    """The folds of as many of an entity's facts, from the first on, as one likes.

    One of them is where the last question was, others are kept at every so many facts.
    """

    __slots__ = ("_at", "_begin", "_fold", "_interval", "_kept")

    def __init__(self, begin: Callable[[], F], interval: int = KEPT_FOLD_INTERVAL_FACTS):
        self._begin, self._interval = begin, interval
        self._at, self._fold = 0, begin()
        self._kept: list[tuple[int, F]] = []

    def of_first(self, facts: Sequence[RecordedFact], count: int) -> F:
        """The fold of the first facts, for reading only."""
        if self._at == count:
            return self._fold
        kept = bisect_right(self._kept, count, key=_COUNT)
        if self._at > count or (kept and self._kept[kept - 1][0] > self._at):
            self._go_back(kept)
        for index in range(self._at, count):
            self._fold.take(facts[index])
            self._at = index + 1
            if self._at % self._interval == 0 and self._at // self._interval > len(self._kept):
                self._kept.append((self._at, self._fold.copy()))
        return self._fold

    def truncate(self, count: int) -> None:
        """Know nothing that follows from more than the first facts: others come next."""
        del self._kept[bisect_right(self._kept, count, key=_COUNT) :]
        if self._at > count:
            self._go_back(len(self._kept))

    def _go_back(self, kept: int) -> None:
        """Go back to the last of some folds that are kept."""
        self._at, fold = self._kept[kept - 1] if kept else (0, None)
        self._fold = fold.copy() if fold is not None else self._begin()


def _count(kept: tuple[int, object]) -> int:
    return kept[0]


_COUNT = _count
