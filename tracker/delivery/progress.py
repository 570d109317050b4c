"""Progress of endpoints: kept in memory and written in groups.

A crash loses at most the unwritten part. Those deliveries are repeated with the same ids, and none is
skipped. Each write belongs to one epoch of the lease; a server that has lost the lease writes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tracker.delivery.endpoint import Attempt
from tracker.postgres.database import Pool, named_queries
from tracker.postgres.lease import Lease, check_epoch

SQL = named_queries(Path(__file__).with_name("deliverer.sql"))
FLUSH_INTERVAL_SECONDS = 0.1
"""Minimum seconds between two writes."""
MAX_WRITTEN_ATTEMPTS = 2_000
"""Maximum number of attempts in one write."""
MAX_PENDING_ATTEMPTS = 20_000
"""Maximum number of attempts kept while the database is unreachable; older ones are dropped."""
MAX_ATTEMPTS = 1_000
"""Number of attempts per endpoint that stay in the database."""


@dataclass(slots=True)
class Place:
    """A place in the log: all selected events up to `position` are done, and the last one was at
    `previous`."""

    position: int
    previous: int


@dataclass(slots=True)
class ReplayPlace(Place):
    """Progress of a replay."""

    id: int
    last: int


@dataclass(slots=True)
class DeliveryState:
    """Delivery state of an endpoint: its cursor and its failures."""

    endpoint: int
    cursor: Place
    last_accepted_at: datetime | None
    failures: int
    failing_since: datetime | None
    next_attempt_at: datetime | None
    last_error: str | None
    last_status: int | None
    handshake_at: datetime | None
    requests_a_minute: int | None

    @property
    def row(self) -> tuple[object, ...]:
        """Return the parameters of the query `advance`."""
        return (
            self.endpoint,
            self.cursor.position,
            self.cursor.previous,
            self.last_accepted_at,
            self.failures,
            self.failing_since,
            self.next_attempt_at,
            self.last_error,
            self.last_status,
            self.handshake_at,
            self.requests_a_minute,
        )


@dataclass(slots=True)
class UnwrittenProgress:
    """Changes that have not been written to the database."""

    states: dict[int, DeliveryState] = field(default_factory=dict)
    attempts: list[tuple[int, Attempt]] = field(default_factory=list)
    """Requests with the numbers of their endpoints."""
    replays: dict[int, ReplayPlace] = field(default_factory=dict)
    ended_replays: set[int] = field(default_factory=set)
    passed: dict[tuple[int, int], int] = field(default_factory=dict)
    """Positions before parked events, by endpoint and position."""
    parked_errors: dict[tuple[int, int], str] = field(default_factory=dict)
    accepted_parked: set[tuple[int, int]] = field(default_factory=set)
    disabled: set[int] = field(default_factory=set)

    def restore(self, older: UnwrittenProgress) -> None:
        """Put back changes that could not be written, without overwriting newer ones."""
        self.states = older.states | self.states
        self.attempts = (older.attempts + self.attempts)[-MAX_PENDING_ATTEMPTS:]
        self.replays = older.replays | self.replays
        self.ended_replays |= older.ended_replays
        self.passed = older.passed | self.passed
        self.parked_errors = older.parked_errors | self.parked_errors
        self.accepted_parked |= older.accepted_parked
        self.disabled |= older.disabled


class Progress:
    """Progress of all endpoints in one epoch of the lease."""

    def __init__(self, pool: Pool, lease: Lease):
        self._pool, self._lease = pool, lease
        self._unwritten = UnwrittenProgress()
        self._changed = asyncio.Event()
        self._writing = asyncio.Lock()
        self._grown: set[int] = set()

    @property
    def unwritten(self) -> UnwrittenProgress:
        """Return the pending writes. Call `changed` after adding to them."""
        return self._unwritten

    def changed(self, state: DeliveryState) -> None:
        """Schedule an endpoint for the next group of writes."""
        self._unwritten.states[state.endpoint] = state
        self._changed.set()

    async def wait(self) -> None:
        """Wait until there are changes to write, plus the time in which others are collected."""
        await self._changed.wait()
        await asyncio.sleep(FLUSH_INTERVAL_SECONDS)

    async def flush(self) -> None:
        """Write the pending changes. Raises LeaseLost and database errors; then the changes stay pending."""
        async with self._writing:
            await self._flush()

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
        """Write the pending changes, and suspend further writes for the duration of a block.

        For everything that is not in `unwritten` at the end of the block, the database is up to date. Raises
        as `flush`.
        """
        async with self._writing:
            await self._flush()
            yield

    async def _flush(self) -> None:
        unwritten, self._unwritten = self._unwritten, UnwrittenProgress()
        self._changed.clear()
        try:
            await self._write(unwritten)
        except BaseException:
            self._unwritten.restore(unwritten)
            self._changed.set()
            raise
        self._grown.update(endpoint for endpoint, _ in unwritten.attempts)

    async def _write(self, unwritten: UnwrittenProgress) -> None:
        if not unwritten.states:
            return
        statements = _statements(unwritten)  # before any further change
        async with self._pool.acquire() as connection, connection.transaction():
            await check_epoch(connection, self._lease)
            for query, columns in statements:
                await connection.execute(query, *columns)

    async def prune(self) -> None:
        """Delete old attempts of the endpoints that have made new ones."""
        grown, self._grown = self._grown, set()
        if not grown:
            return
        try:
            await self._pool.execute(SQL.prune_attempts, list(grown), MAX_ATTEMPTS)
        except BaseException:
            self._grown |= grown
            raise


def _statements(unwritten: UnwrittenProgress) -> list[tuple[str, list[list[object]]]]:
    """Return the pending writes as queries with parameters.

    Endpoints come first, because changes by people lock the endpoint before its dependent rows.
    """
    attempts = [(endpoint, *attempt) for endpoint, attempt in unwritten.attempts]
    replays = [
        (id, place.position, place.previous)
        for id, place in unwritten.replays.items()
        if id not in unwritten.ended_replays
    ]
    groups: list[tuple[str, Sequence[Sequence[object]]]] = [
        (SQL.advance, [unwritten.states[id].row for id in sorted(unwritten.states)]),
        *(
            (SQL.add_attempts, attempts[first : first + MAX_WRITTEN_ATTEMPTS])
            for first in range(0, len(attempts), MAX_WRITTEN_ATTEMPTS)
        ),
        (SQL.advance_replays, replays),
        (SQL.end_replays, [(id,) for id in unwritten.ended_replays]),
        (SQL.pass_parked, [(*at, before) for at, before in unwritten.passed.items()]),
        (SQL.fail_parked, [(*at, error) for at, error in unwritten.parked_errors.items()]),
        (SQL.end_parked, list(unwritten.accepted_parked)),
        (SQL.disable, [(id,) for id in unwritten.disabled]),
    ]
    return [
        (query, [list(column) for column in zip(*rows, strict=True)])
        for query, rows in groups
        if rows
    ]
