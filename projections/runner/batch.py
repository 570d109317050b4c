"""A page of the log as rows: read and folded, then written with the projection's position.

What a page makes of the rows follows from the log alone, so the next one is read and folded while
PostgreSQL takes in the last.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from projections.fold.timeline import EntityFold, RowDelta
from projections.runner.fold_cache import FoldCache
from projections.versions.rows import Record, SearchIndexRows, found_by, listed, tabled
from tracker.domain.entity import Known
from tracker.log.fact_reader import Told, read_facts, read_facts_of, read_facts_of_part
from tracker.postgres.database import Connection, named_queries

SQL = named_queries(Path(__file__).with_name("projector.sql"))
PAGE_EVENTS = 1000
"""Events at a time: few enough for Python's garbage collector not to notice them."""
MAX_ROW_BYTES = 16 * 1024 * 1024
"""What the rows of a page may be, about: an entity of many events has a large row for each."""
PACE = 30
"""Rows to make before they go on their way to PostgreSQL, and others get their turn."""
PACE_LETTERS = 64 * 1024
"""The same, where rows are long."""
PACE_FACTS = 10
"""Facts of one entity to take in before others get their turn."""


@dataclass(frozen=True, slots=True)
class RowBatch:
    """What the events after a position, up to another, make of the rows."""

    after: int
    until: int
    count: int
    """How many events are in it."""
    added: list[bytes] = field(default_factory=list)
    """Rows as lines, in pieces."""
    closed: list[tuple[str, date, int, int]] = field(default_factory=list)
    """The entity, the start and the generation of open rows, and the position at which they end."""
    elements: list[bytes] = field(default_factory=list)
    """Elements of long lists as lines, in pieces."""
    ended: list[tuple[str, int, str, date, int]] = field(default_factory=list)
    """The entity and the key of elements, and the position at which they end."""
    new: dict[str, bytes] = field(default_factory=dict)
    """What entities are found by that had no events before: rows of each table as lines."""
    more: SearchIndexRows = field(default_factory=SearchIndexRows)
    """What others are found by; some of it may be known."""


async def read_page(
    connection: Connection, after: int, *, limit: int = PAGE_EVENTS, folds: FoldCache | None = None
) -> RowBatch | None:
    """The page of the next events, at most `limit` and fewer where their rows are large; None when
    there are none.

    Entities whose folds are kept are not read and folded again.
    """
    streams = await read_facts(connection, after, limit=limit)
    if not streams:
        return None
    if limit > 1 and (size := row_bytes(streams.values())) > MAX_ROW_BYTES:
        fewer = max(1, limit * MAX_ROW_BYTES // size)
        return await read_page(connection, after, limit=fewer, folds=folds)
    until = max(told.facts[-1].position for told in streams.values())
    return await _page(connection, after, until, streams, folds or FoldCache())


def row_bytes(streams: Iterable[Told]) -> int:
    """About how large the rows are that facts make: each has one, with all that is known by then."""
    return sum((told.version + len(told.facts)) * told.size for told in streams)


async def read_part(
    connection: Connection, after: int, until: int, part: int, parts: int, folds: FoldCache
) -> RowBatch:
    """What the events up to a position make of the rows of one of so many parts of the entities."""
    streams = await read_facts_of_part(connection, after, until, part, parts)
    return await _page(connection, after, until, streams, folds)


def joined(pages: Sequence[RowBatch]) -> RowBatch:
    """The page of which these are the parts."""
    return RowBatch(
        pages[0].after,
        pages[0].until,
        sum(page.count for page in pages),
        added=[rows for page in pages for rows in page.added],
        closed=[row for page in pages for row in page.closed],
        elements=[rows for page in pages for rows in page.elements],
        ended=[row for page in pages for row in page.ended],
        new={table: b"".join([page.new[table] for page in pages]) for table in pages[0].new},
        more=SearchIndexRows.joined([page.more for page in pages]),
    )


async def _page(
    connection: Connection, after: int, until: int, streams: dict[str, Told], folds: FoldCache
) -> RowBatch:
    """A page of such facts."""
    page = RowBatch(after, until, sum(len(told.facts) for told in streams.values()))
    folded = {stream: folds.take(stream, told.version - 1) for stream, told in streams.items()}
    behind = {
        stream: fold.version
        for stream, fold in folded.items()
        if fold.version < streams[stream].version - 1
    }
    before = await read_facts_of(connection, behind, after)

    new = SearchIndexRows()

    async def revisions() -> AsyncIterator[tuple[RowDelta, SearchIndexRows]]:
        for stream, (version, facts, size) in streams.items():
            fold = folded[stream]
            if stream in before:
                fold = _caught_up(fold, stream, before[stream])
            revision = await _learned(fold, facts)
            fold.size += size
            folds.keep(stream, fold)
            page.closed.extend([(stream, *row) for row in revision.closed])
            page.ended.extend([(stream, *row) for row in revision.ended])
            yield revision, page.more if version > 1 else new

    async for rows, elements in added(revisions()):
        page.added.append(rows)
        page.elements.append(elements)
    page.new.update(found(new))
    return page


async def _learned(fold: EntityFold, facts: Sequence[Known]) -> RowDelta:
    """What new facts do to the rows of an entity; others get their turn in between."""
    revision = fold.revision()
    for number, _ in enumerate(fold.learn_by_one(facts, revision), 1):
        if number % PACE_FACTS == 0:
            await asyncio.sleep(0)
    return revision


def _caught_up(fold: EntityFold, stream: str, told: Told) -> EntityFold:
    """The fold of an entity after facts of which the rows are there already."""
    size = fold.size + told.size
    if fold.version:
        fold.learn(told.facts)
    else:
        fold = EntityFold(stream, told.facts)
        if state := fold.latest():
            fold.found |= found_by(state)
    fold.size = size
    return fold


async def added(
    revisions: AsyncIterable[tuple[RowDelta, SearchIndexRows]],
) -> AsyncIterator[tuple[bytes, bytes]]:
    """The rows and the elements that revisions add, as lines, some at a time.

    What the entities are found by goes into the findings. Others get their turn in between.
    """
    rows: list[Record] = []
    letters = 0
    async for revision, finding in revisions:
        for row in tabled(revision, finding):
            rows.append(row)
            letters += len(row)
            if len(rows) >= PACE or letters >= PACE_LETTERS:
                yield "".join(rows).encode(), b""
                rows, letters = [], 0
                await asyncio.sleep(0)
        if revision.elements:
            yield b"", "".join(listed(revision)).encode()
            await asyncio.sleep(0)
    if rows:
        yield "".join(rows).encode(), b""


async def write_page(
    connection: Connection, page: RowBatch, *, seconds: float | None = None
) -> None:
    """Add and close rows, and advance to the end of the page, in the caller's transaction.

    A statement may take so many seconds, instead of the connection's own limit.
    """
    await add(connection, page.added, page.elements, seconds=seconds)
    for query, closed in ((SQL.close, page.closed), (SQL.end_elements, page.ended)):
        if closed:
            await connection.execute(query, *columns(closed), timeout=seconds)
    await find_new(connection, page.new, seconds=seconds)
    for query, rows in ((SQL.add_subjects, page.more.subjects), (SQL.add_texts, page.more.said)):
        if rows:
            await connection.execute(query, *columns(sorted(rows)), timeout=seconds)
    await connection.execute(SQL.advance, page.until, timeout=seconds)


def columns(rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    """The columns of rows, of which there is one at least."""
    return list(map(list, zip(*rows, strict=True)))


async def add(
    connection: Connection,
    rows: Sequence[bytes],
    elements: Sequence[bytes],
    *,
    seconds: float | None = None,
) -> None:
    """Add rows, and elements of the states in them."""
    await connection.execute(SQL.add_versions, [lines for lines in rows if lines], timeout=seconds)
    if some := [lines for lines in elements if lines]:
        await connection.execute(SQL.add_elements, some, timeout=seconds)


def found(finding: SearchIndexRows) -> dict[str, bytes]:
    """What entities are found by, as lines for each table."""
    rows = {
        "subjects": [
            f"{kind}\t{word}\t{entity}\t{since}\n" for kind, word, entity, since in finding.subjects
        ],
        "texts": [f"{kind}\t{entity}\t{said}\n" for kind, entity, said in finding.said],
    }
    return {table: "".join(sorted(lines)).encode() for table, lines in rows.items()}


async def find_new(
    connection: Connection, new: dict[str, bytes], *, seconds: float | None = None
) -> None:
    """Add what entities are found by of which nothing was there."""
    for table, query in (("subjects", SQL.add_new_subjects), ("texts", SQL.add_new_texts)):
        if rows := new.get(table):
            await connection.execute(query, rows, timeout=seconds)
