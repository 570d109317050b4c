"""The log, read stream by stream, so that each entity is folded once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from tracker.log.fact_reader import StreamFacts, read_facts_by_stream
from tracker.postgres.database import Connection

PAGE_EVENTS = 1000
"""Events per read."""
BEFORE_ALL_STREAMS, AFTER_ALL_STREAMS = "", "~"
"""Names before and after those of all streams, which begin with lowercase letters."""


async def whole_streams(
    connection: Connection, until: int
) -> AsyncGenerator[dict[str, StreamFacts], None]:
    """Yield the facts of streams up to a position, about a page of events at a time.

    All facts of a stream come together.
    """
    begun: dict[str, StreamFacts] = {}
    async with aclosing(_pages(connection, until)) as pages:
        async for page in pages:
            streams = begun | page
            for stream in begun.keys() & page.keys():
                first, then = begun[stream], page[stream]
                streams[stream] = StreamFacts(
                    first.version, first.facts + then.facts, first.size + then.size
                )
            begun = dict([streams.popitem()])  # the stream may continue
            if streams:
                yield streams
    if begun:
        yield begun


async def _pages(
    connection: Connection, until: int
) -> AsyncGenerator[dict[str, StreamFacts], None]:
    """Yield the facts stream by stream, with the next page read ahead."""

    def read(after: tuple[str, int]) -> asyncio.Task[dict[str, StreamFacts]]:
        return asyncio.create_task(
            read_facts_by_stream(
                connection, after, AFTER_ALL_STREAMS, until=until, limit=PAGE_EVENTS
            )
        )

    reading = read((BEFORE_ALL_STREAMS, 0))
    try:
        while page := await reading:
            last, (version, facts, _) = next(reversed(page.items()))
            reading = read((last, version + len(facts) - 1))
            yield page
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
