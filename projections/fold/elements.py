"""Elements of the long lists of an entity, with their positions. Pure."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Hashable, Iterable
from datetime import date
from operator import itemgetter
from typing import Any, TypeAlias

import msgspec

from tracker.domain.entities.elements import Element
from tracker.domain.entities.entity import INITIAL_FACTS, Fold, RecordedFact
from tracker.domain.entities.fact import Fact
from tracker.domain.entities.history import History
from tracker.domain.entities.provenance import issuers_of

Key: TypeAlias = tuple[int, str, date]
"""Key of an element of an entity at a position: its list, its place and its first day."""
Order: TypeAlias = tuple[date, bool, int, int]


class ElementRow(msgspec.Struct, frozen=True, gc=False):
    """An element and its positions, as in a `Row`."""

    element: Element
    since: int
    until: int | None = None


class Exchange:
    """Elements that have ended and begun, by key."""

    def __init__(self) -> None:
        self.ended: dict[Key, Element] = {}
        self.begun: dict[Key, Element] = {}

    def end(self, elements: Iterable[Element]) -> None:
        """Remove elements."""
        for element in elements:
            if self.begun.pop(_key(element), None) is None:
                self.ended[_key(element)] = element

    def begin(self, elements: Iterable[Element]) -> None:
        """Add elements."""
        for element in elements:
            if self.ended.get(_key(element)) == element:
                del self.ended[_key(element)]
            else:
                self.begun[_key(element)] = element


class ListedFacts:
    """The facts of an entity in the long lists of its states.

    An element depends on its fact and on the next one that replaces it. So a new fact changes few
    elements, however many exist.
    """

    __slots__ = ("_early", "_entity", "_fold", "_history", "_opening", "_series")

    def __init__(self, entity: str, fold: type[Fold[Any]], history: History):
        self._entity, self._fold, self._history = entity, fold, history
        self._opening = self._first_opening()
        """The fact that names the issuers of others."""
        self._series: dict[Hashable, list[tuple[Order, RecordedFact]]] = defaultdict(list)
        """Facts that replace each other, in valid-time order."""
        self._early = self._before_opening()
        """Facts that are not effective because they precede the first opening, by event."""
        for known in history.effective:
            name = fold.replacing(known.fact)
            if name is not None and known.event_id not in self._early:
                self._series[name].append((history.order(known), known))

    def all(self) -> Exchange:
        """Return all elements, as begun."""
        exchange = Exchange()
        for known in self._history.effective:
            if known.event_id not in self._early and self._fold.replacing(known.fact) is None:
                exchange.begin(self._elements(known, None))
        for series in self._series.values():
            for (_, known), following in zip(series, [*series[1:], None], strict=True):
                exchange.begin(self._elements(known, following and following[1]))
        return exchange

    def change(self, facts: Iterable[RecordedFact]) -> Exchange:
        """Return the elements that end and begin when these facts become or stop being effective."""
        exchange, before = Exchange(), self._early
        self._early = early = self._before_opening()
        opening = self._first_opening()
        others = (opening and opening.issuers) != (self._opening and self._opening.issuers)
        changed = {known.event_id: known for known in facts}
        counted, counts = list[RecordedFact](), list[RecordedFact]()
        of_others = {known.event_id: known for known in self._history.effective if others}
        for id, known in {**of_others, **before, **early, **changed}.items():
            stands = self._history.is_effective(known)
            did = stands != (id in changed) and id not in before
            does = stands and id not in early
            if did and (others or not does):
                counted.append(known)
            if does and (others or not did):
                counts.append(known)
        for known in counted:
            self._remove(known, exchange)
        self._opening = opening
        for known in counts:
            self._insert(known, exchange)
        return exchange

    def _insert(self, known: RecordedFact, exchange: Exchange) -> None:
        """Add a fact that is effective now."""
        series, place = self._place(known)
        if series is None:
            return exchange.begin(self._elements(known, None))
        before, after = _neighbours(series, place, place)
        series.insert(place, (self._history.order(known), known))
        if before:
            exchange.end(self._elements(before, after))
            exchange.begin(self._elements(before, known))
        return exchange.begin(self._elements(known, after))

    def _remove(self, known: RecordedFact, exchange: Exchange) -> None:
        """Remove a fact that is no longer effective."""
        series, place = self._place(known)
        if series is None:
            return exchange.end(self._elements(known, None))
        before, after = _neighbours(series, place, place + 1)
        del series[place]
        exchange.end(self._elements(known, after))
        if before:
            exchange.end(self._elements(before, known))
            exchange.begin(self._elements(before, after))
        return None

    def _place(self, known: RecordedFact) -> tuple[list[tuple[Order, RecordedFact]] | None, int]:
        """Return the replacement series of a fact, and its index in it."""
        name = self._fold.replacing(known.fact)
        if name is None:
            return None, 0
        series = self._series[name]
        return series, bisect_left(series, self._history.order(known), key=_ORDER)

    def _elements(self, known: RecordedFact, following: RecordedFact | None) -> list[Element]:
        day, is_later, place, index = self._history.order(known)
        elements = self._fold.elements_of(
            known,
            f"{day.isoformat()} {is_later:d} {place:019} {index:019}",
            following.fact.public_on if following else None,
        )
        issuers = issuers_of(self._entity, known.fact, self._opening)
        return [element._replace(issuers=issuers) for element in elements]

    def _first_opening(self) -> Fact | None:
        """Return the first opening in effect."""
        if not self._history.opening_count:
            return None
        return next(k.fact for k in self._history.effective if type(k.fact) in INITIAL_FACTS)

    def _before_opening(self) -> dict[str, RecordedFact]:
        """Return the effective facts before the first opening that do not count.

        Without an opening there is no state, and the result is empty.
        """
        effective = self._history.effective
        if not self._fold.NEEDS_OPENING or not self._history.opening_count:
            return {}
        early = {}
        for known in effective:
            if type(known.fact) in INITIAL_FACTS:
                break
            early[known.event_id] = known
        return early


def _key(element: Element) -> Key:
    return element.list, element.place, element.first_day


_ORDER = itemgetter(0)


def _neighbours(
    series: list[tuple[Order, RecordedFact]], place: int, behind: int
) -> tuple[RecordedFact | None, RecordedFact | None]:
    """Return the facts before one index and from another on."""
    return (
        series[place - 1][1] if place else None,
        series[behind][1] if behind < len(series) else None,
    )
