"""The recorded facts of one entity, in the order of the log and in valid-time order.

Nothing is read again when a fact comes, however many there are: so an entity with ten thousand
facts takes one more as fast as one with ten.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import date
from operator import attrgetter

import msgspec

from tracker.domain.values import Fact, Name, Source, Value, check_reason

INITIAL_FACTS: set[type[Fact]] = set()
"""The facts that streams begin with."""


class Retracted(Fact, frozen=True, kw_only=True):
    """A recorded event was wrong: from this position on, nothing follows from it any more.

    The event itself stays in the log, and every earlier answer stays as it was. A retraction can
    be retracted, which brings its target back. `replacement` is the event recorded instead, where this
    is a correction.
    """

    retracts: Name
    reason: Name
    replacement: Name | None = None

    def __post_init__(self) -> None:
        check_reason(self.reason)

    @property
    def public_on(self) -> date:
        """Retractions act in transaction time only; in valid time they begin with all time."""
        return date.min


class RecordedFact(msgspec.Struct, frozen=True, gc=False):
    """A recorded fact, as folds see it. The position is 0 while it is not yet in the log."""

    # What folds and rows make many of are structs: a named tuple takes several times as long to make,
    # and Python looks for cycles in each.

    position: int
    event_id: str
    type: str
    fact: Fact


class Evidence(Value, frozen=True, kw_only=True):
    """A fact that made a state what it is."""

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
    """A fact as states refer to it."""
    return Evidence(
        position=known.position,
        event_id=known.event_id,
        type=known.type,
        source=known.fact.source,
        more_sources=known.fact.more_sources,
    )


def retracted_ids(known: Sequence[RecordedFact]) -> set[str]:
    """The ids of the events that are retracted, given all that is known in the order of the log."""
    return {*effective_retractions(known)}


def effective_retractions(known: Sequence[RecordedFact]) -> dict[str, RecordedFact]:
    """The retractions that count, by the ids of the events that they retract, given all that is known
    in the order of the log.

    A retraction counts unless a later one that counts retracts it: so they are read backwards.
    """
    found: dict[str, RecordedFact] = {}
    for item in reversed(known):
        if isinstance(item.fact, Retracted) and item.event_id not in found:
            found[item.fact.retracts] = item
    return found


def effective_facts(known: Iterable[RecordedFact]) -> list[RecordedFact]:
    """The effective facts, in valid-time order; those of one day in the order of `History.place`,
    but initial facts first: a corrected one is recorded after the acts that follow from it."""
    return History([*known]).effective


def sort_key(known: RecordedFact) -> tuple[date, bool]:
    """The key by which facts are sorted before the order in which they were recorded."""
    return known.fact.public_on, type(known.fact) not in INITIAL_FACTS


class Difference(msgspec.Struct, frozen=True, gc=False):
    """From where on the effective facts are others than before."""

    place: int
    """The place of the first of them among the effective ones."""
    day: date
    """The day from which the first of them counts; the last of all days where none differs."""
    facts: list[RecordedFact]
    """The facts that are effective now and were not, or are no more; in no order."""


class History:
    """All recorded facts of an entity, and those of them that are not retracted."""

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
        """Those that are effective, in valid-time order."""
        self.retracted: set[str] = set()
        """The ids of the events that are retracted."""
        self.opening_count = 0
        """How many openings are effective."""
        self._ids: dict[str, int] = {}
        self._retractions: list[RecordedFact] = []
        self._corrected: dict[str, int] = {}
        if known:
            self._fill(known)

    def _fill(self, known: Iterable[RecordedFact]) -> None:
        """Take in the first facts, sorted once."""
        for item in known:
            self._note(item)
        self.retracted = retracted_ids(self._retractions)
        self.effective = sorted([k for k in self.known if self.is_effective(k)], key=self.order)
        self.opening_count = sum([type(k.fact) in INITIAL_FACTS for k in self.effective])

    def __contains__(self, event_id: str) -> bool:
        return event_id in self._ids

    def get(self, event_id: str) -> RecordedFact | None:
        """The fact recorded under the id of an event."""
        index = self._ids.get(event_id)
        return None if index is None else self.known[index]

    def add(self, new: RecordedFact) -> Difference:
        """Take in the next fact of the log."""
        self._note(new)
        if not isinstance(new.fact, Retracted):
            return (
                self._insert(new)
                if self.is_effective(new)
                else Difference(len(self.effective), date.max, [])
            )
        target = self.get(new.fact.retracts)
        if target and not isinstance(target.fact, Retracted):  # as most are
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
        """Forget the last fact of the log, as if it had never been added. Returns the place from
        which on the effective facts are others than before."""
        last = self.known[-1]
        if not isinstance(last.fact, Retracted):
            place = self._remove(last).place if self.is_effective(last) else len(self.effective)
        else:
            place = self._remove_retraction(last.fact)
        self.known.pop()
        del self._ids[last.event_id]
        return place

    def _remove_retraction(self, fact: Retracted) -> int:
        """Have what a retraction took away again, and take away what it had brought back."""
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
        """Put the replacement that a retraction names where it would be without it."""
        if not fact.replacement or fact.replacement in self._ids:
            return
        self._corrected.pop(fact.replacement, None)
        for other in self._retractions:
            if isinstance(other.fact, Retracted) and other.fact.replacement == fact.replacement:
                self._note_correction(other.fact)

    def revived_by(self, fact: Retracted) -> list[RecordedFact]:
        """The facts that are effective again once a retraction counts, in valid-time order."""
        target = self.get(fact.retracts)
        if target is None or not isinstance(target.fact, Retracted):
            return []
        gone = retracted_ids([*self._retractions, RecordedFact(0, "", "", fact)])
        return sorted(self._facts(self.retracted - gone), key=self.order)

    def public(self, day: date) -> int:
        """How many of the effective facts are public by a day; they come first."""
        if not self.effective or self.effective[-1].fact.public_on <= day:
            return len(self.effective)
        return bisect_right(self.effective, day, key=_PUBLIC)

    def _note(self, new: RecordedFact) -> None:
        """Add a fact to those recorded, and note which event it or another replaces."""
        self._ids[new.event_id] = len(self.known)
        self.known.append(new)
        if isinstance(new.fact, Retracted):
            self._retractions.append(new)
            self._note_correction(new.fact)

    def _note_correction(self, fact: Retracted) -> None:
        """Give a replacement that is still to be recorded the place of the event that it corrects. The facts
        that were public by a day may lack that event."""
        if fact.replacement and fact.replacement not in self._ids and fact.retracts in self._ids:
            self._corrected[fact.replacement] = self.place(fact.retracts)

    def place(self, event_id: str) -> int:
        """The place of an event in the order of recording: that of the log, but a replacement has
        the place of the event that it corrects."""
        return self._corrected.get(event_id, self._ids[event_id])

    def order(self, known: RecordedFact) -> tuple[date, bool, int, int]:
        """The key by which effective facts are sorted; it never changes."""
        index = self._ids[known.event_id]
        return (*sort_key(known), self._corrected.get(known.event_id, index), index)

    def is_effective(self, known: RecordedFact) -> bool:
        """Whether a fact that is known is not retracted, and no retraction."""
        return known.event_id not in self.retracted and not isinstance(known.fact, Retracted)

    def _facts(self, ids: Iterable[str]) -> list[RecordedFact]:
        """The facts under some ids that are no retractions."""
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
