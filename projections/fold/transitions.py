"""The days on which an entity's state changes, what happens on them, and which fact said so. Pure.

A transition needs no act on its day: a suspension begins or ends, or a clause expires, because it was
announced.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from projections.fold.diff import FieldChange, diff
from projections.fold.timeline import timeline
from tracker.domain.alliance import AllianceState
from tracker.domain.clause import ClauseState
from tracker.domain.entity import EntityState, Evidence, RecordedFact, because, effective_facts
from tracker.domain.export_control import ExportControlState
from tracker.domain.registry import entity_type
from tracker.domain.values import DAY
from tracker.domain.vocabulary import ClauseStatus

Part = tuple[str, ...]
"""A part of an entity that changes by itself: `("clauses", "2")`, `("members", "JP")`; else ()."""


class TransitionKind(StrEnum):
    """Kinds of changes that happen on a day, to an entity or a part of it."""

    APPEARS = "appears"
    IN_FORCE = "in_force"
    SUSPENDED = "suspended"
    RETURNS = "returns"
    EXPIRES = "expires"
    REPEALED = "repealed"
    DISCONTINUED = "discontinued"
    AMENDED = "amended"
    MEMBER_JOINS = "member_joins"
    MEMBER_LEAVES = "member_leaves"
    CHANGES = "changes"


@dataclass(frozen=True, slots=True)
class Transition:
    """What happens to an entity or a part of it on a day.

    `before` is the state of the entity on the day before, None when it had none; `because` is the
    last of the facts without which it would not happen, or not so.
    """

    day: date
    entity: str
    part: Part
    kind: TransitionKind
    before: EntityState | None
    after: EntityState
    fields: tuple[FieldChange, ...]
    because: Evidence

    @property
    def clause(self) -> str | None:
        """The id of the clause to which it happens."""
        return self.part[1] if self.part[:1] == ("clauses",) else None

    @property
    def member(self) -> str | None:
        """The place that it happens to as a member."""
        return self.part[1] if self.part[:1] == ("members",) else None


def transitions(
    entity: str, known: Sequence[RecordedFact], after: date, until: date
) -> list[Transition]:
    """The transitions of an entity on the days after one day and up to another, in their order.

    A day on which only the facts behind the state differ has none.
    """
    entity_timeline = EntityTimeline(entity, known)
    days = [version.start for version in timeline(entity, known) if after < version.start <= until]
    return [transition for day in days for transition in entity_timeline.on(day)]


class EntityTimeline:
    """The states of one entity, from any number of its facts."""

    def __init__(self, entity: str, known: Sequence[RecordedFact]):
        self._entity, self._kind = entity, entity_type(entity)
        self._id = entity.partition("/")[2]
        self._facts = effective_facts(known)

    def on(self, day: date) -> Iterator[Transition]:
        """What happens on a day."""
        public = [k for k in self._facts if k.fact.public_on <= day]
        before, after = self._state(public, day - DAY), self._state(public, day)
        assert after is not None
        for part, fields in self._parts(public, day).items():
            [fact] = because([self._causing_fact(public, day, part, fields)])
            yield Transition(
                day,
                self._entity,
                part,
                _transition_kind(part, before, after),
                before,
                after,
                tuple(fields),
                fact,
            )

    def _state(self, facts: Sequence[RecordedFact], day: date) -> EntityState | None:
        return self._kind.state_on(self._id, facts, day)

    def _parts(self, facts: Sequence[RecordedFact], day: date) -> dict[Part, list[FieldChange]]:
        """The fields that change on a day, by the part that they belong to."""
        parts: dict[Part, list[FieldChange]] = defaultdict(list)
        for change in diff(self._state(facts, day - DAY), self._state(facts, day)):
            named = len(change.path) > 1 and change.path[0] in ("clauses", "members")
            parts[change.path[:2] if named else ()].append(change)
        return parts

    def _causing_fact(
        self, public: Sequence[RecordedFact], day: date, part: Part, fields: list[FieldChange]
    ) -> RecordedFact:
        """The last fact that it takes for these fields to change on the day."""
        count = len(public)
        while count > 1 and self._parts(public[: count - 1], day).get(part) == fields:
            count -= 1
        return public[count - 1]


def _transition_kind(part: Part, before: EntityState | None, after: EntityState) -> TransitionKind:
    match part:
        case ("clauses", id):
            return _of_clause(_clause(before, id), _clause(after, id))
        case ("members", place):
            return _of_member(_is_member(before, place), _is_member(after, place))
    return TransitionKind.CHANGES if before else TransitionKind.APPEARS


def _of_clause(before: ClauseState | None, after: ClauseState | None) -> TransitionKind:
    if before is None or after is None:
        return TransitionKind.APPEARS if after else TransitionKind.CHANGES
    if before.status is after.status:
        return TransitionKind.AMENDED if before.clause != after.clause else TransitionKind.CHANGES
    match after.status:
        case ClauseStatus.EXPIRED:
            return TransitionKind.EXPIRES
        case ClauseStatus.REPEALED:
            return TransitionKind.REPEALED
        case ClauseStatus.WITHDRAWN | ClauseStatus.LAPSED | ClauseStatus.CONCLUDED:
            return TransitionKind.DISCONTINUED
        case ClauseStatus.SUSPENDED:
            return TransitionKind.SUSPENDED
    if before.status is ClauseStatus.SUSPENDED:
        return TransitionKind.RETURNS
    in_force = after.status is ClauseStatus.IN_FORCE
    return TransitionKind.IN_FORCE if in_force else TransitionKind.AMENDED


def _of_member(before: bool, after: bool) -> TransitionKind:
    if before == after:  # in another role, or as no member either way
        return TransitionKind.CHANGES
    return TransitionKind.MEMBER_JOINS if after else TransitionKind.MEMBER_LEAVES


def _clause(state: EntityState | None, id: str) -> ClauseState | None:
    clauses = state.clauses if isinstance(state, ExportControlState) else ()
    return next((item for item in clauses if item.clause.id == id), None)


def _is_member(state: EntityState | None, place: str) -> bool:
    members = state.members if isinstance(state, AllianceState) else ()
    return any(member.place == place and member.role.is_membership for member in members)
