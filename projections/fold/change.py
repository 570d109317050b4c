"""Differences of an entity between two moments, with the causing events. Pure."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

from msgspec import Struct

from projections.fold.diff import FieldChange, diff
from projections.fold.transitions import Transition
from tracker.domain.entities.entity import EntityState, Evidence, RecordedFact, Retracted, because


class ChangeKind(StrEnum):
    """Kind of difference of an entity between two moments."""

    APPEARED = "appeared"
    """It exists at the second moment only."""
    CHANGED = "changed"
    """It exists at both, and its state differs."""
    DISAPPEARED = "disappeared"
    """It exists at the first moment only: its first fact was retracted."""


class Change(Struct, frozen=True):
    """An entity that differs between two moments.

    `passed` are its transitions between them, as known at the later one. `because` are the causing
    events in log order: see `causes_of`. `held_from` is the day from which the later state has held.
    """

    entity: str
    """The name of the entity in the log, such as `alliance/quad`."""
    before: EntityState | None
    after: EntityState | None
    passed: tuple[Transition, ...]
    because: tuple[Evidence, ...]
    """The events behind the difference: newly recorded or newly public facts, retractions, and facts that
    announced a date between the two moments."""
    held_from: date | None
    """The date from which the state at the second moment holds; null if there is no state. It may be
    before the first moment if only the recorded knowledge changed."""

    @property
    def effective_days(self) -> tuple[date, ...]:
        """The dates between the two moments on which its state changed, as known at the later position;
        empty if only the recorded knowledge changed."""
        return tuple(dict.fromkeys(transition.day for transition in self.passed))

    @property
    def what(self) -> ChangeKind:
        """Whether the entity appeared, changed or disappeared."""
        if self.before is None:
            return ChangeKind.APPEARED
        return ChangeKind.CHANGED if self.after else ChangeKind.DISAPPEARED

    @property
    def fields(self) -> tuple[FieldChange, ...]:
        """The fields that differ; empty if only the facts behind the state differ."""
        return diff(self.before, self.after)

    def day_of(self, field: FieldChange) -> date | None:
        """Return the last day on which a field changed, or None if only its recording changed."""
        days = [
            transition.day
            for transition in self.passed
            if any(_overlap(field.path, other.path) for other in transition.fields)
        ]
        return max(days, default=None)


def causes_of(
    before: EntityState | None,
    after: EntityState | None,
    known: Sequence[RecordedFact],
    since: int,
    passed: Sequence[Transition],
) -> tuple[Evidence, ...]:
    """Return the events that changed the state of an entity.

    - Facts that are effective now and were not before: recorded since, or with a day that has come.
    - Retractions since a position that removed an event from the state, or restored one.
    - Facts that announced the days of changes without an act.
    """
    old, new = (_reasons(state) for state in (before, after))
    events = {k.event_id: k for k in known}
    gained = [events[id] for id in new - old]
    undone = [
        k
        for k in known
        if k.position > since and isinstance(k.fact, Retracted) and _subject(k, events) in old ^ new
    ]
    announced = [events[transition.because.event_id] for transition in passed]
    return because({k.event_id: k for k in (*gained, *undone, *announced)}.values())


def _overlap(path: Sequence[str], other: Sequence[str]) -> bool:
    """Whether one of two fields is the other or a part of it; the whole state only overlaps itself."""
    shorter = min(len(path), len(other))
    return path[:shorter] == other[:shorter] and (shorter > 0 or len(path) == len(other))


def _reasons(state: EntityState | None) -> set[str]:
    """Return the ids of the events behind a state."""
    return {reason.event_id for reason in state.because} if state else set()


def _subject(retraction: RecordedFact, events: dict[str, RecordedFact]) -> str:
    """Return the event that a retraction, or a chain of retractions, finally concerns."""
    known = retraction
    while isinstance(known.fact, Retracted):
        known = events[known.fact.retracts]
    return known.event_id
