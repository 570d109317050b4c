"""A share of a rebuild: the rows of the entities whose names lie in a range, in the next tables.

A long log is folded by several helpers at once, each of which does one share after the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, aclosing
from typing import Any, NamedTuple

from projections.helper import answer, help_with
from projections.page import PAGE, added, copy, find_new, found
from projections.rows import Finding
from projections.timeline import Folded
from tracker.log.database import PROJECTOR, Connection, Target, connect
from tracker.log.facts import Told, read_facts_by_stream


class Share(NamedTuple):
    """The events up to a position of the streams from one name up to another, which is left out."""

    low: str
    high: str
    until: int


FIRST, BEHIND = "", "~"
"""Names before and behind those of all streams, which begin with small letters."""


async def on_next_tables(target: Target, stack: AsyncExitStack) -> Connection:
    """A connection that works on the next tables, until the stack ends."""
    connection = await connect(target, role=PROJECTOR)
    stack.push_async_callback(connection.close)
    await connection.execute("SET search_path TO projection_next, public")
    return connection


async def fill(
    target: Target, shares: Iterable[Share], progress: Callable[[int], None]
) -> None:
    """Add the rows of shares to the next tables, one after the other.

    `progress` gets how many events were folded, page by page.
    """
    async with AsyncExitStack() as stack:
        writer, reader, finder = [await on_next_tables(target, stack) for _ in range(3)]
        for share in shares:
            await copy(writer, _rows(reader, finder, share, progress))


async def _rows(
    reader: Connection, finder: Connection, share: Share, progress: Callable[[int], None]
) -> AsyncIterator[bytes]:
    """The rows of a share; what its entities are found by goes in beside them."""
    async for streams in _streams(reader, share):
        finding = Finding()
        revisions = (Folded(stream).learn(told.facts) for stream, told in streams.items())
        async for some in added((revision, finding) for revision in revisions):
            yield some
        await find_new(finder, found(finding))
        progress(sum(len(told.facts) for told in streams.values()))


async def _streams(connection: Connection, share: Share) -> AsyncIterator[dict[str, Told]]:
    """Whole streams, about a page of events at a time."""
    begun: dict[str, Told] = {}
    async with aclosing(_pages(connection, share)) as pages:
        async for page in pages:
            streams = begun | page
            for stream in begun.keys() & page.keys():
                first, then = begun[stream], page[stream]
                streams[stream] = Told(first.version, first.facts + then.facts,
                                       first.size + then.size)
            begun = dict([streams.popitem()])  # there may be more of it
            if streams:
                yield streams
    if begun:
        yield begun


async def _pages(connection: Connection, share: Share) -> AsyncGenerator[dict[str, Told], None]:
    """The events stream by stream. The next page is read while one is worked on."""
    def read(after: tuple[str, int]) -> asyncio.Task[dict[str, Told]]:
        return asyncio.create_task(read_facts_by_stream(
            connection, after, share.high, until=share.until, limit=PAGE))

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
