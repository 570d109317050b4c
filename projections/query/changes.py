"""Changes between two moments, with their causes.

Two moments are compared, not the time between them: what came and went again does not show.
`history` has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

import asyncpg

from projections.fold.diff import FieldChange, diff
from projections.fold.transitions import Transition, transitions
from projections.query.list_statements import (
    BY_NAME,
    Bounds,
    Ordering,
    SortKey,
    all_of,
    bound_conditions,
    order_by,
)
from projections.query.lists import WHOLE, KeyRange
from projections.query.moment import Moment
from projections.query.sql_parts import fill, load_parts, version_at, whole_sources, whole_state
from tracker.domain.codec import decode
from tracker.domain.commodities import Commodity
from tracker.domain.entity import EntityState, Evidence, RecordedFact, Retracted, because
from tracker.domain.matching import controls_about
from tracker.domain.registry import STATES, entity_type
from tracker.errors import InvalidInput
from tracker.log.recorder import Recorder
from tracker.postgres.database import Pool

SQL = load_parts(Path(__file__).with_name("changes.sql"))
CHANGED = fill(
    SQL.changed,
    before=version_at("touched.entity", "$1::date", "$2::bigint"),
    after=version_at("touched.entity", "$3::date", "$4::bigint"),
    state_before=whole_state("before"),
    state_after=whole_state("after"),
    sources_before=whole_sources("before"),
    sources_after=whole_sources("after"),
)
COUNT = fill(SQL.count, changed=CHANGED)
ORDERED_BY = {SortKey.NAME: ("entity",), SortKey.DATE: ("held_from", "entity")}
PAGE_ARGUMENTS = 10
"""How many arguments a page has before the keys of its bounds."""


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


@dataclass(frozen=True, slots=True)
class ChangeFilter:
    """A filter of changes; None does not filter. One of the two states must match it.

    `places` are those that a state is about: the issuer, the members, the actors, where a figure
    is from. `publishers` are those of any fact behind it.
    """

    kinds: Sequence[str] = tuple(STATES)
    commodities: Sequence[str] | None = None
    places: Sequence[str] | None = None
    publishers: Sequence[str] | None = None

    @property
    def commodities_of_controls(self) -> Sequence[str] | None:
        """The commodities by which controls are found that may reach those that are asked for."""
        if self.commodities is None:
            return None
        return controls_about(map(Commodity, self.commodities))


ANYTHING = ChangeFilter()


class Changes:
    """Queries for changes."""

    def __init__(self, pool: Pool, recorder: Recorder):
        self._pool = pool
        self._recorder = recorder

    async def between(
        self,
        start: Moment,
        end: Moment,
        about: ChangeFilter = ANYTHING,
        order: Ordering = BY_NAME,
        span: KeyRange = WHOLE,
    ) -> list[Change]:
        """The changes between two moments, in a span of the order of the entities.

        Raises InvalidInput when `end` is before `start` on one of the axes.
        """
        statement = page_statement(order, span.bounds)
        rows = await self._pool.fetch(statement, *_arguments(start, end, about), *span.arguments)
        rows = rows[::-1] if span.from_end else rows
        streams = await self._recorder.read_streams([row["entity"] for row in rows], end.position)
        return [_change(row, [e.known for e in streams[row["entity"]]], start, end) for row in rows]

    async def count(self, start: Moment, end: Moment, about: ChangeFilter = ANYTHING) -> int:
        """How many changes `between` goes through."""
        return int(await self._pool.fetchval(COUNT, *_arguments(start, end, about)))


def page_statement(order: Ordering, bounds: Bounds) -> str:
    """The statement for a page of changes."""
    columns = ORDERED_BY[order.by]
    conditions = bound_conditions(columns, order, bounds, PAGE_ARGUMENTS + 1)
    return fill(
        SQL.page,
        changed=CHANGED,
        conditions=all_of(conditions),
        order=order_by(columns, order, bounds),
    )


def causes_of(
    before: EntityState | None,
    after: EntityState | None,
    known: Sequence[RecordedFact],
    since: int,
    passed: Sequence[Transition],
) -> tuple[Evidence, ...]:
    """The events because of which the state of an entity is no longer the same. Pure.

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


def _arguments(start: Moment, end: Moment, about: ChangeFilter) -> tuple[object, ...]:
    """The arguments of `changed`. Raises InvalidInput for moments in the wrong order."""
    for field, first, second in (
        ("validAt", start.valid_at, end.valid_at),
        ("position", start.position, end.position),
    ):
        if first > second:  # type: ignore[operator]  # two days or two positions
            raise InvalidInput(
                f"{second} lies before {first}, where the comparison starts:"
                " expected an end not before it",
                code="END_BEFORE_START",
                path=("to", field),
            )
    return (
        start.valid_at,
        start.position,
        end.valid_at,
        end.position,
        [*about.kinds],
        about.commodities,
        about.places,
        about.publishers,
        about.commodities_of_controls,
    )


def _change(
    row: asyncpg.Record, known: Sequence[RecordedFact], start: Moment, end: Moment
) -> Change:
    entity, kind = row["entity"], STATES[entity_type(row["entity"]).KIND]
    before, after = (decode(kind, row[side]) if row[side] else None for side in ("before", "after"))
    passed = transitions(entity, known, start.valid_at, end.valid_at)
    held_from = row["held_from"]
    return Change(
        entity=entity,
        before=before,
        after=after,
        passed=tuple(passed),
        because=causes_of(before, after, known, start.position, passed),
        held_from=date.fromisoformat(held_from) if held_from else None,
    )


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
