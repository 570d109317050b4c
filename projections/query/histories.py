"""Histories: all states of an entity, on both time axes."""

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
from projections.runner.writing import OPEN_POSITION
from tracker.domain.events.registry import STATES, State, entity_type
from tracker.postgres.database import Pool

SQL = load_parts(Path(__file__).with_name("histories.sql"))
MAX_PAGE_STATE_BYTES = 256 * 1024
"""Maximum of state JSON on a page of a history, in bytes; entities with many events have large states."""
HISTORY_ARGUMENTS = 7
"""Number of arguments of the history query before those of its bounds."""
Times: TypeAlias = tuple[datetime | None, datetime | None]
"""First and last time of a range; None is an open end."""


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A state of an entity with its days (valid time) and its positions (transaction time).

    Both ranges are inclusive; None is an open end.
    """

    valid_from: date
    """The first date on which the state holds."""
    valid_until: date | None
    """The last date on which the state holds; null for no end."""
    known_from: int
    """The first position at which this was known."""
    known_until: int | None
    """The last position at which this was known; null if it still is."""
    recorded_at: datetime
    """The time at which the event at the first position was recorded."""
    replaced_at: datetime | None
    """The time at which the event that replaced this version was recorded; null if it is still current."""
    state: State | None
    """None if the earlier states on the page already fill it."""


class Histories:
    """Queries for the history of an entity."""

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
        """Return the versions of an entity on both axes, oldest knowledge first.

        The filters select versions that hold on one of some days, were recorded in a time range, or
        begin with events of some types.

        The keys of a span are a position and an ISO 8601 day. With a limit, states are returned up to
        `MAX_PAGE_STATE_BYTES`, and always the first one; others are None.
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
        versions = [_history_row(row, kind) for row in rows]
        return versions[::-1] if span.from_end else versions

    async def count(
        self,
        entity: str,
        *,
        valid: Days | None = None,
        known: Times = (None, None),
        types: Sequence[str] | None = None,
        until: int | None = None,
    ) -> int:
        """Return the number of versions of `page` without a span, recorded by `until` if given."""
        query = fill(SQL.history_count, versions=SQL.history_versions)
        return int(await self._pool.fetchval(query, entity, to_range(valid), *known, types, until))


def _keys(span: KeyRange) -> list[Key]:
    return [key for key in (span.after, span.before) if key is not None]


@cache
def _history(after: bool, before: bool, from_end: bool, closed: bool) -> str:
    """Compose the query for a span of a history; the arguments of its bounds come last."""
    bounds, number = [], HISTORY_ARGUMENTS
    for key, bound, sign in ((after, SQL.history_after, ">"), (before, SQL.history_before, "<")):
        if key:
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
