"""Previews of events that are not recorded: the resulting states, folded in memory."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import zip_longest
from typing import Any
from uuid import uuid4

from msgspec import Struct

from projections.fold.change import Change, causes_of
from projections.fold.public_facts import facts_public_by
from projections.fold.status_periods import StatusPeriod, status_periods
from projections.fold.transitions import EntityTransitions, Transition
from tracker.domain.basics.control_vocabulary import Measure
from tracker.domain.controls.export_control import ExportControl, ExportControlState
from tracker.domain.entities.entity import EntityState, RecordedFact, effective_facts, entity_type
from tracker.domain.entities.fold import PrefixFolds
from tracker.log.entries import RecordedEvent


class StatusChange(Struct, frozen=True):
    """A clause with different status periods."""

    entity: str
    """The export control in the log, `export-control/<key>`."""
    clause: str
    """The key of the clause."""
    measure: Measure
    """The measure of the clause, by its last wording."""
    before: tuple[StatusPeriod, ...]
    """All periods of its status in the log, the oldest first."""
    after: tuple[StatusPeriod, ...]
    """All periods of its status after recording, the oldest first."""


@dataclass(frozen=True, eq=False)
class Preview:
    """Planned events of some entities, on top of their events as recorded at a position.

    `known` has the recorded events by entity, `events` the planned ones in order, with the positions
    that they would get.
    """

    position: int
    known: Mapping[str, Sequence[RecordedEvent]]
    events: Sequence[RecordedEvent]
    token: str = field(default_factory=lambda: uuid4().hex)
    """Unique id of the preview."""

    @cached_property
    def planned(self) -> Mapping[str, Sequence[RecordedEvent]]:
        """The recorded and the planned events by entity."""
        by_entity = {entity: [*events] for entity, events in self.known.items()}
        for event in self.events:
            by_entity[event.stream].append(event)
        return by_entity

    def facts(self, entity: str) -> list[RecordedFact]:
        """Return the facts of an entity, recorded and planned."""
        return [event.known for event in self.planned[entity]]

    def state(self, entity: str, day: date) -> EntityState | None:
        """Return the resulting state of an entity on a day."""
        return state_on(entity, self.facts(entity), day)[0]

    def transitions(self, entity: str, day: date) -> list[Transition]:
        """Return all resulting transitions of an entity, as known on a day."""
        return _transitions(entity, self.planned[entity], day)

    def change(self, entity: str, day: date) -> Change | None:
        """Return the change in the state of an entity on a day, or None."""
        facts = self.facts(entity)
        before, _ = state_on(entity, [event.known for event in self.known[entity]], day)
        after, since = state_on(entity, facts, day)
        because = causes_of(before, after, facts, self.position, ())
        return None if before == after else Change(entity, before, after, (), because, since)

    def status_changes(self, entity: str, day: date) -> Iterator[StatusChange]:
        """Yield the clauses of an entity with different status periods, as known on a day."""
        if entity_type(entity) is not ExportControl:
            return
        before = _transitions(entity, self.known[entity], day)
        after = self.transitions(entity, day)
        for clause, measure in _clauses([*before, *after]).items():
            old, new = (tuple(status_periods(clause, side)) for side in (before, after))
            if any(_compared_part(a) != _compared_part(b) for a, b in zip_longest(old, new)):
                yield StatusChange(entity, clause, measure, old, new)


def state_on(
    entity: str, known: Sequence[RecordedFact], day: date
) -> tuple[EntityState | None, date | None]:
    """Return the state of an entity on a day, and the day since which it holds."""
    kind, id = entity_type(entity), entity.partition("/")[2]
    facts = effective_facts(known)
    folds: PrefixFolds[Any] = PrefixFolds(kind.FOLD)

    def on(when: date) -> EntityState | None:
        count = bisect_right(facts, when, key=lambda known: known.fact.public_on)
        state: EntityState | None = folds.of_first(facts, count).state(id, when) if count else None
        return state

    state = on(day)
    if state is None:
        return None, None
    days = sorted({day for known in facts for day in kind.change_days(known.fact)})
    since = bisect_right(days, day) - 1
    while since > 0 and on(days[since - 1]) == state:
        since -= 1
    return state, days[since]


def _transitions(entity: str, events: Sequence[RecordedEvent], day: date) -> list[Transition]:
    facts = facts_public_by(events, day)
    return list(EntityTransitions(entity, facts).between(date.min, date.max))


def _clauses(transitions: Sequence[Transition]) -> dict[str, Measure]:
    """Return the clauses in states after some transitions, in order, with their measures."""
    states = [one.after for one in transitions if isinstance(one.after, ExportControlState)]
    return {item.clause.id: item.clause.measure for state in states for item in state.clauses}


def _compared_part(period: StatusPeriod | None) -> object:
    """Return the compared part of a status period: all but the evidence, which may grow."""
    if period is None:
        return None
    return period.status, period.first, period.last, period.basis, period.because.event_id
