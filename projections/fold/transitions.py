"""Days on which an entity's state changes, with the changes and their facts. Pure.

A transition needs no act on its day. A suspension begins or ends, or a clause expires, because it was
announced. A later act that confirms it is recorded separately.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from enum import StrEnum
from functools import cached_property
from operator import attrgetter
from typing import Any

from msgspec import Struct

from projections.fold.day_change import DayChange, Part, StateOnDay, day_change
from projections.fold.diff import FieldChange, SharedItems, content
from projections.fold.fewer_facts import FEWER_FOLDS_INTERVALS, FewerFacts, growing_chunks
from tracker.domain.actors.alliance import AllianceState
from tracker.domain.basics.control_vocabulary import ClauseStatus
from tracker.domain.basics.values import DAY, PartialDate
from tracker.domain.controls.clause import ClauseState
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.export_control_acts import (
    Amended,
    Announced,
    ClausesFact,
    Discontinued,
    EnteredIntoForce,
    Expired,
    Merged,
    Reinstated,
    Repealed,
    Suspended,
)
from tracker.domain.entities.entity import (
    INITIAL_FACTS,
    EntityState,
    Evidence,
    RecordedFact,
    because,
    effective_facts,
)
from tracker.domain.entities.fact import Fact
from tracker.domain.entities.fold import PrefixFolds
from tracker.domain.events.registry import entity_type


class TransitionKind(StrEnum):
    """Kinds of changes that happen on a day, to an entity or a part of it."""

    APPEARS = "appears"
    """The entity begins to exist."""
    IN_FORCE = "in_force"
    """A clause enters into force."""
    SUSPENDED = "suspended"
    """A clause is suspended."""
    RETURNS = "returns"
    """A suspension ends, and the clause is in force: again, or for the first time if it was
    suspended before its first date."""
    EXPIRES = "expires"
    """A clause ends."""
    REPEALED = "repealed"
    """A clause is repealed, or merged into another instrument."""
    DISCONTINUED = "discontinued"
    """A clause is withdrawn, lapses, or is concluded without a measure."""
    AMENDED = "amended"
    """A clause gets a new wording."""
    MEMBER_JOINS = "member_joins"
    """A place becomes a member."""
    MEMBER_LEAVES = "member_leaves"
    """A place is no longer a member."""
    STATED_END = "stated_end"
    """A suspension ends as a government stated. By the text of the instrument the clause is already
    in force."""
    CHANGES = "changes"
    """Another change."""


class TransitionBasis(StrEnum):
    """The basis of a transition: an act of its day, an earlier announcement, or a statement alone."""

    ACT = "act"
    """An act that became public on the date."""
    CONFIRMED = "confirmed"
    """An act that was public before, and a later one that names the same date."""
    TERMS = "terms"
    """The terms of an act that was public before, such as the end of a suspension. No later act
    that names the date is recorded."""
    STATEMENT = "statement"
    """A statement of a government, without a legal instrument."""


class Transition(Struct, frozen=True):
    """A change of an entity or a part of it on a day.

    `before` is the state on the previous day, or None. `because` is the last necessary fact, public
    from `announced_on`; for a new entity it is its opening. `confirmed_by` is the first later act that
    names the same day, unless `because` is of that day.
    """

    day: date
    """The date of the change."""
    entity: str
    """The name of the entity in the log, such as `alliance/quad`."""
    part: Part
    kind: TransitionKind
    before: EntityState | None
    after: EntityState
    fields: tuple[FieldChange, ...]
    because: Evidence
    """The event from which the change follows."""
    announced_on: date
    """The date on which that event became public. It equals `day` if the event is an act of that date."""
    confirmed_by: Evidence | None = None
    """The first later act that confirms the date. Null if the event behind the change is of the same date,
    or if no such act is recorded."""
    begun_by: tuple[tuple[str, Evidence], ...] = ()
    """The facts that set the initial statuses of new clauses."""

    @property
    def clause(self) -> str | None:
        """The key of the clause that changes."""
        return self.part[1] if self.part[:1] == ("clauses",) else None

    @property
    def member(self) -> str | None:
        """The code of the member that changes."""
        return self.part[1] if self.part[:1] == ("members",) else None

    @property
    def basis(self) -> TransitionBasis:
        """Whether the change rests on an act of its date or on an earlier announcement."""
        if self.kind is TransitionKind.STATED_END:
            return TransitionBasis.STATEMENT
        if self.announced_on >= self.day:
            return TransitionBasis.ACT
        return TransitionBasis.CONFIRMED if self.confirmed_by else TransitionBasis.TERMS


def transitions(
    entity: str, known: Sequence[RecordedFact], after: date, until: date
) -> list[Transition]:
    """Return the transitions of an entity after one day and up to another, in order.

    A day on which only the facts behind the state differ has none.
    """
    return list(EntityTransitions(entity, known).between(after, until))


class EntityTransitions:
    """The transitions of one entity, from any number of its facts."""

    def __init__(self, entity: str, known: Sequence[RecordedFact]):
        self._entity, self._kind = entity, entity_type(entity)
        self._id = entity.partition("/")[2]
        self._facts = effective_facts(known)
        begin = self._kind.FOLD().copy  # copies share the elements of their lists
        self._folding: PrefixFolds[Any] = PrefixFolds(begin)
        self._fewer: PrefixFolds[Any] = PrefixFolds(begin, FEWER_FOLDS_INTERVALS)
        """The folds without some of the facts."""
        self._items = SharedItems()

    def days(self, after: date, until: date) -> Sequence[date]:
        """Return the days after one day and up to another with possible transitions."""
        days = sorted({day for k in self._facts for day in self._kind.change_days(k.fact)})
        return days[bisect_right(days, after) : bisect_right(days, until)]

    def between(self, after: date, until: date) -> Iterator[Transition]:
        """Yield the transitions after one day and up to another."""
        days = self.days(after, until)
        before = self._state_on(self._folding, after, self._public(after)) if days else None
        for day in days:
            count = self._public(day)
            on_day = self._state_on(self._folding, day, count)
            assert before is not None
            if on_day.state is not None:
                yield from self._of_day(day, count, before, on_day)
            before = on_day

    def _of_day(
        self, day: date, count: int, eve: StateOnDay, on_day: StateOnDay
    ) -> Iterator[Transition]:
        change = day_change(eve, on_day)
        before, after, parts = change
        assert after is not None
        fewer = FewerFacts(day, eve, self._public(day - DAY), self._state_of_first, self._items)
        for part, fields in parts.items():
            place = self._place_of_cause(count, part, change, fewer)
            cause = self._facts[place]
            kind = _transition_kind(part, before, after, day)
            [fact] = because([cause])
            yield Transition(
                day,
                self._entity,
                part,
                kind,
                before,
                after,
                tuple(fields),
                fact,
                cause.fact.public_on,
                self._confirmation(day, part, kind, place),
                tuple(self._causes_of_first_statuses(day, count, part, before, after)),
            )

    def _place_of_cause(self, count: int, part: Part, change: DayChange, fewer: FewerFacts) -> int:
        """Return the index of the last fact that is necessary for a change of a part on a day.

        For a new entity it is the opening, regardless of other facts of the day.
        """
        if change.before is None:
            return next(n for n in range(count) if type(self._facts[n].fact) in INITIAL_FACTS)
        what = _what_happens(part, change, fewer.day)
        acts = (n for n in range(count - 1, 0, -1) if _bears_on(self._facts[n].fact, part))
        return fewer.last_difference(part, acts, what, _what_happens)

    def _causes_of_first_statuses(
        self, day: date, count: int, part: Part, before: EntityState | None, after: EntityState
    ) -> Iterator[tuple[str, Evidence]]:
        """Yield the facts that set the initial statuses of new clauses."""
        earlier = _statuses(before)
        statuses = {
            id: status
            for id, status in _statuses(after).items()
            if part in ((), ("clauses", id)) and id not in earlier
        }
        if not statuses:
            return
        acts = (
            n
            for n in reversed(range(count))
            if any(_bears_on(self._facts[n].fact, ("clauses", id)) for id in statuses)
        )
        for chunk in growing_chunks(acts):
            fewer = {n: _statuses(self._state_of_first(day, n)) for n in chunk[::-1]}
            for last in chunk:
                for id in [i for i, status in statuses.items() if fewer[last].get(i) is not status]:
                    del statuses[id]
                    yield id, because([self._facts[last]])[0]
            if not statuses:
                return

    def _confirmation(
        self, day: date, part: Part, kind: TransitionKind, cause: int
    ) -> Evidence | None:
        """Return the first act after the cause that names the same change and day."""
        if self._facts[cause].fact.public_on >= day:
            return None
        for place in self._acts_by_happening.get((kind, day), ()):
            if place > cause and _bears_on(self._facts[place].fact, part):
                return because([self._facts[place]])[0]
        return None

    @cached_property
    def _acts_by_happening(self) -> dict[tuple[TransitionKind, date], list[int]]:
        """The indexes of the acts that name a change on a day."""
        found: dict[tuple[TransitionKind, date], list[int]] = defaultdict(list)
        for place, known in enumerate(self._facts):
            for kind, day in happenings(known.fact):
                found[kind, day].append(place)
        return found

    def _public(self, day: date) -> int:
        """Return the number of facts public by a day; they come first."""
        return bisect_right(self._facts, day, key=_PUBLIC_ON)

    def _state_on(self, folding: PrefixFolds[Any], day: date, count: int) -> StateOnDay:
        state = self._state(folding, day, count)
        return StateOnDay(state, content(state, shared=self._items))

    def _state_of_first(self, day: date, count: int) -> EntityState | None:
        return self._state(self._fewer, day, count)

    def _state(self, folding: PrefixFolds[Any], day: date, count: int) -> EntityState | None:
        if not count:
            return None
        state: EntityState | None = folding.of_first(self._facts, count).state(self._id, day)
        return state


_PUBLIC_ON = attrgetter("fact.public_on")


def _bears_on(fact: Fact, part: Part) -> bool:
    """Whether a fact can affect a part of its entity."""
    match part, fact:
        case ("clauses", id), Amended():
            return any(clause.id == id for clause in fact.clauses)
        case ("clauses", id), ClausesFact():
            return not fact.clauses or id in fact.clauses
        case ("clauses", _), _:
            return isinstance(fact, Announced)
        case ("members", place), _:
            return getattr(fact, "member", place) == place
    return True


def happenings(fact: Fact) -> Iterator[tuple[TransitionKind, date]]:
    """Yield the status changes of clauses that an act names, with their days."""
    match fact:
        case EnteredIntoForce():
            yield TransitionKind.IN_FORCE, fact.in_force_from.first
            yield TransitionKind.RETURNS, fact.in_force_from.first
        case Amended(effective_from=PartialDate() as start):  # a wording, from its first day on
            yield TransitionKind.IN_FORCE, start.first
        case Reinstated():
            yield TransitionKind.RETURNS, fact.reinstated_from.first
        case Suspended(entities=()):
            yield TransitionKind.SUSPENDED, fact.suspended_from.first
        case Expired() if fact.in_force_until.last < date.max:
            yield TransitionKind.EXPIRES, fact.in_force_until.last + DAY
        case Repealed():
            yield TransitionKind.REPEALED, fact.repealed_from.first
        case Merged():
            yield TransitionKind.REPEALED, fact.merged_from.first
        case Discontinued():
            yield TransitionKind.DISCONTINUED, fact.discontinued_from.first


def _what_happens(part: Part, change: DayChange, day: date) -> Any:
    """Return the comparable form of a part's change, for comparison with fewer facts.

    Appearing, joining and leaving compare by kind alone. A status change compares by status, an
    amendment by its wording, and any other change by all its fields.
    """
    fields = change.parts.get(part)
    if not fields or change.after is None:
        return None
    kind = _transition_kind(part, change.before, change.after, day)
    if kind in _WHATEVER_ELSE_CHANGES:
        return kind
    if status := next((field.after for field in fields if field.path[2:] == ("status",)), None):
        return kind, status
    if kind is TransitionKind.AMENDED:
        return kind, [field for field in fields if field.path[2] == "clause"]
    return kind, fields


_WHATEVER_ELSE_CHANGES = {
    TransitionKind.APPEARS,
    TransitionKind.MEMBER_JOINS,
    TransitionKind.MEMBER_LEAVES,
}


def _transition_kind(
    part: Part, before: EntityState | None, after: EntityState, day: date
) -> TransitionKind:
    match part:
        case ("clauses", id):
            return _of_clause(clause_of(before, id), clause_of(after, id), day)
        case ("members", place):
            return _of_member(_is_member(before, place), _is_member(after, place))
    return TransitionKind.CHANGES if before else TransitionKind.APPEARS


def _of_clause(before: ClauseState | None, after: ClauseState | None, day: date) -> TransitionKind:
    if before is None or after is None:
        return TransitionKind.APPEARS if after else TransitionKind.CHANGES
    if before.status is after.status and before.clause == after.clause:
        stated = before.contradiction(day - DAY)
        is_over = stated is not None and stated.until.last < day
        return TransitionKind.STATED_END if is_over else TransitionKind.CHANGES
    if before.status is after.status:
        return TransitionKind.AMENDED
    match after.status:
        case ClauseStatus.EXPIRED:
            return TransitionKind.EXPIRES
        case ClauseStatus.REPEALED:
            return TransitionKind.REPEALED
        case ClauseStatus.WITHDRAWN | ClauseStatus.LAPSED | ClauseStatus.CONCLUDED:
            return TransitionKind.DISCONTINUED
        case ClauseStatus.SUSPENDED:
            return TransitionKind.SUSPENDED
        case ClauseStatus.IN_FORCE:
            returns = before.status is ClauseStatus.SUSPENDED
            return TransitionKind.RETURNS if returns else TransitionKind.IN_FORCE
    # no longer suspended but not in force, or with a wording that may not be law yet
    return TransitionKind.AMENDED if before.clause != after.clause else TransitionKind.CHANGES


def _of_member(before: bool, after: bool) -> TransitionKind:
    if before == after:  # another role, or no member before and after
        return TransitionKind.CHANGES
    return TransitionKind.MEMBER_JOINS if after else TransitionKind.MEMBER_LEAVES


def clause_of(state: EntityState | None, id: str) -> ClauseState | None:
    """Return a clause of an instrument by its id."""
    clauses = state.clauses if isinstance(state, ExportControlState) else ()
    return next((item for item in clauses if item.clause.id == id), None)


def _statuses(state: EntityState | None) -> dict[str, ClauseStatus]:
    clauses = state.clauses if isinstance(state, ExportControlState) else ()
    return {item.clause.id: item.status for item in clauses}


def _is_member(state: EntityState | None, place: str) -> bool:
    members = state.members if isinstance(state, AllianceState) else ()
    return any(member.place == place and member.role.is_membership for member in members)
