"""The log, read stream by stream, so that each entity is folded once."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from tracker.log.fact_reader import StreamFacts, read_facts_by_stream
from tracker.postgres.database import Connection

PAGE_EVENTS = 1000
"""Events per read."""
BEFORE_ALL_STREAMS, AFTER_ALL_STREAMS = "", "~"
"""Names before and after those of all streams, which begin with lowercase letters."""


async def whole_streams(
    connection: Connection, until: int, without: Iterable[str] = ()
) -> AsyncGenerator[dict[str, StreamFacts], None]:
    """Yield the facts of streams up to a position, about a page of events at a time.

    All facts of a stream come together. Streams whose names begin with a text of `without` are left
    out.
    """
    begun: dict[str, StreamFacts] = {}
    first = BEFORE_ALL_STREAMS
    for last, then_first in [*((of, f"{of}~") for of in sorted(without)), (AFTER_ALL_STREAMS, "")]:
        async with aclosing(_pages(connection, until, first, last)) as pages:
            async for page in pages:
                streams = begun | page
                for stream in begun.keys() & page.keys():
                    start, rest = begun[stream], page[stream]
                    streams[stream] = StreamFacts(
                        start.version, start.facts + rest.facts, start.size + rest.size
                    )
                begun = dict([streams.popitem()])  # the stream may continue
                if streams:
                    yield streams
        first = then_first
    if begun:
        yield begun


async def _pages(
    connection: Connection, until: int, first: str, before: str
) -> AsyncGenerator[dict[str, StreamFacts], None]:
    """Yield the facts of streams between two names, with the next page read ahead."""

    def read(after: tuple[str, int]) -> asyncio.Task[dict[str, StreamFacts]]:
        return asyncio.create_task(
            read_facts_by_stream(connection, after, before, until=until, limit=PAGE_EVENTS)
        )

    reading = read((first, 0))
    try:
        while page := await reading:
            last, (version, facts, _) = next(reversed(page.items()))
            reading = read((last, version + len(facts) - 1))
            yield page
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
