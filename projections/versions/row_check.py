"""Comparison of stored rows with a new fold of their events.

The rows of each entity are compared, in all tables with an entity column. Words of events, the
vocabulary and the sums of facts span entities and are not compared.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from pathlib import Path

from projections.runner.fingerprint import fingerprint
from projections.runner.tables import SQL as TRACKING
from projections.runner.tables import foreign_rows
from projections.versions.fact_rows import FoldCache
from projections.versions.projection import Versions
from projections.versions.row_batch import (
    FACTS_SQL,
    SQL,
    RowBatch,
    document_lines,
    estimate_row_bytes,
    fold_streams,
    text_lines,
)
from projections.versions.whole_streams import whole_streams
from tracker.errors import TrackerError
from tracker.log.fact_reader import StreamFacts, read_facts_of
from tracker.postgres.database import Connection, Pool, named_queries

CHECK_SQL = named_queries(Path(__file__).with_name("row_check.sql"))
MAX_SAMPLE_EVENTS = 1000
MAX_SAMPLE_BYTES = 4 * 1024 * 1024
"""Limits of samples. Larger entities are checked only by `check_all_rows`."""
INSERT = re.compile(
    r"INSERT INTO (?P<table>\w+) \((?P<columns>.+?)\)\n(?P<select>SELECT .+?)(?:\nON CONFLICT.*)?;?\Z",
    re.DOTALL,
)
AFTER_ALL = "~"
"""A name after those of all entities."""


class RowsDiffer(TrackerError):
    """The error for rows of an entity that do not follow from its events."""

    code = "ROWS_DIFFER"

    def __init__(self, entity: str, table: str, position: int):
        super().__init__(
            f"{entity}: its rows in projection.{table} are not those that its events up to position"
            f" {position} give; `tracker rebuild` rebuilds all rows"
        )
        self.entity = entity


@dataclass(frozen=True, slots=True)
class _Table:
    """The comparison of the rows of one table."""

    name: str
    difference: str
    """The query for the first entity between two names with different rows."""
    lines: Callable[[RowBatch], list[str]]


def _table(insert: str, lines: Callable[[RowBatch], list[str]]) -> _Table:
    """Return a table from the statement that adds rows to it."""
    parts = INSERT.search(insert)
    assert parts is not None
    query = CHECK_SQL.difference.format(**parts.groupdict())
    return _Table(parts["table"], query, lines)


TABLES = (
    _table(SQL.add_versions, lambda batch: batch.added),
    _table(SQL.add_elements, lambda batch: batch.added_elements),
    _table(FACTS_SQL.add_facts, lambda batch: batch.added_facts),
    _table(SQL.add_subjects, lambda batch: sorted(batch.search_rows.subjects)),
    _table(SQL.add_texts, lambda batch: text_lines(batch.search_rows)),
    _table(SQL.add_documents, lambda batch: document_lines(batch.search_rows)),
)


async def check_random_entity(pool: Pool, again: str | None = None) -> str | None:
    """Compare the rows of a random entity, or of `again`, and return its name.

    Returns None if the entity is too large for a sample. Raises RowsDiffer, AnotherRelease.
    """
    async with AsyncExitStack() as stack:
        connection, position = await _begin(stack, pool)
        entity = again
        if entity is None and position:
            entity = await connection.fetchval(CHECK_SQL.stream, random.randint(1, position))
        if entity is None:
            return None
        if await connection.fetchval(CHECK_SQL.version, entity) > MAX_SAMPLE_EVENTS:
            return None
        streams = await read_facts_of(connection, {entity: 0}, position)
        if estimate_row_bytes(streams) > MAX_SAMPLE_BYTES:
            return None
        await _compare(connection, streams, entity, entity, position)
    return entity


async def check_all_rows(
    pool: Pool, progress: Callable[[int], None] = lambda _: None
) -> tuple[int, int]:
    """Compare all rows and return the number of entities and the position.

    `progress` gets numbers of events. Raises RowsDiffer with the first entity by name, AnotherRelease.
    """
    async with AsyncExitStack() as stack:
        connection, position = await _begin(stack, pool)
        reader = await stack.enter_async_context(pool.acquire())
        entities, events, after = 0, 0, ""
        async with aclosing(whole_streams(reader, position)) as pages:
            async for streams in pages:
                last = max(streams)
                await _compare(connection, streams, after, last, position)
                entities += len(streams)
                events += sum(len(stream.facts) for stream in streams.values())
                after = f"{last}\x01"
                progress(events)
        await _compare(connection, {}, after, AFTER_ALL, position)
    return entities, position


async def _begin(stack: AsyncExitStack, pool: Pool) -> tuple[Connection, int]:
    """Open a snapshot of the rows for the duration of the stack, and return it with its position.

    Raises AnotherRelease.
    """
    connection = await stack.enter_async_context(pool.acquire())
    await stack.enter_async_context(
        connection.transaction(isolation="repeatable_read", readonly=True)
    )
    # Before any read: a rebuild would swap in tables whose rows this snapshot does not see.
    await connection.execute(CHECK_SQL.hold_tables)
    tracking = await connection.fetchrow(TRACKING.tracking, Versions.name)
    projection = Versions()
    if tracking is None or tracking["fold"] != fingerprint(projection):
        raise await foreign_rows(connection, projection)
    return connection, tracking["position"]


async def _compare(
    connection: Connection, streams: Mapping[str, StreamFacts], first: str, last: str, until: int
) -> None:
    """Compare the rows of entities between two names with their events.

    Raises RowsDiffer with the first difference.
    """
    batch = await fold_streams(connection, 0, until, dict(streams), FoldCache(0))
    found = [
        (entity, table.name)
        for table in TABLES
        if (entity := await connection.fetchval(table.difference, table.lines(batch), first, last))
    ]
    if found:
        raise RowsDiffer(*min(found), until)
