"""Comparison of stored rows with a new fold of their events.

The rows of each entity are compared, in all tables with an entity column. Words of events, the
vocabulary and the sums of facts span entities and are not compared.
"""

import random
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import Any

from msgspec import Struct

from projections.runner.folds import USE_THAT_RELEASE, AnotherRelease, foreign_folds, read_folds
from projections.runner.projection import Projection
from projections.search_index.projection import SearchIndex
from projections.search_index.rows import SQL as INDEX_SQL
from projections.search_index.rows import document_lines
from projections.search_index.rows import fold_streams as index_streams
from projections.streams.folding import estimate_row_bytes
from projections.streams.whole_streams import whole_streams
from projections.versions.projection import Versions
from projections.versions.row_batch import FACTS_SQL, SQL, fold_streams, text_lines
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


Lines = list[str]
Streams = Mapping[str, StreamFacts]


class _Checked(Struct, frozen=True):
    """A projection, and the rows that the facts of some entities give."""

    projection: Projection[Any]
    fold: Callable[[Connection, int, Streams], Awaitable[tuple[Lines, ...]]]
    """Returns the rows of each table, from facts up to a position."""
    tables: tuple[tuple[str, str], ...]
    """The name of each table, and the query for the first entity between two names with different rows."""


async def _version_rows(connection: Connection, until: int, streams: Streams) -> tuple[Lines, ...]:
    batch = await fold_streams(connection, until, streams)
    keys = batch.list_keys
    return batch.added, batch.added_elements, batch.added_facts, keys.subjects, text_lines(keys)


async def _index_rows(connection: Connection, until: int, streams: Streams) -> tuple[Lines, ...]:
    batch = await index_streams(connection, until, streams)
    return document_lines(batch), batch.states


def _table(insert: str) -> tuple[str, str]:
    """Return a table and its comparison, from the statement that adds rows to it."""
    parts = INSERT.search(insert)
    assert parts is not None
    return parts["table"], CHECK_SQL.difference.format(**parts.groupdict())


def _checked(
    projection: Projection[Any],
    fold: Callable[[Connection, int, Streams], Awaitable[tuple[Lines, ...]]],
    *inserts: str,
) -> _Checked:
    return _Checked(projection, fold, tuple(map(_table, inserts)))


CHECKED = (
    _checked(
        Versions(),
        _version_rows,
        SQL.add_versions,
        SQL.add_elements,
        FACTS_SQL.add_facts,
        SQL.add_subjects,
        SQL.add_texts,
    ),
    _checked(SearchIndex(), _index_rows, INDEX_SQL.add_documents, INDEX_SQL.add_state_documents),
)
"""The projections that are checked, the versions first."""


async def check_random_entity(pool: Pool, again: str | None = None) -> str | None:
    """Compare the rows of a random entity, or of `again`, and return its name.

    Returns None if the entity is too large for a sample. Raises RowsDiffer, AnotherRelease.
    """
    async with AsyncExitStack() as stack:
        connection, positions = await _begin(stack, pool)
        entity, last = again, positions[0]
        if entity is None and last:
            entity = await connection.fetchval(CHECK_SQL.stream, random.randint(1, last))
        if entity is None:
            return None
        if await connection.fetchval(CHECK_SQL.version, entity) > MAX_SAMPLE_EVENTS:
            return None
        for checked, position in zip(CHECKED, positions, strict=True):
            streams = await read_facts_of(connection, {entity: 0}, position)
            if estimate_row_bytes(streams) > MAX_SAMPLE_BYTES:
                return None
            await _compare(connection, checked, streams, (entity, entity), position)
    return entity


async def check_all_rows(
    pool: Pool, progress: Callable[[int], None] = lambda _: None
) -> tuple[int, int]:
    """Compare all rows and return the number of entities and the position.

    `progress` gets numbers of events. Raises RowsDiffer with the first entity by name, AnotherRelease.
    """
    async with AsyncExitStack() as stack:
        connection, positions = await _begin(stack, pool)
        reader = await stack.enter_async_context(pool.acquire())
        entities = await _compare_all(connection, reader, CHECKED[0], positions[0], progress)
        for checked, position in zip(CHECKED[1:], positions[1:], strict=True):
            await _compare_all(connection, reader, checked, position, lambda _: None)
    return entities, positions[0]


async def _compare_all(
    connection: Connection,
    reader: Connection,
    checked: _Checked,
    position: int,
    progress: Callable[[int], None],
) -> int:
    """Compare all rows of a projection, and return the number of entities. Raises RowsDiffer."""
    entities, events, after = 0, 0, ""
    async with aclosing(whole_streams(reader, position)) as pages:
        async for streams in pages:
            last = max(streams)
            await _compare(connection, checked, streams, (after, last), position)
            entities += len(streams)
            events += sum(len(stream.facts) for stream in streams.values())
            after = f"{last}\x01"
            progress(events)
    await _compare(connection, checked, {}, (after, AFTER_ALL), position)
    return entities


async def _begin(stack: AsyncExitStack, pool: Pool) -> tuple[Connection, list[int]]:
    """Open a snapshot of the rows for the duration of the stack.

    Returns its connection, and the position of each projection. Raises AnotherRelease.
    """
    connection = await stack.enter_async_context(pool.acquire())
    await stack.enter_async_context(
        connection.transaction(isolation="repeatable_read", readonly=True)
    )
    # Before any read: a rebuild would swap in tables whose rows this snapshot does not see.
    await connection.execute(CHECK_SQL.hold_tables)
    folds = await read_folds(connection, [checked.projection for checked in CHECKED])
    if foreign := foreign_folds(folds):
        raise AnotherRelease(foreign, USE_THAT_RELEASE)
    return connection, [fold.position for fold in folds]


async def _compare(
    connection: Connection, checked: _Checked, streams: Streams, names: tuple[str, str], until: int
) -> None:
    """Compare the rows of entities between two names with their events.

    Raises RowsDiffer with the first difference.
    """
    rows = await checked.fold(connection, until, streams)
    found = [
        (entity, table)
        for (table, difference), lines in zip(checked.tables, rows, strict=True)
        if (entity := await connection.fetchval(difference, lines, *names))
    ]
    if found:
        raise RowsDiffer(*min(found), until)
