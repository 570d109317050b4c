"""Staging of an import's events in temporary tables, until all are appended at once.

So a file of any size is recorded wholly or not at all, in bounded memory, and the log is locked
only while it is appended to. A crash leaves nothing: the tables die with their connection.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from eventsourcing.domain import datetime_now_with_tzinfo

from tracker.auth.scopes import DEMO_ACTOR, IMPORT_ACTOR
from tracker.commands.decisions import rehydrate
from tracker.domain.codec import decode
from tracker.domain.commitments import with_texts
from tracker.domain.entity import Entity
from tracker.domain.import_receipt import Receipt
from tracker.domain.registry import entity_type, fact_type
from tracker.log.annexes import read_texts
from tracker.log.append import (
    IMPORT_BATCH_EVENTS,
    AppendResult,
    append_page,
    lost_as_unavailable,
    outcome,
)
from tracker.log.append import SQL as APPEND
from tracker.log.entries import NewEvent
from tracker.log.recorder import SQL as LOG
from tracker.log.recorder import read, read_streams
from tracker.log.resume_token import MAX_POSITION
from tracker.postgres.batching import commits_confirmed
from tracker.postgres.database import API, Connection, Target, connect, named_queries

SQL = named_queries(Path(__file__).with_name("staging.sql"))
PAGE_FACTS = 1000
MAX_CACHED_ENTITIES = 20_000
"""How many facts are kept in memory with their entities; beyond that all are forgotten, and read
again when they are needed."""
IMPORTERS = (IMPORT_ACTOR, DEMO_ACTOR)
"""Actors of what imports record; in a demo nobody is told apart."""
COLUMNS = (
    "event_id",
    "stream",
    "version",
    "type",
    "attributes",
    "data",
    "fields",
    "salts",
    "texts",
)


class Staging:
    """The staged events of one run, on a connection of its own."""

    def __init__(self, connection: Connection):
        self._connection = connection
        self._entities: dict[str, Entity] = {}
        self._kept = 0
        self.count = 0
        self.by_others: set[str] = set()
        """The events of these entities that no import recorded, by their ids. What a person accepted for
        import is an import's, though the person is the actor."""

    async def entities(self, streams: Iterable[str]) -> Mapping[str, Entity]:
        """These entities, as the log and what is staged make them, their texts where they are."""
        if self._kept > MAX_CACHED_ENTITIES:
            self._entities.clear()
            self.by_others.clear()
            self._kept = 0
        missing = [stream for stream in dict.fromkeys(streams) if stream not in self._entities]
        for stream in missing:
            entity_type(stream)
        found = await read_streams(self._connection, missing, MAX_POSITION)
        kept = await read_texts(
            self._connection, (e.fact for events in found.values() for e in events)
        )
        for stream, events in found.items():
            self._entities[stream] = rehydrate(stream, events, kept)
            self.by_others |= {
                event.event_id
                for event in events
                if event.actor not in (None, *IMPORTERS) and not event.fact.source.reviewed_by
            }
            self._kept += 1 + len(events)
        if self.count:
            for row in await self._connection.fetch(SQL.staged_of, missing):
                fact = with_texts(
                    decode(fact_type(row["type"]), row["data"]),
                    dict(zip(row["fields"], row["texts"], strict=True)),
                )
                Entity.Event(
                    row["stream"], row["version"], datetime_now_with_tzinfo(), row["event_id"], fact
                ).mutate(self._entities[row["stream"]])
                self._kept += 1
        return self._entities

    async def stage(self, events: Sequence[NewEvent]) -> None:
        """Keep events for the log."""
        records = [
            (
                e.event_id,
                e.stream,
                e.version,
                e.type,
                e.attributes,
                e.data,
                [annex.field for annex in e.annexes],
                [annex.salt for annex in e.annexes],
                [annex.text for annex in e.annexes],
            )
            for e in events
        ]
        await self._connection.copy_records_to_table("staged", records=records, columns=COLUMNS)
        self.count += len(events)
        self._kept += len(events)

    async def lines_seen(self, ids: Sequence[str]) -> dict[str, int]:
        """In which line of this file each of these ids was first."""
        return {row[0]: row[1] for row in await self._connection.fetch(SQL.seen, ids)}

    async def mark_seen(self, lines: Mapping[str, int]) -> None:
        """Note in which lines these ids are."""
        await self._connection.execute(SQL.see, list(lines), list(lines.values()))

    async def streams_of(self, ids: Sequence[str]) -> dict[str, str]:
        """The streams of the events in the log that have these ids."""
        return {row[0]: row[1] for row in await self._connection.fetch(SQL.streams_of_ids, ids)}

    async def recorded_by_others(self, ids: Sequence[str]) -> set[str]:
        """Those of these events that no import recorded."""
        if not ids:
            return set()
        return {row[0] for row in await self._connection.fetch(SQL.of_others, ids, IMPORTERS)}

    async def existing_streams(self, streams: Sequence[str]) -> set[str]:
        """Which of these streams are in the log."""
        if not streams:
            return set()
        return {row[0] for row in await self._connection.fetch(LOG.existing_streams, streams)}

    async def receipts(self, reader: str) -> AsyncIterator[tuple[int, Receipt]]:
        """The receipts of a reader with their positions, the oldest first."""
        after, full = 0, True
        while full:
            page = await read(self._connection, after, limit=PAGE_FACTS, types=["Import.Recorded"])
            for event in page:
                after = event.position
                if isinstance(event.fact, Receipt) and event.fact.reader == reader:
                    yield event.position, event.fact
            full = len(page) == PAGE_FACTS

    async def not_seen(self, first: int, end: int) -> list[tuple[str, str]]:
        """The facts at these positions whose rows this file does not have: ids and streams."""
        return [(row[0], row[1]) for row in await self._connection.fetch(SQL.not_seen, first, end)]

    async def append(self, last: NewEvent, progress: Callable[[int], None]) -> int:
        """Append all that is staged and a last event, in one transaction; the last's position.

        Raises VersionConflict or IdempotencyConflict if the log has moved on; then nothing is.
        After Unavailable all of it may be.
        """
        place, left = 0, self.count
        with lost_as_unavailable():
            async with commits_confirmed(self._connection), self._connection.transaction():
                await self._connection.execute(APPEND.take_time)
                while left:
                    place, count = await self._append_page(place)
                    left -= count
                    progress(count)
                return await append_page(self._connection, [last])

    async def _append_page(self, after: int) -> tuple[int, int]:
        """Append the staged events after a place; the place of the last, and how many they were."""
        row = await self._connection.fetchrow(SQL.append, after, IMPORT_BATCH_EVENTS)
        assert row is not None  # whatever becomes of them
        appended = outcome(row, row["count"], row["event_id"])
        if not isinstance(appended, AppendResult):
            raise appended
        return row["place"], row["count"]


@asynccontextmanager
async def staging(target: Target) -> AsyncIterator[Staging]:
    """A place to stage the events of one run."""
    connection = await connect(target, role=API)
    try:
        await connection.execute(SQL.create)
        yield Staging(connection)
    finally:
        connection.terminate()  # the end of the tables may wait for a standby, we need not
