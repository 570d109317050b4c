"""The recorded facts of one entity, in the order of the log and in valid-time order.

A further fact causes no rereading: adding one to ten thousand facts is as fast as adding one to ten.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import date
from operator import attrgetter

import msgspec

from tracker.domain.basics.values import Name, Value, check_reason
from tracker.domain.entities.fact import Fact, Source

INITIAL_FACTS: set[type[Fact]] = set()
"""The initial facts of streams."""


class Retracted(Fact, frozen=True, kw_only=True):
    """A recorded event was wrong: from this position on, nothing follows from it.

    The event itself stays in the log, and earlier responses stay reproducible. A retraction can be retracted,
    which makes its target effective again. In a correction, `replacement` is the event recorded instead.
    """

    retracts: Name
    reason: Name
    replacement: Name | None = None

    def __post_init__(self) -> None:
        check_reason(self.reason)

    @property
    def public_on(self) -> date:
        """The first day of the calendar: retractions act in transaction time only."""
        return date.min


class RecordedFact(msgspec.Struct, frozen=True, gc=False):
    """A recorded fact, as used by folds. The position is 0 until it is in the log."""

    # Structs are used for frequent objects: a named tuple takes several times as long to create, and Python
    # searches each for cycles.

    position: int
    event_id: str
    type: str
    fact: Fact


class Evidence(Value, frozen=True, kw_only=True):
    """A fact behind a state."""

    position: int
    """Its position in the log."""
    event_id: str
    """Its event id, which `retractEvent` takes."""
    type: str
    """Its type, such as `ExportControl.Suspended`."""
    source: Source
    more_sources: tuple[Source, ...] = ()

    @property
    def sources(self) -> tuple[Source, ...]:
        """All of its sources."""
        return (self.source, *self.more_sources)


def to_evidence(known: RecordedFact) -> Evidence:
    """Return the reference to a fact in states."""
    return Evidence(
        position=known.position,
        event_id=known.event_id,
        type=known.type,
        source=known.fact.source,
        more_sources=known.fact.more_sources,
    )


def retracted_ids(known: Sequence[RecordedFact]) -> set[str]:
    """Return the ids of the retracted events, given all facts in the order of the log."""
    return {*effective_retractions(known)}


def effective_retractions(known: Sequence[RecordedFact]) -> dict[str, RecordedFact]:
    """Return the effective retractions by the ids of the retracted events, given all facts in the order of
    the log.

    A retraction is effective unless a later effective one retracts it, so the facts are read backwards.
    """
    retractions: dict[str, RecordedFact] = {}
    for item in reversed(known):
        if isinstance(item.fact, Retracted) and item.event_id not in retractions:
            retractions[item.fact.retracts] = item
    return retractions


def effective_facts(known: Iterable[RecordedFact]) -> list[RecordedFact]:
    """Return the effective facts in valid-time order.

    Facts of one day are in the order of `History.place`. Initial facts come first, because a corrected one is
    recorded after the acts that depend on it.
    """
    return History([*known]).effective


def sort_key(known: RecordedFact) -> tuple[date, bool]:
    """Return the first sort key of facts, before the order of recording."""
    return known.fact.public_on, type(known.fact) not in INITIAL_FACTS


class Difference(msgspec.Struct, frozen=True, gc=False):
    """The range in which the effective facts differ from those before a change."""

    place: int
    """The index of the first differing effective fact."""
    day: date
    """The day from which that fact counts; the last day of the calendar if none differs."""
    facts: list[RecordedFact]
    """The facts that became effective or ceased to be, in no order."""


class History:
    """All recorded facts of an entity, and the effective ones among them."""

    __slots__ = (
        "_corrected",
        "_ids",
        "_retractions",
        "effective",
        "known",
        "opening_count",
        "retracted",
    )

    def __init__(self, known: Sequence[RecordedFact] = ()):
        self.known: list[RecordedFact] = []
        """All facts in the order of the log."""
        self.effective: list[RecordedFact] = []
        """The effective facts, in valid-time order."""
        self.retracted: set[str] = set()
        """The ids of the events that are retracted."""
        self.opening_count = 0
        """The number of effective openings."""
        self._ids: dict[str, int] = {}
        self._retractions: list[RecordedFact] = []
        self._corrected: dict[str, int] = {}
        if known:
            self._fill(known)

    def _fill(self, known: Iterable[RecordedFact]) -> None:
        """Add the first facts, sorted once."""
        for item in known:
            self._note(item)
        self.retracted = retracted_ids(self._retractions)
        self.effective = sorted([k for k in self.known if self.is_effective(k)], key=self.order)
        self.opening_count = sum([type(k.fact) in INITIAL_FACTS for k in self.effective])

    def __contains__(self, event_id: str) -> bool:
        return event_id in self._ids

    def get(self, event_id: str) -> RecordedFact | None:
        """Return the fact recorded under the id of an event."""
        index = self._ids.get(event_id)
        return None if index is None else self.known[index]

    def add(self, new: RecordedFact) -> Difference:
        """Add the next fact of the log."""
        self._note(new)
        if not isinstance(new.fact, Retracted):
            return (
                self._insert(new)
                if self.is_effective(new)
                else Difference(len(self.effective), date.max, [])
            )
        target = self.get(new.fact.retracts)
        if target and not isinstance(target.fact, Retracted):  # true of most facts
            changed = [] if target.event_id in self.retracted else [target]
            self.retracted.add(target.event_id)
        else:
            gone, self.retracted = self.retracted, retracted_ids(self._retractions)
            changed = self._facts(gone ^ self.retracted)
        differences = [
            self._remove(known) if known.event_id in self.retracted else self._insert(known)
            for known in changed
        ]
        first = min(
            differences, default=Difference(len(self.effective), date.max, []), key=_PLACE_AND_DAY
        )
        return Difference(first.place, first.day, changed)

    def remove_last(self) -> int:
        """Remove the last fact of the log, as if it had never been added.

        Returns the index from which the effective facts differ.
        """
        last = self.known[-1]
        if not isinstance(last.fact, Retracted):
            place = self._remove(last).place if self.is_effective(last) else len(self.effective)
        else:
            place = self._remove_retraction(last.fact)
        self.known.pop()
        del self._ids[last.event_id]
        return place

    def _remove_retraction(self, fact: Retracted) -> int:
        """Undo a retraction: restore its target, and remove the facts that it had restored."""
        self._retractions.pop()
        self._forget_correction(fact)
        gone, self.retracted = self.retracted, retracted_ids(self._retractions)
        changed = self._facts(gone ^ self.retracted)
        places = [
            (self._remove(known) if known.event_id in self.retracted else self._insert(known)).place
            for known in changed
        ]
        return min(places, default=len(self.effective))

    def _forget_correction(self, fact: Retracted) -> None:
        """Return the replacement in a retraction to its place without the retraction."""
        if not fact.replacement or fact.replacement in self._ids:
            return
        self._corrected.pop(fact.replacement, None)
        for other in self._retractions:
            if isinstance(other.fact, Retracted) and other.fact.replacement == fact.replacement:
                self._note_correction(other.fact)

    def revived_by(self, fact: Retracted) -> list[RecordedFact]:
        """Return the facts that a retraction makes effective again, in valid-time order."""
        target = self.get(fact.retracts)
        if target is None or not isinstance(target.fact, Retracted):
            return []
        gone = retracted_ids([*self._retractions, RecordedFact(0, "", "", fact)])
        return sorted(self._facts(self.retracted - gone), key=self.order)

    def public(self, day: date) -> int:
        """Return the number of effective facts that are public by a day; these come first."""
        if not self.effective or self.effective[-1].fact.public_on <= day:
            return len(self.effective)
        return bisect_right(self.effective, day, key=_PUBLIC)

    def _note(self, new: RecordedFact) -> None:
        """Add a fact to those recorded, and register corrections."""
        self._ids[new.event_id] = len(self.known)
        self.known.append(new)
        if isinstance(new.fact, Retracted):
            self._retractions.append(new)
            self._note_correction(new.fact)

    def _note_correction(self, fact: Retracted) -> None:
        """Give a future replacement the place of the event that it corrects.

        The facts that were public by a day may lack that event.
        """
        if fact.replacement and fact.replacement not in self._ids and fact.retracts in self._ids:
            self._corrected[fact.replacement] = self.place(fact.retracts)

    def place(self, event_id: str) -> int:
        """Return the place of an event in the order of recording.

        That is its position, but a replacement has the place of the event that it corrects.
        """
        return self._corrected.get(event_id, self._ids[event_id])

    def order(self, known: RecordedFact) -> tuple[date, bool, int, int]:
        """Return the sort key of effective facts; it never changes."""
        index = self._ids[known.event_id]
        return (*sort_key(known), self._corrected.get(known.event_id, index), index)

    def is_effective(self, known: RecordedFact) -> bool:
        """Return whether a recorded fact is neither retracted nor a retraction."""
        return known.event_id not in self.retracted and not isinstance(known.fact, Retracted)

    def _facts(self, ids: Iterable[str]) -> list[RecordedFact]:
        """Return the facts with some ids, without retractions."""
        return [
            known for id in ids if (known := self.get(id)) and not isinstance(known.fact, Retracted)
        ]

    def _insert(self, known: RecordedFact) -> Difference:
        index = len(self.effective)
        if index and (
            self._corrected
            or sort_key(self.effective[-1]) > sort_key(known)
            or known is not self.known[-1]
        ):
            index = bisect_left(self.effective, self.order(known), key=self.order)
        self.effective.insert(index, known)
        self.opening_count += type(known.fact) in INITIAL_FACTS
        return Difference(index, known.fact.public_on, [known])

    def _remove(self, known: RecordedFact) -> Difference:
        index = bisect_left(self.effective, self.order(known), key=self.order)
        del self.effective[index]
        self.opening_count -= type(known.fact) in INITIAL_FACTS
        return Difference(index, known.fact.public_on, [known])


_PUBLIC = attrgetter("fact.public_on")
_PLACE_AND_DAY = attrgetter("place", "day")
