"""A page of the log as rows: read and folded, then written with the projection's position.

What a page makes of the rows follows from the log alone, so the next one is read and folded while
PostgreSQL takes in the last.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby, islice
from operator import attrgetter
from pathlib import Path

from projections.rows import COLUMNS, NULL, Finding, tabled
from projections.timeline import Revision, revise
from tracker.log.database import Connection, named_queries
from tracker.log.recorder import read, read_streams

SQL = named_queries(Path(__file__).with_name("projector.sql"))
PAGE = 1000
"""Events at a time: few enough for Python's garbage collector not to notice them."""
PACE = 20
"""Entities to fold before the rows of earlier ones go on their way to PostgreSQL."""


@dataclass(frozen=True, slots=True)
class Page:
    """What the events after a position, up to another, make of the rows."""

    after: int
    until: int
    full: bool
    """Whether there may be more events behind it."""
    added: list[bytes] = field(default_factory=list)
    """Rows as COPY takes them."""
    closed: list[tuple[str, date, int]] = field(default_factory=list)
    """The entity and the start of open rows, and the position at which they end."""
    new: Finding = field(default_factory=Finding)
    """What entities are found by that had no events before."""
    more: Finding = field(default_factory=Finding)
    """What others are found by; some of it may be known."""


async def read_page(connection: Connection, after: int, *, limit: int = PAGE) -> Page | None:
    """The page of the next events, at most `limit`; None when there are none."""
    events = await read(connection, after, limit=limit)
    if not events:
        return None
    page = Page(after, events[-1].position, full=len(events) == limit)
    events.sort(key=attrgetter("stream"))  # keeps their order within a stream
    told = {stream: list(its) for stream, its in groupby(events, attrgetter("stream"))}
    before = await read_streams(
        connection, [stream for stream, its in told.items() if its[0].version > 1], after)

    def revisions() -> Iterator[tuple[Revision, Finding]]:
        for stream, its in told.items():
            earlier = before.get(stream, [])
            revision = revise(stream, [e.known for e in earlier], [e.known for e in its])
            page.closed.extend((stream, *row) for row in revision.closed)
            yield revision, page.more if earlier else page.new

    async for lines in added(revisions()):
        page.added.append(lines)
    return page


async def added(revisions: Iterable[tuple[Revision, Finding]]) -> AsyncIterator[bytes]:
    """The rows that revisions add, as COPY takes them, of some entities at a time.

    What the entities are found by goes into the findings. Others get their turn in between.
    """
    revisions = iter(revisions)
    while some := list(islice(revisions, PACE)):
        rows = "".join([row for each in some for row in tabled(*each)])
        yield rows.replace("\\", "\\\\").encode()
        await asyncio.sleep(0)


async def write_page(connection: Connection, page: Page) -> None:
    """Add and close rows, and advance to the end of the page, in the caller's transaction."""
    await copy(connection, _each(page.added))
    if page.closed:
        await connection.execute(SQL.close, *map(list, zip(*page.closed, strict=True)))
    await find_new(connection, page.new)
    subjects = [(*subject, since) for subject, since in page.more.subjects.items()]
    for query, rows in ((SQL.add_subjects, subjects), (SQL.add_texts, page.more.said)):
        if rows:
            await connection.execute(query, *map(list, zip(*sorted(rows), strict=True)))
    await connection.execute(SQL.advance, page.until)


async def copy(connection: Connection, rows: AsyncIterator[bytes]) -> None:
    """Add version rows as they come."""
    await connection.copy_to_table("versions", source=rows, columns=COLUMNS, null=NULL)


async def find_new(connection: Connection, finding: Finding) -> None:
    """Add what entities are found by of which nothing was there."""
    for table, lines in (
        ("subjects", [f"{kind}\t{word}\t{entity}\t{since}\n"
                      for (kind, word, entity), since in finding.subjects.items()]),
        ("texts", [f"{kind}\t{entity}\t{said}\n" for kind, entity, said in finding.said]),
    ):
        if lines:
            await connection.copy_to_table(
                table, source=_each(["".join(sorted(lines)).encode()]))


async def _each(lines: list[bytes]) -> AsyncIterator[bytes]:
    for some in lines:
        yield some
