"""All versions of all entities on both time axes, as recorded at a position."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import asyncpg

from projections.query.sql_parts import fill, load_parts, whole_state
from tracker.domain.events.registry import STATES
from tracker.postgres.database import Pool

SQL = load_parts(Path(__file__).with_name("all_versions.sql"))
VERSIONS = fill(SQL.versions, whole=whole_state())
PREFETCH_ROWS = 500
SORT_TIMEOUT_SECONDS = 600
"""Timeout in seconds for sorting the rows of a kind, before the first row arrives."""


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A state of an entity as JSON, with its days (valid time) and its positions (transaction time).

    Both ranges are inclusive; None is an open end at the queried position.
    """

    entity: str
    valid_from: date
    valid_until: date | None
    known_from: int
    known_until: int | None
    recorded_at: datetime
    """Time at which the event at `known_from` was recorded."""
    replaced_at: datetime | None
    """Time at which the event after `known_until` was recorded."""
    state: str
    rows: int = 1
    """Number of rows that hold this version: see "generation" in tables.sql."""


class AllVersions:
    """A reader of all versions from the version rows."""

    def __init__(self, pool: Pool):
        self._pool = pool

    async def count_rows(self, position: int) -> dict[str, int]:
        """Return the number of rows of each kind at a position."""
        rows = await self._pool.fetch(SQL.rows, position)
        return dict.fromkeys(STATES, 0) | {row["kind"]: row["count"] for row in rows}

    async def of_kind(self, kind: str, position: int) -> AsyncIterator[StoredVersion]:
        """Yield the versions of a kind by entity, days and positions, with one page in memory."""
        async with self._pool.acquire() as connection, connection.transaction():
            last: StoredVersion | None = None
            async for row in connection.cursor(
                VERSIONS, kind, position, prefetch=PREFETCH_ROWS, timeout=SORT_TIMEOUT_SECONDS
            ):
                version = _version(row)
                if last and _goes_on_in(last, version):
                    last = _join(last, version)
                    continue
                if last:
                    yield last
                last = version
            if last:
                yield last


def _version(row: asyncpg.Record) -> StoredVersion:
    until = row["until"]
    return StoredVersion(
        entity=row["entity"],
        valid_from=row["first_day"],
        valid_until=None if row["last_day"] == date.max else row["last_day"],
        known_from=row["since"],
        known_until=None if until is None else until - 1,
        recorded_at=row["recorded_at"],
        replaced_at=row["replaced_at"],
        state=row["state"],
    )


def _goes_on_in(one: StoredVersion, next: StoredVersion) -> bool:
    """Whether `next` continues `one` in a new row without a difference."""
    return (
        one.known_until is not None
        and next.known_from == one.known_until + 1
        and (next.entity, next.valid_from, next.valid_until, next.state)
        == (one.entity, one.valid_from, one.valid_until, one.state)
    )


def _join(one: StoredVersion, next: StoredVersion) -> StoredVersion:
    return replace(
        one, known_until=next.known_until, replaced_at=next.replaced_at, rows=one.rows + 1
    )
