"""Rebuild: every entity folded once into fresh tables, then a swap.

The fold is the projector's, and so are the rows; only the log is read entity by entity, and the
indexes are made in the end. The live tables answer all the while. A crash before the swap leaves
them as they are, and half-made tables in `projection_next` that the next rebuild drops.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing

from projections.page import PAGE, SQL, added, copy, find_new
from projections.projector import TABLES, create_bare_tables, project_page
from projections.rows import Finding
from projections.timeline import Folded
from tracker.log.database import PROJECTOR, Connection, Target, connect
from tracker.log.facts import Told, read_facts_by_stream
from tracker.log.recorder import head


async def rebuild(target: Target, progress: Callable[[int], None] = lambda _: None) -> int:
    """Make the version rows anew from the log and put them in place of the old ones.

    `progress` gets how many events are folded, after every page. Returns the last position.
    """
    async with AsyncExitStack() as stack:
        connection, reader, finder = [await _connection(target, stack) for _ in range(3)]
        await connection.execute("SELECT pg_advisory_lock(hashtextextended('rebuild', 0))")
        await connection.execute(TABLES.drop_tables)
        await create_bare_tables(connection)
        until = await head(reader)
        await copy(connection, _rows(reader, finder, until, progress))
        await connection.execute(SQL.advance, until)
        await asyncio.gather(connection.execute(TABLES.create_version_indexes),
                             finder.execute(TABLES.create_finding_indexes))
        await connection.execute("ANALYZE versions, subjects, texts")
        while await _page(connection):
            pass
        return await _swap(connection)


async def _connection(target: Target, stack: AsyncExitStack) -> Connection:
    """A connection that works on the next tables, until the stack ends."""
    connection = await connect(target, role=PROJECTOR)
    stack.push_async_callback(connection.close)
    await connection.execute("SET search_path TO projection_next, public")
    return connection


async def _rows(
    reader: Connection, finder: Connection, until: int, progress: Callable[[int], None]
) -> AsyncIterator[bytes]:
    """The rows of all that is in the log up to a position; what they are about goes in beside them.
    """
    folded = 0
    async for streams in _streams(reader, until):
        finding = Finding()
        revisions = (Folded(stream).learn(told.facts) for stream, told in streams.items())
        async for some in added((revision, finding) for revision in revisions):
            yield some
        await find_new(finder, finding)
        folded += sum(len(told.facts) for told in streams.values())
        progress(folded)


async def _streams(connection: Connection, until: int) -> AsyncIterator[dict[str, Told]]:
    """Whole streams up to a position, about a page of events at a time."""
    begun: dict[str, Told] = {}
    async with aclosing(_pages(connection, until)) as pages:
        async for page in pages:
            streams = begun | page
            for stream in begun.keys() & page.keys():
                streams[stream] = Told(begun[stream].version,
                                       begun[stream].facts + page[stream].facts)
            begun = dict([streams.popitem()])  # there may be more of it
            if streams:
                yield streams
    if begun:
        yield begun


async def _pages(connection: Connection, until: int) -> AsyncGenerator[dict[str, Told], None]:
    """The log up to a position, stream by stream. The next page is read while one is worked on."""
    def read(after: tuple[str, int]) -> asyncio.Task[dict[str, Told]]:
        return asyncio.create_task(read_facts_by_stream(connection, after, until=until, limit=PAGE))

    reading = read(("", 0))
    try:
        while page := await reading:
            last, (version, facts) = next(reversed(page.items()))
            reading = read((last, version + len(facts) - 1))
            yield page
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def _page(connection: Connection) -> int:
    """Project what came meanwhile, a page of it."""
    async with connection.transaction():
        return await project_page(connection)


async def _swap(connection: Connection) -> int:
    """Take the place of the live tables, with all that they have, while no other projector runs."""
    async with connection.transaction():
        await connection.execute(SQL.wait_turn)
        while await project_page(connection):
            pass
        position = int(await connection.fetchval(SQL.position))
        await connection.execute(TABLES.replace_live)
        await connection.execute(SQL.replaced)
    return position
