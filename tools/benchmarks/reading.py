"""Methods to read a log: the events of the corpus, repeated, in pages of 1,000."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib import import_module

from eventsourcing.persistence import StoredEvent

from tests.support.log_events import append_all
from tools.benchmarks.library import library
from tools.benchmarks.load import Load, corpus, rate, threaded_rate
from tracker.log.recorder import PAGE_EVENTS, Recorder
from tracker.postgres.database import Pool, Target, create_pool

RAW = "SELECT position, entry FROM log.events WHERE position > $1 ORDER BY position LIMIT $2"


async def pages(target: Target, count: int, seconds: float) -> float:
    """Read pages with `Recorder.read`, as integrations and proofs do, with facts decoded on demand."""

    async def once(recorder: Recorder, _: Pool) -> None:
        after = 0
        while events := await recorder.read(after):
            after = events[-1].position

    return await _passes(target, count, seconds, once)


async def facts(target: Target, count: int, seconds: float) -> float:
    """Read pages with every fact decoded and checked, as folds do."""

    async def once(recorder: Recorder, _: Pool) -> None:
        after = 0
        while events := await recorder.read(after):
            after = [event.fact and event.position for event in events][-1]

    return await _passes(target, count, seconds, once)


async def stream(target: Target, count: int, seconds: float) -> float:
    """Read events with `Recorder.read_all`, as replays do."""

    async def once(recorder: Recorder, _: Pool) -> None:
        async for _event in recorder.read_all(count):
            pass

    return await _passes(target, count, seconds, once)


async def raw(target: Target, count: int, seconds: float) -> float:
    """Read only the rows."""

    async def once(_: Recorder, pool: Pool) -> None:
        after = 0
        while rows := await pool.fetch(RAW, after, PAGE_EVENTS):
            after = rows[-1]["position"]

    return await _passes(target, count, seconds, once)


async def notifications(target: Target, count: int, seconds: float, module: str) -> float:
    """Read the library's notifications of the same entries as bytes."""
    async with _corpus(target, count) as (recorder, _):
        events = [event async for event in recorder.read_all(count)]
    with library(target, module) as peer:
        stored = [StoredEvent(e.stream, e.version, e.type, e.entry) for e in events]
        for start in range(0, count, 100):  # a single call would take minutes
            peer.insert_events(stored[start : start + 100])

        def once(_: str) -> None:
            after = 0
            while page := peer.select_notifications(after, PAGE_EVENTS, inclusive_of_start=False):
                after = page[-1].id

        return await threaded_rate(Load(size=count, seconds=seconds), once)


async def feed(target: Target, count: int, seconds: float) -> float:
    """Read the global feed of eventsource-py, with entries as decoded texts of its own events."""
    peer = import_module("tools.benchmarks.eventsource")
    async with _corpus(target, count) as (recorder, _):
        contents = [event.entry.decode() async for event in recorder.read_all(count)]
    figure: float = await peer.read(target, contents, seconds)
    return figure


@asynccontextmanager
async def _corpus(target: Target, count: int) -> AsyncIterator[tuple[Recorder, Pool]]:
    """Open a log with the first `count` events of the corpus."""
    pool = await create_pool(target)
    try:
        recorder = Recorder(pool)
        await append_all(recorder, corpus(count))
        yield recorder, pool
    finally:
        await pool.close()


async def _passes(
    target: Target, count: int, seconds: float, once: Callable[[Recorder, Pool], Awaitable[None]]
) -> float:
    async with _corpus(target, count) as (recorder, pool):
        return await rate(Load(size=count, seconds=seconds), lambda _: once(recorder, pool))
