"""The fold: facts of one entity become consecutive states over valid time. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import date
from itertools import zip_longest
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import structs

from projections.fold.effective_facts import FactRow, note_facts
from projections.fold.elements import ElementRow, Exchange, Key, ListedFacts
from projections.fold.entity_rows import Row, RowDelta, Version, note_elements
from tracker.domain.entities.elements import are_stored_apart, is_split
from tracker.domain.entities.entity import EntityState, RecordedFact, Retracted
from tracker.domain.entities.fold import PrefixFolds
from tracker.domain.entities.history import Difference, History
from tracker.domain.events.registry import entity_type

MIN_GENERATION_EVENTS = 32
"""Minimum number of events before the next generation of an entity's rows."""

MAX_CACHED_STATES = 16
"""Approximate number of an entity's states with long lists that stay in memory."""


def timeline(entity: str, known: Sequence[RecordedFact]) -> list[Version]:
    """Return the consecutive states of an entity, from all its facts in log order.

    The timeline is split where the state changes, by an act or on an announced day. Days before the
    first state have none.
    """
    return EntityFold(entity, known).versions()


class EntityFold:
    """The folded facts of one entity, to which more can be applied.

    Rows are only added or closed, so results at past positions stay reproducible. A fact does not
    change states before its effective day. Of the days before, only the last change is read, and only
    the state of the last day is kept. So the cost of a fact depends on the changed rows, not on the
    total.
    """

    __slots__ = (
        "_change_days",
        "_changes",
        "_days",
        "_entity",
        "_folding",
        "_history",
        "_id",
        "_kind",
        "_last",
        "_listed",
        "_since",
        "_whole",
        "generation",
        "search_keys",
        "size",
    )

    def __init__(self, entity: str, known: Sequence[RecordedFact] = ()):
        self._entity, self._kind = entity, entity_type(entity)
        self._id = entity.partition("/")[2]
        self._history = History(known)
        self._folding: PrefixFolds[Any] = PrefixFolds(self._kind.FOLD)
        self._listed: ListedFacts | None = None
        """The facts in long lists, for entities with many facts and after another is applied."""
        self._change_days: list[date] = []
        """Days on which the state may change."""
        self._changes: list[_Change] = []
        """The changes of state, in day order: the last ones, or all if `_whole`."""
        self._whole = not known
        self._last: _Change | None = None
        """The last folded state."""
        self.generation = self._since = 0
        """Position of the last generation of rows, and number of facts since."""
        self._days: set[date] = set()
        for item in known:
            self._begins_generation(item)
            self._add_change_days(item)
        self.search_keys: dict[object, date] = {}
        """Keys under which lists find the entity, with their first day; maintained by the code that
        makes rows."""
        self.size = 0
        """Bytes of its facts; maintained by the code that reads them."""

    @property
    def version(self) -> int:
        """Number of applied facts."""
        return len(self._history.known)

    @property
    def written(self) -> int:
        """Approximate bytes of the changes in memory as JSON."""
        return sum([50 + len(change.mark or "") for change in self._changes])

    def latest(self) -> tuple[date, EntityState] | None:
        """Return the final state with a day from which it holds, or None."""
        if not self._change_days:
            return None
        change = self._change_on(self._change_days[-1])
        return (change.day, change.state) if change.state else None

    def versions(self) -> list[Version]:
        """Return the consecutive states."""
        self._load_changes(date.min)
        versions = [row.version for row in self._rows(0, 0)]
        return [self._with_lists(of) if is_split(of.text) else of for of in versions]

    def _with_lists(self, version: Version) -> Version:
        """Return a version whose text includes its long lists."""
        public = self._history.public(version.start)
        fold = self._folding.of_first(self._history.effective, public)
        return structs.replace(version, text=fold.text(self._state(version.start)))

    def apply(self, new: Sequence[RecordedFact]) -> RowDelta:
        """Apply new facts, each at its own position, and return the changes of the rows."""
        delta = self.empty_delta()
        for _ in self.apply_one_by_one(new, delta):
            pass
        return delta

    def empty_delta(self) -> RowDelta:
        """Return a delta without changes."""
        is_new = not self._history.known
        return RowDelta(
            self._entity, [], [], [], [], [], [], self.search_keys, is_new, self._history
        )

    def apply_one_by_one(self, new: Sequence[RecordedFact], delta: RowDelta) -> Iterator[None]:
        """Apply new facts with a step for each, so that other tasks can run in between.

        The delta is complete after the last step.
        """
        open, elements = dict[date, Row](), dict[Key, ElementRow]()
        facts = dict[int, FactRow]()
        for fact in new:
            closed, opened, exchange, changed = self._apply(fact)
            note_facts(
                changed, self._history, fact.position, facts, delta.facts, delta.closed_facts
            )
            if exchange:
                note_elements(exchange, fact.position, elements, delta)
            for start, generation in closed:
                if row := open.pop(start, None):  # a new row, closed at once
                    delta.added.append(structs.replace(row, until=fact.position))
                else:
                    delta.closed.append((start, generation, fact.position))
            open.update({row.version.start: row for row in opened})
            yield
        delta.added.extend([open[start] for start in sorted(open)])
        delta.elements.extend(elements.values())
        delta.facts.extend(facts.values())

    def _apply(
        self, new: RecordedFact
    ) -> tuple[list[tuple[date, int]], list[Row], Exchange | None, Sequence[RecordedFact]]:
        """Apply a fact.

        Returns the rows to close by start and generation, the new rows, the changes of long lists, and
        the facts that become or stop being effective.
        """
        generation, begins = self.generation, self._begins_generation(new)
        if not self._history.known:
            difference, exchange = self._add_fact(new)
            self._changes = self._changes_on(self._change_days, None)
            return [], self._rows(0, new.position), exchange, difference.facts
        if not self._whole:
            self._load_changes(date.min if begins else self._earliest(new))
        before = self._changes
        difference, exchange = self._add_fact(new)
        first = bisect_left(before, difference.day, key=_DAY)
        self._changes = before[:first]
        self._changes += self._changes_from(difference.day)
        _forget_states(self._changes, first - MAX_CACHED_STATES)
        first = 0 if begins or not first else first - 1  # an earlier version may get another end
        ended, begun = _ends(before[first:]), _ends(self._changes[first:])
        kept = set() if begins else {day for day, how in begun.items() if ended.get(day) == how}
        return (
            [(day, generation) for day in ended if day not in kept],
            self._rows(first, new.position, kept),
            exchange,
            difference.facts,
        )

    def _add_fact(self, new: RecordedFact) -> tuple[Difference, Exchange | None]:
        """Add a fact to the effective facts and return the difference and the changes of long lists."""
        listed, were_many = self._listed, are_stored_apart(self.version)
        if listed is None and were_many:
            listed = self._list_facts()
        difference = self._history.add(new)
        self._folding.truncate(difference.place)
        self._add_change_days(new)
        if self._last and self._last.day >= difference.day:
            self._last = None
        if not are_stored_apart(self.version):
            return difference, None
        self._listed = listed or self._list_facts()
        exchange = self._listed.change(difference.facts) if were_many else self._listed.all()
        return difference, exchange

    def _list_facts(self) -> ListedFacts:
        return ListedFacts(self._entity, self._kind.FOLD, self._history)

    def _add_change_days(self, known: RecordedFact) -> None:
        """Add the days on which a fact may change the state.

        They stay after a retraction, because the fact may be restored.
        """
        if isinstance(known.fact, Retracted):
            return
        days = self._change_days
        for day in self._kind.change_days(known.fact):
            if not days or day > days[-1]:
                days.append(day)
            elif days[place := bisect_left(days, day)] != day:
                days.insert(place, day)

    def _earliest(self, new: RecordedFact) -> date:
        """Return a day before which a new fact changes no effective fact."""
        if not isinstance(new.fact, Retracted):
            return new.fact.public_on
        target = self._history.get(new.fact.retracts)
        return target.fact.public_on if target else date.max

    def _begins_generation(self, known: RecordedFact) -> bool:
        """Whether a new fact begins a generation of rows.

        A generation has as many facts as there are effective days, and at least
        `MIN_GENERATION_EVENTS`. An entity has about one row per effective day. So rewritten rows stay
        fewer than the facts.
        """
        self._days.add(known.fact.public_on)
        self._since += 1
        if self._since < MIN_GENERATION_EVENTS or self._since < len(self._days):
            return False
        self.generation, self._since = known.position, 0
        return True

    def _load_changes(self, day: date) -> None:
        """Load the changes from the last one before a day on; all of them for the first day."""
        if self._whole or (self._changes and self._changes[0].day < day):
            return
        until = self._changes[0].day if self._changes else None
        place = bisect_left(self._change_days, day)
        while place > 0:
            place -= 1
            before = self._change_on(self._change_days[place - 1]).mark if place else None
            if self._change_on(self._change_days[place]).mark != before:
                break
        else:
            before, self._whole = None, True
        end = len(self._change_days) if until is None else bisect_left(self._change_days, until)
        self._changes = [*self._changes_on(self._change_days[place:end], before), *self._changes]

    def _changes_on(self, days: Iterable[date], before: str | None) -> list[_Change]:
        """Return the changes of state on consecutive days."""
        changes: list[_Change] = []
        for day in days:
            change = self._change_on(day)
            if change.mark != before:
                changes.append(change)
                if len(changes) > MAX_CACHED_STATES:
                    _forget_states(changes, len(changes) - MAX_CACHED_STATES - 1)
            before = change.mark
        return changes

    def _changes_from(self, day: date) -> list[_Change]:
        """Return the changes of state from a day on, after the last known change."""
        days = self._change_days[bisect_left(self._change_days, day) :]
        return self._changes_on(days, self._changes[-1].mark if self._changes else None)

    def _change_on(self, day: date) -> _Change:
        """Return the state on a day.

        It depends only on the facts public by then, so it stays valid as long as they do.
        """
        if self._last is None or self._last.day != day:
            facts, count = self._history.effective, self._history.public(day)
            fold = self._folding.of_first(facts, count)
            state = fold.state(self._id, day)
            if state is None:
                self._last = _Change(day, None, None)
            else:
                newest = facts[count - 1]
                self._last = _Change(
                    day, state, fold.written(state), (newest.fact.public_on, newest.position)
                )
        return self._last

    def _rows(self, first: int, since: int, kept: Container[date] = ()) -> list[Row]:
        """Return the rows of the changes from an index on, except on some days."""
        rows: list[Row] = []
        ends = [change.day for change in self._changes[first + 1 :]]
        for change, end in zip_longest(self._changes[first:], ends):
            if change.mark is not None and change.day not in kept:
                state = change.state or self._state(change.day)
                version = Version(change.day, end, state, change.mark, change.newest)
                rows.append(Row(self._entity, version, since, None, self.generation))
        return rows

    def _state(self, day: date) -> EntityState:
        """Return the state on a day, which must exist."""
        state = self._change_on(day).state
        assert state is not None
        return state


class _Change(msgspec.Struct, frozen=True, gc=False):
    """A day from which another state, or none, holds.

    `mark` is the written state, by which states are compared; `newest` is as in a `Version`. Only the
    last states with long lists stay in memory.
    """

    day: date
    state: EntityState | None
    mark: str | None
    newest: tuple[date, int] | None = None


_DAY = attrgetter("day")


def _forget_states(changes: list[_Change], start: int) -> None:
    """Drop the states with long lists except in the last changes; `start` is the first candidate."""
    for index in range(max(start, 0), len(changes) - MAX_CACHED_STATES):
        if is_split(changes[index].mark or ""):
            changes[index] = structs.replace(changes[index], state=None)


def _ends(changes: Sequence[_Change]) -> dict[date, tuple[str, date | None]]:
    """Return the state and end of each version, by its first day."""
    ends = [change.day for change in changes[1:]]
    return {
        change.day: (change.mark, end)
        for change, end in zip_longest(changes, ends)
        if change.mark is not None
    }
