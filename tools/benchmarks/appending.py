"""Append methods: our log, plain INSERT and COPY as the limits, the eventsourcing library."""

import time

from eventsourcing.persistence import StoredEvent

from tests.support.log_events import append_all
from tools.benchmarks.library import library
from tools.benchmarks.load import DATA, ENTRY, TYPE, Load, entry_of, new_events, rate, threaded_rate
from tracker import clock
from tracker.log.entries import NewEvent
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target, connect, create_pool

PLAIN = """CREATE TABLE plain (position bigserial PRIMARY KEY, event_id text UNIQUE, stream text,
           version integer, entry bytea, UNIQUE (stream, version))"""
INSERT = "INSERT INTO plain (event_id, stream, version, entry) VALUES ($1, $2, $3, $4)"
COPIED = "CREATE TABLE copied (LIKE log.events INCLUDING ALL)"
COLUMNS = ("position", "event_id", "stream", "version", "type", "recorded_at", "entry")


async def recorder(target: Target, load: Load) -> float:
    """Append to our log, with the pool of an API process."""
    pool = await create_pool(target)
    try:
        log = Recorder(pool)
        return await rate(load, lambda name: log.append(new_events(name, load.size)))
    finally:
        await pool.close()


async def plain(target: Target, load: Load) -> float:
    """Append without checks or order, one transaction per command and one connection per writer."""
    pool = await create_pool(target, role=None, size=load.connections)
    try:
        await pool.execute(PLAIN)
        if load.size == 1:
            return await rate(load, lambda name: pool.execute(INSERT, name, name, 1, ENTRY))
        versions = range(1, load.size + 1)
        return await rate(
            load,
            lambda name: pool.executemany(
                INSERT, [(f"{name}-{version}", name, version, ENTRY) for version in versions]
            ),
        )
    finally:
        await pool.close()


async def stored(target: Target, load: Load, module: str, **settings: str) -> float:
    """Append with the library's application recorder of a persistence module, from threads."""
    versions = range(1, load.size + 1)
    with library(target, module, POSTGRES_POOL_SIZE=str(load.connections), **settings) as recorder:
        return await threaded_rate(
            load,
            lambda name: recorder.insert_events(
                [StoredEvent(name, version, TYPE, DATA) for version in versions]
            ),
        )


async def bulk(target: Target, count: int) -> float:
    """Import events: checked, ordered, in one transaction."""
    events = _many(count)
    pool = await create_pool(target)
    try:
        start = time.perf_counter()
        await append_all(Recorder(pool), events)
        return count / (time.perf_counter() - start)
    finally:
        await pool.close()


async def copy(target: Target, count: int) -> float:
    """COPY the same rows into the same table without its triggers."""
    now = clock.now()
    rows = [
        (position, e.event_id, e.stream, e.version, e.type, now, entry_of(e, position))
        for position, e in enumerate(_many(count), 1)
    ]
    connection = await connect(target)
    try:
        await connection.execute(COPIED)
        start = time.perf_counter()
        await connection.copy_records_to_table("copied", records=rows, columns=COLUMNS)
        return count / (time.perf_counter() - start)
    finally:
        await connection.close()


def _many(count: int) -> list[NewEvent]:
    """Return `count` events, in streams of up to 100."""
    return [
        event
        for start in range(0, count, 100)
        for event in new_events(f"s{start}", min(100, count - start))
    ]
