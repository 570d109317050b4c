"""Differences between two moments, with their causes.

Only the two moments are compared. A change that was reversed in between does not appear; see `history`.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import asyncpg
from msgspec import Struct

from projections.fold.change import Change, causes_of
from projections.fold.transitions import transitions
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
from projections.query.stored_states import decode
from tracker.clock import Pauses
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.controls.matching import controls_about
from tracker.domain.entities.entity import RecordedFact
from tracker.domain.events.registry import STATES, entity_type
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
"""Number of arguments of a page before the keys of its bounds."""


class ChangeFilter(Struct, frozen=True):
    """A filter of changes; None does not filter. The state before or after must match.

    `places` are the issuer, the members, the actors or the place of a figure. `publishers` are the
    publishers of any fact behind the state.
    """

    kinds: Sequence[str] = tuple(STATES)
    commodities: Sequence[str] | None = None
    places: Sequence[str] | None = None
    publishers: Sequence[str] | None = None

    @property
    def commodities_of_controls(self) -> Sequence[str] | None:
        """The commodities under which the index finds controls that may cover the requested ones."""
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
        """Return the changes between two moments, in a span of the order of the entities.

        Raises InvalidInput if `end` is before `start` on one of the axes.
        """
        statement = page_statement(order, span.bounds)
        rows = await self._pool.fetch(statement, *_arguments(start, end, about), *span.arguments)
        rows = rows[::-1] if span.from_end else rows
        streams = await self._recorder.read_streams([row["entity"] for row in rows], end.position)
        found: list[Change] = []
        pauses = Pauses()
        for row in rows:
            known = [event.known for event in streams[row["entity"]]]
            found.append(_change(row, known, start, end))
            await pauses.pause()
        return found

    async def count(self, start: Moment, end: Moment, about: ChangeFilter = ANYTHING) -> int:
        """Return the number of changes between two moments."""
        return int(await self._pool.fetchval(COUNT, *_arguments(start, end, about)))


def page_statement(order: Ordering, bounds: Bounds) -> str:
    """Compose the statement for a page of changes."""
    columns = ORDERED_BY[order.by]
    conditions = bound_conditions(columns, order, bounds, PAGE_ARGUMENTS + 1)
    return fill(
        SQL.page,
        changed=CHANGED,
        conditions=all_of(conditions),
        order=order_by(columns, order, bounds),
    )


def _arguments(start: Moment, end: Moment, about: ChangeFilter) -> tuple[object, ...]:
    """Return the arguments of `changed`. Raises InvalidInput for moments in the wrong order."""
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
