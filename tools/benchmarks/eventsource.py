"""Benchmarks of eventsource-py: its PostgreSQL store over SQLAlchemy and asyncpg."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
from eventsource import (
    DomainEvent,
    EventRegistry,
    ExpectedVersion,
    FeedReadOptions,
    PostgreSQLEventStore,
    StreamId,
    create_async_engine,
)

from tools.benchmarks.load import DATA, Load, rate
from tracker.postgres.database import Target

CATEGORY = "ExportControl"
PAGE = 1000


class Recorded(DomainEvent):
    """An event with its own content, in a form that needs no parsing."""

    aggregate_type: str = CATEGORY
    content: str


@asynccontextmanager
async def opened(target: Target, connections: int = 1) -> AsyncIterator[PostgreSQLEventStore]:
    """Open the store on its own tables."""
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: asyncpg.connect(**target),
        pool_size=connections,
        max_overflow=0,
    )
    registry = EventRegistry()
    registry.register(Recorded)
    try:
        yield PostgreSQLEventStore(engine, registry, create_schema=True)
    finally:
        await engine.dispose()


async def add(store: PostgreSQLEventStore, contents: Sequence[str]) -> None:
    """Append a new stream."""
    stream = StreamId(uuid4(), CATEGORY)
    events = [
        Recorded(aggregate_id=stream.aggregate_id, aggregate_version=version, content=content)
        for version, content in enumerate(contents, 1)
    ]
    await store.append(stream, events, ExpectedVersion.no_stream())


async def append(target: Target, load: Load) -> float:
    """Append the commands of the load, with one connection per writer."""
    contents = [DATA.decode()] * load.size
    async with opened(target, load.connections) as store:
        return await rate(load, lambda _: add(store, contents))


async def read(target: Target, contents: Sequence[str], seconds: float) -> float:
    """Read its global feed of these contents in pages, with decoded events."""
    async with opened(target) as store:
        for start in range(0, len(contents), 100):
            await add(store, contents[start : start + 100])

        async def once(_: str) -> None:
            position, more = None, True
            while more:
                more = False
                async for event in store.read_all(position, FeedReadOptions(limit=PAGE)):
                    position, more = event.position, True

        return await rate(Load(size=len(contents), seconds=seconds), once)
