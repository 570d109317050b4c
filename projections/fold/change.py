"""What makes an entity another one between two moments, and because of which events. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from projections.fold.diff import FieldChange, diff
from projections.fold.transitions import Transition
from tracker.domain.entity import EntityState, Evidence, RecordedFact, Retracted, because


class ChangeKind(StrEnum):
    """How an entity differs between two moments."""

    APPEARED = "appeared"
    CHANGED = "changed"
    DISAPPEARED = "disappeared"


@dataclass(frozen=True, slots=True)
class Change:
    """An entity that differs between two moments.

    `passed` are its transitions between them, as known at the later one. `because` are the events
    because of which, in the order of the log: see `causes_of`. `held_from` is the day from which
    the state at the later one has held.
    """

    entity: str
    before: EntityState | None
    after: EntityState | None
    passed: tuple[Transition, ...]
    because: tuple[Evidence, ...]
    held_from: date | None

    @property
    def effective_days(self) -> tuple[date, ...]:
        """The days between them on which its state changed, as known at the later one."""
        return tuple(dict.fromkeys(transition.day for transition in self.passed))

    @property
    def what(self) -> ChangeKind:
        """Whether the entity appeared, changed or disappeared."""
        if self.before is None:
            return ChangeKind.APPEARED
        return ChangeKind.CHANGED if self.after else ChangeKind.DISAPPEARED

    @property
    def fields(self) -> tuple[FieldChange, ...]:
        """The fields that differ; none where only the facts behind the state do."""
        return diff(self.before, self.after)

    def day_of(self, field: FieldChange) -> date | None:
        """The last of those days on which a field changed; None where only what is recorded of it
        did."""
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
    """The events because of which the state of an entity is no longer the same.

    - Those that count now and did not before: they were recorded since, or their day has come.
    - The retractions since a position that took an event out of the state, or gave one back.
    - Those that announced the days on which it changed without an act.
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
    """Whether one of two fields is the other, or a part of it; the whole state only overlaps itself."""
    shorter = min(len(path), len(other))
    return path[:shorter] == other[:shorter] and (shorter > 0 or len(path) == len(other))


def _reasons(state: EntityState | None) -> set[str]:
    """The ids of the events behind a state."""
    return {reason.event_id for reason in state.because} if state else set()


def _subject(retraction: RecordedFact, events: dict[str, RecordedFact]) -> str:
    """The event that a retraction, or a retraction of a retraction, is about in the end."""
    known = retraction
    while isinstance(known.fact, Retracted):
        known = events[known.fact.retracts]
    return known.event_id
