"""Scheduled changes of an entity, with moved and withdrawn days. Pure.

The log is processed event by event. A change is the same as an earlier one if part, kind and day are
equal. Changes on different days are matched in order. So the end of a suspension keeps its identity
when its day moves.
"""

import hashlib
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from msgspec import Struct

from projections.fold.transitions import EntityTransitions, Transition
from tracker.domain.basics.values import DAY
from tracker.domain.entities.entity import RecordedFact, Retracted

ID_BYTES = 16


class ScheduledDay(Struct, frozen=True):
    """A change to a scheduled day: the new day, or None if it is withdrawn."""

    day: date | None
    """The date; null for a withdrawal."""
    position: int
    """The position of the event of the announcement."""


class Scheduled(Struct, frozen=True):
    """A change that was announced before its day."""

    transition: Transition
    """The last announced version."""
    days: tuple[ScheduledDay, ...]
    """Every announced date and the withdrawal, in the order of the log."""
    changed: int
    """Position of the last event that changed the schedule."""

    @property
    def withdrawn(self) -> bool:
        """Whether it was withdrawn, so that it does not take place."""
        return self.days[-1].day is None

    @property
    def id(self) -> str:
        """Stable id, independent of later events."""
        of, first = self.transition, self.days[0]
        what = (of.entity, of.part, of.kind.value, first.position, str(first.day))
        return hashlib.blake2b(repr(what).encode(), digest_size=ID_BYTES).hexdigest()


def schedule(entity: str, known: Sequence[RecordedFact]) -> list[Scheduled]:
    """Return the scheduled changes of an entity from its facts in log order, by day."""
    builder = ScheduleBuilder(entity, known)
    while builder.read_next():
        pass
    return builder.scheduled()


def newest_schedule(entity: str, known: Sequence[RecordedFact]) -> list[Scheduled]:
    """Return the current scheduled changes of an entity with very many facts.

    Earlier days are not included, so a moved change is a new one.
    """
    transitions = EntityTransitions(entity, known).between(date.min, date.max)
    return [
        Scheduled(
            transition,
            (ScheduledDay(transition.day, transition.because.position),),
            transition.because.position,
        )
        for transition in transitions
        if transition.announced_on < transition.day
    ]


class ScheduleBuilder:
    """A builder of an entity's schedule, event by event."""

    def __init__(self, entity: str, known: Sequence[RecordedFact]):
        self._entity, self._known = entity, known
        self._transitions = _FollowedTransitions()
        self._read = 0

    def read_next(self) -> bool:
        """Process the next event. Returns False after the last one."""
        if self._read == len(self._known):
            return False
        self._read += 1
        fact = self._known[self._read - 1]
        # Only a retraction changes days before the one on which its fact is public.
        after = date.min if isinstance(fact.fact, Retracted) else fact.fact.public_on - DAY
        transitions = EntityTransitions(self._entity, self._known[: self._read]).between(
            after, date.max
        )
        self._transitions.enter(transitions, fact.position, after)
        return True

    def scheduled(self) -> list[Scheduled]:
        """Return the scheduled changes of the processed events, by day."""
        found = [
            Scheduled(one.transition, tuple(one.days), one.changed)
            for one in self._transitions.entries
            if one.planned
        ]
        return sorted(found, key=lambda one: (one.transition.day, one.id))


@dataclass(slots=True)
class _FollowedTransition:
    """A transition since the first event that announced it."""

    transition: Transition
    days: list[ScheduledDay] = field(default_factory=list)
    planned: bool = False
    """Whether it was ever announced before its day."""
    changed: int = 0

    def tell(self, transition: Transition, position: int) -> None:
        if not self.days or self.days[-1].day != transition.day:
            self.days.append(ScheduledDay(transition.day, position))
            self.changed = position
        if transition != self.transition:
            self.changed = position
        self.transition = transition
        self.planned = self.planned or transition.announced_on < transition.day

    def withdraw(self, position: int) -> None:
        self.days.append(ScheduledDay(None, position))
        self.changed = position


class _FollowedTransitions:
    """All scheduled changes of an entity, updated event by event."""

    def __init__(self) -> None:
        self.entries: list[_FollowedTransition] = []
        self._before: int | None = None
        """Position of the previous event."""

    def enter(self, transitions: Iterable[Transition], position: int, after: date) -> None:
        """Record the transitions after a day, as announced by an event."""
        by_part: dict[Hashable, list[Transition]] = defaultdict(list)
        for transition in transitions:
            by_part[transition.part, transition.kind].append(transition)
        known: dict[Hashable, list[_FollowedTransition]] = defaultdict(list)
        for entry in self.entries:
            if entry.days[-1].day is not None and entry.transition.day <= after:
                continue
            known[entry.transition.part, entry.transition.kind].append(entry)
        for key in {**known, **by_part}:
            self._match(known[key], by_part[key], position)
        self._before = position

    def _match(
        self, known: Sequence[_FollowedTransition], transitions: Sequence[Transition], position: int
    ) -> None:
        standing = {one.transition.day: one for one in known if one.days[-1].day is not None}
        gone = [one for one in known if one.days[-1].day is None]
        moved = list[Transition]()
        for transition in transitions:
            if entry := standing.pop(transition.day, None):
                entry.tell(transition, position)
            else:
                moved.append(transition)
        left = sorted(standing.values(), key=lambda one: one.transition.day)
        for transition in moved:
            if left:
                left.pop(0).tell(transition, position)
            elif back := next((one for one in gone if self._comes_back(one, transition)), None):
                gone.remove(back)
                back.tell(transition, position)
            else:
                entry = _FollowedTransition(transition)
                entry.tell(transition, position)
                self.entries.append(entry)
        for entry in left:
            entry.withdraw(position)

    def _comes_back(self, entry: _FollowedTransition, transition: Transition) -> bool:
        """Whether a withdrawn change is announced again.

        The new one has the same day, or comes with the next event, as when a fact is retracted and
        another recorded in its place.
        """
        return entry.transition.day == transition.day or entry.days[-1].position == self._before
