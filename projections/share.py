"""A share of a rebuild: the rows of the entities whose names lie in a range, in the next tables.

A large log is folded in several processes at once, each of which does one share after the other.
Such a process reads from its standard input, as lines of JSON, which database is meant and then
shares. It answers with a line for every page, how many events were folded, and one at the end of a
share. It ends with its input, or when nobody reads its answers any more.
"""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, aclosing
from typing import NamedTuple

import uvloop

from projections.page import PAGE, added, copy, find_new
from projections.rows import Finding
from projections.timeline import Folded
from tracker.log.database import LOST, PROJECTOR, Connection, Target, connect
from tracker.log.facts import Told, read_facts_by_stream

END = "end"
"""The answer at the end of a share."""
LOST_IT = 3
"""The exit code of a process that has lost its database."""
MADE = 20_000
"""Objects to make before those in cycles are looked for: there are hardly any."""


class Share(NamedTuple):
    """The events up to a position of the streams from one name up to another, which is left out."""

    low: str
    high: str
    until: int


FIRST, BEHIND = "", "~"
"""Names before and behind those of all streams, which begin with small letters."""


async def connected(target: Target, stack: AsyncExitStack) -> Connection:
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
        writer, reader, finder = [await connected(target, stack) for _ in range(3)]
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
        await find_new(finder, finding)
        progress(sum(len(told.facts) for told in streams.values()))


async def _streams(connection: Connection, share: Share) -> AsyncIterator[dict[str, Told]]:
    """Whole streams, about a page of events at a time."""
    begun: dict[str, Told] = {}
    async with aclosing(_pages(connection, share)) as pages:
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


async def _pages(connection: Connection, share: Share) -> AsyncGenerator[dict[str, Told], None]:
    """The events stream by stream. The next page is read while one is worked on."""
    def read(after: tuple[str, int]) -> asyncio.Task[dict[str, Told]]:
        return asyncio.create_task(read_facts_by_stream(
            connection, after, share.high, until=share.until, limit=PAGE))

    reading = read((share.low, 0))
    try:
        while page := await reading:
            last, (version, facts) = next(reversed(page.items()))
            reading = read((last, version + len(facts) - 1))
            yield page
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


def main() -> None:
    """Do the shares that come in, in this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who began this process ends it
    gc.set_threshold(MADE, 10, 10)
    try:
        uvloop.run(fill(json.loads(sys.stdin.readline()), _asked(), _answer))
    except LOST:  # nobody reads the answers, or the database is gone: who asked sees it too
        sys.exit(LOST_IT)


def _asked() -> Iterator[Share]:
    """The shares that come in. Asking for one more says that the last is done."""
    for line in sys.stdin:
        yield Share(*json.loads(line))
        _answer(END)


def _answer(line: object) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
