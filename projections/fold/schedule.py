"""What was said to be to come of an entity, and how the days of it were moved and withdrawn. Pure.

What the log told is worked out event after event. What happens to a part on a day is the same as what
was told before where kind and part are the same and the day is, or, of those whose days differ, in
their order: so the end of a suspension stays one thing, whatever day it is given.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from projections.fold.transitions import EntityTransitions, Transition
from tracker.domain.entity import RecordedFact, Retracted
from tracker.domain.values import DAY

ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class ScheduledDay:
    """What an event made of a day to come: the day that it is given, None where it is withdrawn."""

    day: date | None
    position: int
    """That of the event in the log."""


@dataclass(frozen=True, slots=True)
class Scheduled:
    """Something that was said before the day on which it is to happen."""

    transition: Transition
    """As it was told last."""
    days: tuple[ScheduledDay, ...]
    """Every day that it was given, in the order of the log; at least one."""
    changed: int
    """The position of the last event that changed anything of it."""

    @property
    def withdrawn(self) -> bool:
        """Whether it is said no more."""
        return self.days[-1].day is None

    @property
    def id(self) -> str:
        """What stands for it, whatever is recorded later."""
        of, first = self.transition, self.days[0]
        what = (of.entity, of.part, of.kind.value, first.position, str(first.day))
        return hashlib.blake2b(repr(what).encode(), digest_size=ID_BYTES).hexdigest()


def schedule(entity: str, known: Sequence[RecordedFact]) -> list[Scheduled]:
    """What was to come of an entity by its facts, which are in the order of the log; by day."""
    builder = ScheduleBuilder(entity, known)
    while builder.read_next():
        pass
    return builder.scheduled()


def newest_schedule(entity: str, known: Sequence[RecordedFact]) -> list[Scheduled]:
    """The same of an entity with very many facts: what stands, without the days that it was given before,
    so that what moves is another thing."""
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
    """Makes the schedule of an entity, event after event."""

    def __init__(self, entity: str, known: Sequence[RecordedFact]):
        self._entity, self._known = entity, known
        self._transitions = _FollowedTransitions()
        self._read = 0

    def read_next(self) -> bool:
        """Take over what is told from the next event on; whether there was one."""
        if self._read == len(self._known):
            return False
        self._read += 1
        fact = self._known[self._read - 1]
        # Before the day from which a fact is public nothing is otherwise, but by a retraction.
        after = date.min if isinstance(fact.fact, Retracted) else fact.fact.public_on - DAY
        transitions = EntityTransitions(self._entity, self._known[: self._read]).between(
            after, date.max
        )
        self._transitions.enter(transitions, fact.position, after)
        return True

    def scheduled(self) -> list[Scheduled]:
        """What was to come, as far as it was read; by day."""
        found = [
            Scheduled(one.transition, tuple(one.days), one.changed)
            for one in self._transitions.entries
            if one.planned
        ]
        return sorted(found, key=lambda one: (one.transition.day, one.id))


@dataclass(slots=True)
class _FollowedTransition:
    """A transition from the first event that told of it on."""

    transition: Transition
    days: list[ScheduledDay] = field(default_factory=list)
    planned: bool = False
    """Whether it was ever said before its day."""
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
    """All that was to come of an entity, from event to event."""

    def __init__(self) -> None:
        self.entries: list[_FollowedTransition] = []
        self._before: int | None = None
        """The position of the event before."""

    def enter(self, transitions: Iterable[Transition], position: int, after: date) -> None:
        """Take over what is told from an event on of the days after one."""
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
        """Whether something that was withdrawn is told again: of the same day, or by the very next
        event, as where a fact is retracted and another recorded in its place."""
        return entry.transition.day == transition.day or entry.days[-1].position == self._before
