"""Staging of an import's events in temporary tables, until all are appended together.

So a file of any size is recorded completely or not at all, in bounded memory, and the log is locked only
during the append. After a crash nothing remains: the tables are dropped with their connection.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from eventsourcing.domain import datetime_now_with_tzinfo

from tracker.auth.scopes import DEMO_ACTOR, IMPORT_ACTOR
from tracker.commands.decisions import rehydrate
from tracker.domain.basics.codec import decode
from tracker.domain.entities.commitments import with_texts
from tracker.domain.entities.entity import Entity
from tracker.domain.events.registry import entity_type, fact_type
from tracker.domain.evidence.import_receipt import Receipt
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
"""Maximum number of facts cached with their entities; beyond that the cache is cleared."""
IMPORTERS = (IMPORT_ACTOR, DEMO_ACTOR)
"""Actors of imports; in a demo all clients have the same actor."""
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
    """The staged events of one run, on a separate connection."""

    def __init__(self, connection: Connection):
        self._connection = connection
        self._entities: dict[str, Entity] = {}
        self._cached_facts = 0
        self.count = 0
        self.not_imported: set[str] = set()
        """Ids of events of these entities that no import recorded. An accepted import counts as an import,
        although its actor is a person."""

    async def entities(self, streams: Iterable[str]) -> Mapping[str, Entity]:
        """Return these entities including staged events, with the available texts."""
        if self._cached_facts > MAX_CACHED_ENTITIES:
            self._entities.clear()
            self.not_imported.clear()
            self._cached_facts = 0
        missing = [stream for stream in dict.fromkeys(streams) if stream not in self._entities]
        for stream in missing:
            entity_type(stream)
        by_stream = await read_streams(self._connection, missing, MAX_POSITION)
        texts = await read_texts(
            self._connection, (e.fact for events in by_stream.values() for e in events)
        )
        for stream, events in by_stream.items():
            self._entities[stream] = rehydrate(stream, events, texts)
            self.not_imported |= {
                event.event_id
                for event in events
                if event.actor not in (None, *IMPORTERS) and not event.fact.source.reviewed_by
            }
            self._cached_facts += 1 + len(events)
        if self.count:
            for row in await self._connection.fetch(SQL.staged_of, missing):
                fact = with_texts(
                    decode(fact_type(row["type"]), row["data"]),
                    dict(zip(row["fields"], row["texts"], strict=True)),
                )
                Entity.Event(
                    row["stream"], row["version"], datetime_now_with_tzinfo(), row["event_id"], fact
                ).mutate(self._entities[row["stream"]])
                self._cached_facts += 1
        return self._entities

    async def stage(self, events: Sequence[NewEvent]) -> None:
        """Stage events for the log."""
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
        self._cached_facts += len(events)

    async def lines_seen(self, ids: Sequence[str]) -> dict[str, int]:
        """Return the first line of this file for each of these ids."""
        return {row[0]: row[1] for row in await self._connection.fetch(SQL.seen, ids)}

    async def mark_seen(self, lines: Mapping[str, int]) -> None:
        """Record the lines of these ids."""
        await self._connection.execute(SQL.see, list(lines), list(lines.values()))

    async def streams_of(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the streams of the recorded events with these ids."""
        return {row[0]: row[1] for row in await self._connection.fetch(SQL.streams_of_ids, ids)}

    async def find_not_imported(self, ids: Sequence[str]) -> set[str]:
        """Return the ids of these events that no import recorded."""
        if not ids:
            return set()
        return {row[0] for row in await self._connection.fetch(SQL.of_others, ids, IMPORTERS)}

    async def existing_streams(self, streams: Sequence[str]) -> set[str]:
        """Return the streams of these that are in the log."""
        if not streams:
            return set()
        return {row[0] for row in await self._connection.fetch(LOG.existing_streams, streams)}

    async def receipts(self, reader: str) -> AsyncIterator[tuple[int, Receipt]]:
        """Yield the receipts of a reader with their positions, oldest first."""
        after, full = 0, True
        while full:
            page = await read(self._connection, after, limit=PAGE_FACTS, types=["Import.Recorded"])
            for event in page:
                after = event.position
                if isinstance(event.fact, Receipt) and event.fact.reader == reader:
                    yield event.position, event.fact
            full = len(page) == PAGE_FACTS

    async def not_seen(self, first: int, end: int) -> list[tuple[str, str]]:
        """Return the facts at these positions whose rows are missing in this file: ids and streams."""
        return [(row[0], row[1]) for row in await self._connection.fetch(SQL.not_seen, first, end)]

    async def append(self, last: NewEvent, progress: Callable[[int], None]) -> int:
        """Append all staged events and a last event, in one transaction; return the position of the last.

        Raises VersionConflict or IdempotencyConflict if the log has changed; then nothing is recorded. After
        Unavailable all of it may be recorded.
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
        """Append the staged events after a place; return the place of the last, and their number."""
        row = await self._connection.fetchrow(SQL.append, after, IMPORT_BATCH_EVENTS)
        assert row is not None  # the outcome does not matter here
        appended = outcome(row, row["count"], row["event_id"])
        if not isinstance(appended, AppendResult):
            raise appended
        return row["place"], row["count"]


@asynccontextmanager
async def staging(target: Target) -> AsyncIterator[Staging]:
    """Open a staging area for the events of one run."""
    connection = await connect(target, role=API)
    try:
        await connection.execute(SQL.create)
        yield Staging(connection)
    finally:
        connection.terminate()  # dropping the tables need not wait for a standby
