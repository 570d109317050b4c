"""Appending to the log and reading it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import asyncpg

from tracker.errors import IdempotencyConflict, TrackerError, Unavailable, VersionConflict
from tracker.log.database import LOST, Connection, Pool, named_queries
from tracker.log.mapper import NewEvent, Recorded, recorded

SQL = named_queries(Path(__file__).with_name("queries.sql"))
PAGE = 1000
logger = logging.getLogger(__name__)
MOST_JOINED = 500
"""How many waiting commands go together in one transaction at most."""


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of a command: the positions of its events, and whether they were there before."""

    positions: range
    repeated: bool = False


Command = Sequence[NewEvent]


class Recorder:
    """The log of one database. Appends that wait at the same time go in one transaction."""

    def __init__(self, pool: Pool):
        self._pool = pool
        self._waiting: list[tuple[Command, asyncio.Future[Appended]]] = []
        self._flushing: asyncio.Task[None] | None = None

    async def append(self, command: Command) -> Appended:
        """Append the events of one command, all or none, and return once they are durable.

        Raises VersionConflict or IdempotencyConflict for this command alone, whatever travels in
        the same transaction. If the caller is cancelled the command may still be recorded.
        """
        future: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()
        self._waiting.append((command, future))
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())
        return await future

    async def _flush(self) -> None:
        """Send what waits; while one transaction is in flight, the next gathers."""
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST_JOINED], self._waiting[MOST_JOINED:]
                await self._send(batch)
        finally:
            self._flushing = None

    async def _send(self, batch: list[tuple[Command, asyncio.Future[Appended]]]) -> None:
        """Append a batch and answer everyone who waits for it, whatever happens."""
        try:
            async with self._pool.acquire() as connection:
                outcomes: Sequence[Appended | TrackerError] = await append(
                    connection, [command for command, _ in batch])
        except Exception as error:
            if not isinstance(error, (*LOST, TimeoutError)):
                logger.exception("an append failed in an unexpected way")
            outcomes = [_unavailable(error) for _ in batch]
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if future.done():
                continue
            if isinstance(outcome, Appended):
                future.set_result(outcome)
            else:
                future.set_exception(outcome)

    async def append_all(
        self, events: Sequence[NewEvent], progress: Callable[[int], None] = lambda _: None
    ) -> None:
        """Append many events in one transaction, all or none. `progress` gets counts as they go.

        Raises VersionConflict or IdempotencyConflict; then nothing is appended.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            for start in range(0, len(events), PAGE):
                page = events[start : start + PAGE]
                [outcome] = await append(connection, [page])
                if not isinstance(outcome, Appended):
                    raise outcome
                progress(len(page))

    async def read(
        self, after: int = 0, *, limit: int = PAGE, types: Sequence[str] | None = None
    ) -> list[Recorded]:
        """At most `limit` events after a position, in order."""
        async with self._pool.acquire() as connection:
            return await read(connection, after, limit=limit, types=types)

    async def read_all(self, until: int) -> AsyncIterator[Recorded]:
        """Every event up to a position, in order, a page in memory at a time."""
        after = 0
        while after < until:
            for event in await self.read(after, limit=min(PAGE, until - after)):
                yield event
                after = event.position

    async def read_streams(
        self, streams: Iterable[str], until: int | None = None
    ) -> dict[str, list[Recorded]]:
        """The events of some streams, up to a position, by stream; an empty list for a new one."""
        limit = 2**63 - 1 if until is None else until
        async with self._pool.acquire() as connection:
            return await read_streams(connection, streams, limit)

    async def known_ids(self, event_ids: Sequence[str]) -> set[str]:
        """Which of these event ids are in the log."""
        return {row["event_id"] for row in await self._pool.fetch(SQL.known_ids, event_ids)}

    async def existing(self, streams: Sequence[str]) -> set[str]:
        """Which of these streams have events."""
        if not streams:
            return set()
        return {row["stream"] for row in await self._pool.fetch(SQL.existing_streams, streams)}

    async def stream_of(self, event_id: str) -> str | None:
        """The stream of an event, or None when there is no such event."""
        row = await self._pool.fetchrow(SQL.event_by_id, event_id)
        return row["stream"] if row else None

    async def head(self) -> int:
        """The last position; 0 when nothing is recorded."""
        async with self._pool.acquire() as connection:
            return await head(connection)

    async def position_at(self, moment: datetime) -> int:
        """The last position recorded at or before `moment`; 0 when there is none."""
        return int(await self._pool.fetchval(SQL.position_at, moment))


async def append(
    connection: Connection, commands: Sequence[Command]
) -> list[Appended | VersionConflict | IdempotencyConflict]:
    """Append commands over a connection in one round trip, and say how each one fared."""
    events = [event for command in commands for event in command]
    rows = await connection.fetch(
        SQL.append,
        _starts(commands),
        [event.event_id for event in events],
        [event.stream for event in events],
        [event.version for event in events],
        [event.type for event in events],
        [event.attributes for event in events],
        [event.data for event in events],
    )
    return [_outcome(row, command) for row, command in zip(rows, commands, strict=True)]


async def read(
    connection: Connection, after: int, *, limit: int, types: Sequence[str] | None = None
) -> list[Recorded]:
    """At most `limit` events after a position, in order."""
    rows = await connection.fetch(SQL.read, after, limit, types)
    return [recorded(row["entry"]) for row in rows]


async def read_streams(
    connection: Connection, streams: Iterable[str], until: int
) -> dict[str, list[Recorded]]:
    """The events of some streams up to a position, by stream; an empty list for a new one."""
    found: dict[str, list[Recorded]] = {stream: [] for stream in streams}
    for row in await connection.fetch(SQL.read_streams, list(found), until):
        found[row["stream"]].append(recorded(row["entry"]))
    return found


async def head(connection: Connection) -> int:
    """The last position; 0 when nothing is recorded."""
    return int(await connection.fetchval(SQL.head))


async def read_by_stream(
    connection: Connection, after: tuple[str, int], *, until: int, limit: int
) -> list[Recorded]:
    """At most `limit` events up to a position, stream by stream, after a stream and version."""
    rows = await connection.fetch(SQL.read_by_stream, *after, until, limit)
    return [recorded(row["entry"]) for row in rows]


def _starts(commands: Sequence[Command]) -> list[int]:
    """The place of each command's first event among all of them, counted from 1."""
    starts, next_start = [], 1
    for command in commands:
        starts.append(next_start)
        next_start += len(command)
    return starts


def _outcome(
    row: asyncpg.Record, command: Command
) -> Appended | VersionConflict | IdempotencyConflict:
    if row["outcome"] == "conflict":
        return VersionConflict(row["subject"], row["expected"], row["actual"])
    if row["outcome"] == "reused":
        return IdempotencyConflict(command[0].event_id)
    first = row["first_position"]
    return Appended(range(first, first + len(command)), repeated=row["outcome"] == "repeated")


def _unavailable(error: Exception) -> Unavailable:
    failure = Unavailable("The log could not be reached; whether the events were recorded is not"
                          " known. Send the same command again: it counts once.")
    failure.__cause__ = error
    return failure
