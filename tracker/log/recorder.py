"""Append to the log, and read it."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from tracker.errors import DiskFull, InvalidInput, LogSetBack, TrackerError
from tracker.log import upcasting
from tracker.log.annexes import Annexes
from tracker.log.append import AppendResult, Command, append, lost_as_unavailable, unavailable
from tracker.log.durability import Durability
from tracker.log.entries import RecordedEvent, recorded
from tracker.log.event_lookup import EventLookup
from tracker.postgres.batching import Batcher, commits_confirmed
from tracker.postgres.database import CONNECTION_ERRORS, Connection, Pool, named_queries, pool_usage

SQL = named_queries(Path(__file__).with_name("queries.sql"))
PAGE_ABOUT, PAGE_ABOUT_FROM_END, COUNT_ABOUT = (
    query.replace("{about}", SQL.about)
    for query in (SQL.page_about, SQL.page_about_from_end, SQL.count_about)
)
PAGE_EVENTS = 1000

logger = logging.getLogger(__name__)


class StreamRange(NamedTuple):
    """The events from a position on, in the streams from one name up to another (exclusive)."""

    low: str
    high: str
    since: int = 0


class Recorder:
    """The log of one database. Concurrent appends share a transaction."""

    def __init__(
        self, pool: Pool, appending: Pool | None = None, durability: Durability | None = None
    ):
        """Create the recorder of a log.

        With a separate pool, appends do not wait for reads. A process that can only read gets `durability`
        from one that can append.
        """
        self._pool = pool
        self._appending_pool = appending or pool
        self.durability = durability or Durability(self.confirm)
        self.annexes = Annexes(pool)
        self.lookup = EventLookup(pool, self.durability)
        self.is_disk_full = False
        """Whether the last append found the disk of the database full."""
        self.observe: Callable[[int, float, bool], None] = lambda *_: None
        """Callback for every append transaction: number of events, seconds, and success."""
        self._appending = Batcher(self._send)
        self._reading = Batcher(self._read_streams)

    async def append(self, command: Command) -> AppendResult:
        """Append the events of one command, all or none, and return once they are durable.

        Raises VersionConflict or IdempotencyConflict for this command only, not for others in the same
        transaction. If the caller is cancelled, the command may still be recorded.
        """
        if len({event.event_id for event in command}) != len(command):
            raise InvalidInput(
                "expected every event of a command to have an id of its own", path=("eventId",)
            )
        return await self._appending.submit(command)

    async def _send(self, commands: Sequence[Command]) -> Sequence[AppendResult | TrackerError]:
        """Append commands; the outcome of each is its result or its error."""
        started = time.perf_counter()
        try:
            self.durability.require_continuity()  # the events that decisions are based on may be missing now
            async with self._appending_pool.acquire() as connection:
                outcomes = await append(connection, commands)
            for command, result in zip(commands, outcomes, strict=True):
                if isinstance(result, AppendResult):
                    last = result.positions[-1]
                    self.durability.note_appended(last, command[-1].event_id)
            self.is_disk_full = False
            self.observe(_count_new(outcomes), time.perf_counter() - started, True)
            return outcomes
        except LogSetBack as error:
            return [error] * len(commands)
        except Exception as error:
            self.observe(0, time.perf_counter() - started, False)
            if not isinstance(error, CONNECTION_ERRORS):
                logger.exception("an append failed in an unexpected way")
            failures = [unavailable(error) for _ in commands]
            self.is_disk_full = any(isinstance(failure, DiskFull) for failure in failures)
            return failures

    async def confirm(self) -> None:
        """Return once all recorded events are as durable as a new command. Raises Unavailable.

        It waits only if there are synchronous standbys.
        """
        with lost_as_unavailable():
            async with self._appending_pool.acquire() as connection, commits_confirmed(connection):
                await connection.execute(SQL.confirm)

    async def read(
        self, after: int = 0, *, limit: int = PAGE_EVENTS, types: Sequence[str] | None = None
    ) -> list[RecordedEvent]:
        """Return at most `limit` events after a position, in order."""
        async with self._pool.acquire() as connection:
            page = await read(connection, after, limit=limit, types=types)
        return await self.durability.release_events(page)

    async def page(
        self,
        after: int,
        before: int,
        *,
        limit: int,
        types: Sequence[str] | None = None,
        about: Sequence[StreamRange] | None = None,
        from_end: bool = False,
    ) -> list[RecordedEvent]:
        """Return at most `limit` events between two positions (exclusive), in order.

        These are the first ones or, with `from_end`, the last ones.
        """
        if about is None:
            query = SQL.page_from_end if from_end else SQL.page
            rows = await self._pool.fetch(query, after, before, limit, types)
        else:
            query = PAGE_ABOUT_FROM_END if from_end else PAGE_ABOUT
            rows = await self._pool.fetch(query, *_columns(about), after, before, limit, types)
        return await self.durability.release_events(
            [recorded(row["entry"]) for row in (rows[::-1] if from_end else rows)]
        )

    async def count(
        self,
        after: int,
        before: int,
        types: Sequence[str] | None = None,
        about: Sequence[StreamRange] | None = None,
    ) -> int:
        """Return the number of events between two positions (exclusive).

        Positions have no gaps, so only filtered events need to be counted.
        """
        if types is None and about is None:
            return max(min(await self.head(), before - 1) - after, 0)
        if about is None:
            return int(await self._pool.fetchval(SQL.count, after, before, types))
        return int(await self._pool.fetchval(COUNT_ABOUT, *_columns(about), after, before, types))

    async def events_mentioning(
        self, types: Sequence[str], words: Iterable[str], before: int
    ) -> list[RecordedEvent]:
        """Return the events of some types before a position that contain one of some words, in order.

        Former forms of the words match too.
        """
        former = upcasting.UPCASTERS.with_former_words(words)
        quoted = [f'"{word}"'.encode() for word in sorted(former)]
        rows = await self._pool.fetch(SQL.naming, types, before, quoted)
        return [recorded(row["entry"]) for row in rows]

    async def read_all(self, until: int) -> AsyncIterator[RecordedEvent]:
        """Yield every event up to a position in order, with one page in memory at a time."""
        after = 0
        while events := await self.read(after, limit=min(PAGE_EVENTS, until - after)):
            for event in events:
                yield event
            after = events[-1].position

    async def read_streams(
        self, streams: Collection[str], until: int | None = None
    ) -> dict[str, list[RecordedEvent]]:
        """Return the events of some streams up to a position, by stream; an empty list for a new stream."""
        if until is None:
            return await self.read_streams_after(dict.fromkeys(streams, 0))
        async with self._pool.acquire() as connection:
            return await read_streams(connection, streams, until)

    async def read_recent(
        self, stream: str, count: int, earlier_types: Sequence[str], last_types: Sequence[str]
    ) -> list[RecordedEvent]:
        """Return the last events of a stream, at most `count`, with older events that are still needed.

        Before them come all older events of some types, and the last older one of each of some other types.
        """
        rows = await self._pool.fetch(SQL.read_recent, stream, count, earlier_types, last_types)
        return [recorded(row["entry"]) for row in rows]

    async def read_streams_after(
        self, versions: Mapping[str, int]
    ) -> dict[str, list[RecordedEvent]]:
        """Return the events of some streams, each after a version, by stream."""
        return await self._reading.submit(versions)

    async def _read_streams(
        self, requests: Sequence[Mapping[str, int]]
    ) -> Sequence[dict[str, list[RecordedEvent]] | Exception]:
        """Read the streams of several callers in one query."""
        lowest: dict[str, int] = {}
        for versions in requests:
            for stream, version in versions.items():
                lowest[stream] = min(version, lowest.get(stream, version))
        try:
            async with self._pool.acquire() as connection:
                events = await read_streams_after(connection, lowest)
        except Exception as error:
            return [error] * len(requests)
        return [
            {
                stream: [event for event in events[stream] if event.version > version]
                for stream, version in versions.items()
            }
            for versions in requests
        ]

    async def existing_streams(self, streams: Sequence[str]) -> set[str]:
        """Return the streams that have events."""
        if not streams:
            return set()
        return {row["stream"] for row in await self._pool.fetch(SQL.existing_streams, streams)}

    async def streams_of(self, event_ids: Sequence[str]) -> dict[str, str]:
        """Return the streams of existing events by their ids."""
        if not event_ids:
            return {}
        rows = await self._pool.fetch(SQL.events_by_id, event_ids)
        return {row["event_id"]: row["stream"] for row in rows}

    async def event(self, event_id: str) -> RecordedEvent | None:
        """Return an event by its id, or None."""
        row = await self._pool.fetchrow(SQL.event_by_id, event_id)
        return recorded(row["entry"]) if row else None

    @property
    def connections(self) -> tuple[int, int]:
        """Return the number of busy connections of the pool, and its maximum."""
        return pool_usage(self._pool)

    async def head(self) -> int:
        """Return the last durable position; 0 if the log is empty."""
        async with self._pool.acquire() as connection:
            return await self.durability.head(connection)

    async def age(self, position: int) -> float:
        """Return the seconds since an event was recorded, by the clock of the database; 0 if there is none
        at the position."""
        return float(await self._pool.fetchval(SQL.age, position))

    async def clock_difference(self) -> float:
        """Return the seconds by which the clock of this process is ahead of the database's."""
        async with self._pool.acquire() as connection:
            sent = time.time()
            server_seconds = float(await connection.fetchval(SQL.clock))
            return (sent + time.time()) / 2 - server_seconds

    async def position_at(self, moment: datetime) -> int:
        """Return the last position recorded at or before `moment`; 0 if there is none."""
        return int(await self._pool.fetchval(SQL.position_at, moment))


async def read(
    connection: Connection, after: int, *, limit: int, types: Sequence[str] | None = None
) -> list[RecordedEvent]:
    """Return at most `limit` events after a position, in order."""
    rows = await connection.fetch(SQL.read, after, limit, types)
    return [recorded(row["entry"]) for row in rows]


async def read_streams_after(
    connection: Connection, versions: Mapping[str, int], until: int = 2**63 - 1
) -> dict[str, list[RecordedEvent]]:
    """Return the events of some streams, each after a version, up to a position, by stream."""
    by_stream: dict[str, list[RecordedEvent]] = {stream: [] for stream in versions}
    arguments = [*versions], [*versions.values()], until
    for row in await connection.fetch(SQL.read_streams_after, *arguments):
        by_stream[row["stream"]].append(recorded(row["entry"]))
    return by_stream


async def read_streams(
    connection: Connection, streams: Iterable[str], until: int = 2**63 - 1
) -> dict[str, list[RecordedEvent]]:
    """Return the events of some streams up to a position, by stream; an empty list for a new stream."""
    by_stream: dict[str, list[RecordedEvent]] = {stream: [] for stream in streams}
    for row in await connection.fetch(SQL.read_streams, list(by_stream), until):
        by_stream[row["stream"]].append(recorded(row["entry"]))
    return by_stream


def _columns(about: Sequence[StreamRange]) -> tuple[list[object], ...]:
    """Return streams as arguments of a query: the first names, the last names, the positions."""
    return [s.low for s in about], [s.high for s in about], [s.since for s in about]


def _count_new(outcomes: Sequence[object]) -> int:
    """Return the number of new events in some outcomes."""
    return sum(len(o.positions) for o in outcomes if isinstance(o, AppendResult) and not o.repeated)
