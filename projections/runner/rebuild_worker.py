"""A share of a rebuild: the rows of the entities whose names lie in a range, in the next tables.

A long log is folded by several helpers at once, each of which does one share after the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any, NamedTuple

from projections.fold.timeline import EntityFold, RowDelta
from projections.runner.batch import PAGE_EVENTS, SQL, add, added, find_new, found
from projections.runner.worker import answer, help_with
from projections.versions.rows import SearchIndexRows
from tracker.log.fact_reader import Told, read_facts_by_stream
from tracker.postgres.database import (
    PROJECTOR,
    SILENCE_TIMEOUT_SETTING,
    Connection,
    Target,
    connect,
)


class Share(NamedTuple):
    """The events up to a position of the streams from one name up to another, which is left out."""

    low: str
    high: str
    until: int
    tables: int
    """The next tables that they are for; see `ours`."""


class Overtaken(ConnectionError):
    """Another rebuild has begun: the next tables are not ours any more."""


FIRST, BEHIND = "", "~"
"""Names before and behind those of all streams, which begin with small letters."""


async def on_next_tables(target: Target, stack: AsyncExitStack) -> Connection:
    """A connection that works on the next tables, until the stack ends."""
    connection = await connect(target, role=PROJECTOR)
    stack.push_async_callback(connection.close)
    await connection.execute("SET search_path TO projection_next, public")
    return connection


@asynccontextmanager
async def ours(
    connection: Connection, tables: int, limit: str = SILENCE_TIMEOUT_SETTING
) -> AsyncIterator[None]:
    """A transaction on the next tables, of limited time, while they are those that we began.

    A rebuild that was stopped has lost its lock, and another may have begun meanwhile, with tables
    of its own under the same names: what is left of the first must not write into these. They can't
    be dropped before the end of the transaction. Raises Overtaken.
    """
    async with connection.transaction():
        if await connection.fetchval(SQL.next_tables, limit) != tables:
            raise Overtaken("another rebuild has begun")
        yield


async def fill(target: Target, shares: Iterable[Share], progress: Callable[[int], None]) -> None:
    """Add the rows of shares to the next tables, one after the other.

    `progress` gets how many events were folded, page by page.
    """
    async with AsyncExitStack() as stack:
        writer, reader = [await on_next_tables(target, stack) for _ in range(2)]
        await writer.execute("SET synchronous_commit TO off")  # a crash before the swap costs all
        for share in shares:
            await _fill(writer, reader, share, progress)


async def _fill(
    writer: Connection, reader: Connection, share: Share, progress: Callable[[int], None]
) -> None:
    """Add the rows of a share. Some are written while the next ones are folded."""
    writing = asyncio.create_task(asyncio.sleep(0))
    try:
        async for streams in _streams(reader, share):
            finding = SearchIndexRows()
            rows = [some async for some in added(_revisions(streams, finding))]
            await writing
            writing = asyncio.create_task(_write(writer, share.tables, rows, finding))
            progress(sum(len(told.facts) for told in streams.values()))
        await writing
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)


async def _revisions(
    streams: dict[str, Told], finding: SearchIndexRows
) -> AsyncIterator[tuple[RowDelta, SearchIndexRows]]:
    for stream, told in streams.items():
        yield EntityFold(stream).learn(told.facts), finding


async def _write(
    writer: Connection, tables: int, rows: list[tuple[bytes, bytes]], finding: SearchIndexRows
) -> None:
    """Add rows, and what their entities are found by."""
    async with ours(writer, tables):
        await add(writer, *zip(*rows, strict=True))
        await find_new(writer, found(finding))


async def _streams(connection: Connection, share: Share) -> AsyncIterator[dict[str, Told]]:
    """Whole streams, about a page of events at a time."""
    begun: dict[str, Told] = {}
    async with aclosing(_pages(connection, share)) as pages:
        async for page in pages:
            streams = begun | page
            for stream in begun.keys() & page.keys():
                first, then = begun[stream], page[stream]
                streams[stream] = Told(
                    first.version, first.facts + then.facts, first.size + then.size
                )
            begun = dict([streams.popitem()])  # there may be more of it
            if streams:
                yield streams
    if begun:
        yield begun


async def _pages(connection: Connection, share: Share) -> AsyncGenerator[dict[str, Told], None]:
    """The events stream by stream. The next page is read while one is worked on."""

    def read(after: tuple[str, int]) -> asyncio.Task[dict[str, Told]]:
        return asyncio.create_task(
            read_facts_by_stream(
                connection, after, share.high, until=share.until, limit=PAGE_EVENTS
            )
        )

    reading = read((share.low, 0))
    try:
        while page := await reading:
            last, (version, facts, _) = next(reversed(page.items()))
            reading = read((last, version + len(facts) - 1))
            yield page
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def _help(target: Target, asked: Iterator[Any]) -> None:
    """Do the shares that come in; of each, answer what progress is made, and then with 0."""

    def shares() -> Iterator[Share]:
        for share in asked:
            yield Share(*share)
            answer(0)  # whoever asks for one more has done the last

    await fill(target, shares(), answer)


if __name__ == "__main__":
    help_with(_help)
