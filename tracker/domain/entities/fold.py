"""Folds of facts into states: each kind of entity applies its facts in valid-time order.

A fold is incremental: the cost of a further fact does not depend on the number of earlier ones.
"""

from bisect import bisect_right
from collections.abc import Callable, Hashable, Sequence
from datetime import date
from functools import cache
from operator import attrgetter
from typing import Any, ClassVar, Generic, Self, TypeVar

from msgspec import structs

from tracker.domain.basics.codec import encode
from tracker.domain.basics.values import Value
from tracker.domain.entities.elements import (
    PART_MARK,
    Element,
    ElementCache,
    Elements,
    EncodedElement,
    are_stored_apart,
    split_at_lists,
)
from tracker.domain.entities.fact import Fact, Source
from tracker.domain.entities.history import Evidence, RecordedFact, to_evidence

CACHED_FOLD_INTERVAL_FACTS = 512
"""Number of facts between saved folds, so that earlier facts need not be folded again."""


class EntityState(Value, frozen=True, kw_only=True):
    """The base of states: the entity's id without its kind, and the facts behind it."""

    id: str

    @property
    def because(self) -> tuple[Evidence, ...]:
        """The facts behind the state, in the order of the log."""
        raise NotImplementedError

    @property
    def issuers(self) -> tuple[str, ...]:
        """The issuers named by its opening: see `tracker.domain.entities.provenance`."""
        return ()

    @property
    def sources(self) -> list[Source]:
        """The sources of those facts, grouped by fact."""
        return [source for fact in self.because for source in fact.sources]


class StateWithEvidence(EntityState, frozen=True, kw_only=True):
    """A state that lists its underlying facts separately from its content."""

    because: tuple[Evidence, ...]
    """The recorded events that this state follows from, in the order of the log."""


def shared_fields(fact: Fact, state: type[Value]) -> dict[str, Any]:
    """Return the values of a fact for the fields that a state has too."""
    return {name: getattr(fact, name) for name in _shared_names(type(fact), state)}


@cache
def _shared_names(fact: type[Fact], state: type[Value]) -> list[str]:
    return [name for name in state.__struct_fields__ if name in fact.__struct_fields__]


S = TypeVar("S", bound=EntityState)


class Fold(Generic[S]):
    """The fold of the facts applied so far."""

    __slots__: tuple[str, ...] = ()
    LONG: ClassVar[tuple[str, ...]] = ()
    """The fields of states that have an element for each of many facts, in their order."""
    NEEDS_OPENING: ClassVar[bool] = False
    """Whether only facts after the first opening count."""

    def take(self, known: RecordedFact) -> None:
        """Apply the next fact in valid-time order."""
        raise NotImplementedError

    def state(self, id: str, day: date) -> S | None:
        """Return the state on a day; None before the first fact.

        Exactly the applied facts must be public by that day.
        """
        raise NotImplementedError

    @classmethod
    def elements_of(cls, known: RecordedFact, place: str, replaced: date | None) -> list[Element]:
        """Return the elements of a fact in long lists.

        `place` is the sort key of facts in valid-time order. `replaced` is the day on which the next fact
        with the same `replacing` is public.
        """
        raise NotImplementedError

    @classmethod
    def replacing(cls, fact: Fact) -> Hashable:
        """Return the key shared by facts that replace each other; None for facts that are not replaced."""
        return None

    def lists(self) -> Sequence[Elements] | None:
        """Return the lists in the fields `LONG`, if there are many facts."""
        return None

    def text(self, state: S) -> str:
        """Return the last state of this fold as JSON: the same bytes as a complete encoding."""
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
        """Return the last state of this fold as stored: JSON without long lists. It identifies the state."""
        if self.lists() is None:  # true of most states
            return encode(state).decode()
        lists = self._filled_lists()
        parts = self._parts(state, lists)
        size = sum([len(part.encode()) for part in parts]) + sum([e.size - 1 for _, e in lists])
        marks = " ".join([elements.mark for _, elements in lists])
        return PART_MARK + PART_MARK.join([str(size), marks, *parts])

    def _filled_lists(self) -> list[tuple[str, Elements]]:
        """Return the long lists with elements, with the names of their fields."""
        lists = zip(self.LONG, self.lists() or (), strict=False)
        return [(name, elements) for name, elements in lists if elements.values]

    def _parts(self, state: S, lists: Sequence[tuple[str, Elements]]) -> list[str]:
        """Return a state as JSON without its lists, in parts."""
        brief = {name: (elements.values[0],) for name, elements in lists}
        return split_at_lists(encode(structs.replace(state, **brief)).decode(), lists)

    def copy(self) -> Self:
        """Return an independent copy of the fold."""
        twin = type(self).__new__(type(self))
        for kind in type(self).__mro__:
            for name in getattr(kind, "__slots__", ()):
                value = getattr(self, name)
                copied = value.copy() if isinstance(value, (list, dict, Elements)) else value
                setattr(twin, name, copied)
        return twin


class CitingFold(Fold[S]):
    """A fold whose states list the applied facts in the order of the log."""

    __slots__ = ("_cited", "_known", "_texts")
    LONG: ClassVar[tuple[str, ...]] = ("because",)

    def __init__(self) -> None:
        self._known: list[RecordedFact] = []
        self._cited: Elements | None = None
        self._texts = ElementCache()

    @classmethod
    def elements_of(cls, known: RecordedFact, place: str, replaced: date | None) -> list[Element]:
        """Return the fact itself."""
        return [Element.of(1, in_order_of_log(known), known.fact.public_on, to_evidence(known))]

    def cite(self, known: RecordedFact) -> None:
        """Add a fact to those behind the state."""
        index = len(self._known)
        if self._known and self._known[-1].position > known.position:
            index = bisect_right(self._known, known.position, key=_POSITION)
        self._known.insert(index, known)
        if self._cited is not None:
            self._cited.insert(index, self._write(known))

    def lists(self) -> Sequence[Elements] | None:
        """Return the facts behind the state."""
        cited = self.cited()
        return None if cited is None else (cited,)

    def cited(self) -> Elements | None:
        """The facts behind the state, if there are many."""
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
    """Return the sort key of facts in the order of the log."""
    return f"{known.position:019}"


_POSITION = attrgetter("position")

F = TypeVar("F", bound=Fold[EntityState])


class PrefixFolds(Generic[F]):
    """The folds of the first n facts of an entity, for any n.

    The fold of the last request is kept, and one at regular intervals. Each further interval is a divisor of
    the one before it: folds at these intervals are kept for one block of the one before.
    """

    __slots__ = ("_at", "_begin", "_fold", "_intervals", "_lists", "_saved")

    def __init__(
        self, begin: Callable[[], F], intervals: Sequence[int] = (), *, lists: bool = True
    ):
        """Begin without facts. `lists` is false if nobody reads long lists: rules for new facts do not."""
        self._begin = begin
        self._intervals = intervals or (CACHED_FOLD_INTERVAL_FACTS,)
        self._lists = lists
        self._at, self._fold = 0, begin()
        self._saved: list[list[tuple[int, F]]] = [[] for _ in self._intervals]
        """Numbers of facts and their folds, for each interval."""

    def of_first(self, facts: Sequence[RecordedFact], count: int) -> F:
        """Return the fold of the first facts, for reading only."""
        if self._at == count:
            return self._fold
        at, fold = self._nearest(count)
        if at == count and fold is not None:
            return fold
        if self._at > count or at > self._at:
            self._at, self._fold = at, self._begin() if fold is None else fold.copy()
        for index in range(self._at, count):
            self._fold.take(facts[index])
            self._at = index + 1
            self._save(count)
        return self._fold

    def truncate(self, count: int) -> None:
        """Remove folds that depend on more than the first facts, because others follow."""
        for saved in self._saved:
            del saved[bisect_right(saved, count, key=_COUNT) :]
        if self._at > count:
            at, fold = self._nearest(count)
            self._at, self._fold = at, self._begin() if fold is None else fold.copy()

    def _nearest(self, count: int) -> tuple[int, F | None]:
        """Return the last saved fold of at most so many facts, with its number of facts."""
        nearest: tuple[int, F | None] = 0, None
        for saved in self._saved:
            end = bisect_right(saved, count, key=_COUNT)
            if end and saved[end - 1][0] > nearest[0]:
                nearest = saved[end - 1]
        return nearest

    def _save(self, count: int) -> None:
        """Save the current fold at the first interval that it ends, on the way to a number of facts."""
        block = 0
        for interval, saved in zip(self._intervals, self._saved, strict=True):
            if block and self._at // block != count // block:
                return
            if self._at % interval == 0:
                if block and saved and saved[0][0] // block != count // block:
                    saved.clear()
                if not saved or saved[-1][0] < self._at:
                    if self._lists:
                        self._fold.lists()  # otherwise each copy would make its long lists anew
                    saved.append((self._at, self._fold.copy()))
                return
            block = interval


def _count(entry: tuple[int, object]) -> int:
    return entry[0]


_COUNT = _count
