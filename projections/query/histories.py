"""Histories: all states that an entity had, on both axes of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg

from projections.query.lists import WHOLE, Days, Key, KeyRange, to_range
from projections.query.sql_parts import fill, load_parts, whole_state
from projections.query.stored_states import decode
from projections.versions.rows import OPEN_POSITION
from tracker.domain.registry import STATES, State, entity_type
from tracker.postgres.database import Pool

SQL = load_parts(Path(__file__).with_name("histories.sql"))
MAX_PAGE_STATE_BYTES = 256 * 1024
"""JSON of states on one page of a history: those of an entity with many events are large."""
HISTORY_ARGUMENTS = 7
"""Of the query for a history, before those of its bounds."""
Times: TypeAlias = tuple[datetime | None, datetime | None]
"""The first and the last moment of a time; None: it is open there."""


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A state that an entity had: the days on which it held, and the positions that said so.

    The last ones belong to them; None: it still holds, or is what the log says. `recorded_at` and
    `replaced_at` are when the events at the first position, and behind the last, were recorded.
    """

    valid_from: date
    valid_until: date | None
    known_from: int
    known_until: int | None
    recorded_at: datetime
    replaced_at: datetime | None
    state: State | None
    """None where the states before it on a page are too large to be followed by another."""


class Histories:
    """Answers what an entity was, and when that was known."""

    def __init__(self, pool: Pool):
        self._pool = pool

    async def page(
        self,
        entity: str,
        *,
        valid: Days | None = None,
        known: Times = (None, None),
        types: Sequence[str] | None = None,
        span: KeyRange = WHOLE,
    ) -> list[HistoryRow]:
        """All versions of an entity on both axes, the oldest knowledge first; if asked, only those
        that hold on one of some days, were known at some time from one to another, and begin with
        events of some types.

        The keys of a span are a position and a day in ISO 8601. Where it has a limit, states come
        up to `MAX_PAGE_STATE_BYTES`, and always that of the first version; others are None.
        """
        kind = STATES[entity_type(entity).KIND]
        most = None if span.limit is None else MAX_PAGE_STATE_BYTES
        bounds = [
            part
            for position, day in _keys(span)
            for part in (position, date.fromisoformat(str(day)))
        ]
        rows = await self._pool.fetch(
            _history(span.after is not None, span.before is not None, span.from_end, span.closed),
            entity,
            to_range(valid),
            *known,
            types,
            span.limit,
            most or OPEN_POSITION,
            *bounds,
        )
        found = [_history_row(row, kind) for row in rows]
        return found[::-1] if span.from_end else found

    async def count(
        self,
        entity: str,
        *,
        valid: Days | None = None,
        known: Times = (None, None),
        types: Sequence[str] | None = None,
        until: int | None = None,
    ) -> int:
        """How many versions `page` has without a span; if asked, only those known by a position."""
        query = fill(SQL.history_count, versions=SQL.history_versions)
        return int(await self._pool.fetchval(query, entity, to_range(valid), *known, types, until))


def _keys(span: KeyRange) -> list[Key]:
    return [key for key in (span.after, span.before) if key is not None]


@cache
def _history(after: bool, before: bool, from_end: bool, closed: bool) -> str:
    """The query for a span of a history; the arguments of its bounds come behind the others."""
    bounds, number = [], HISTORY_ARGUMENTS
    for wanted, bound, sign in ((after, SQL.history_after, ">"), (before, SQL.history_before, "<")):
        if wanted:
            since, day = f"${number + 1}", f"${number + 2}"
            bounds.append(fill(bound, sign=sign + "=" * closed, since=since, day=day))
            number += 2
    return fill(
        SQL.history,
        versions=SQL.history_versions,
        whole=whole_state(),
        size=SQL.state_size,
        bounds="\n".join(bounds),
        way="DESC" if from_end else "ASC",
    )


def _history_row(row: asyncpg.Record, kind: type[Any]) -> HistoryRow:
    last_day, until = row["last_day"], row["until"]
    return HistoryRow(
        row["first_day"],
        None if last_day == date.max else last_day,
        row["since"],
        until and until - 1,
        row["recorded_at"],
        row["replaced_at"],
        None if row["state"] is None else decode(kind, row["state"]),
    )
