"""Wiring: the parts of a tracker on one database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from projections.as_of import AsOf
from projections.changes import Changes
from projections.projector import Projector, create_schema
from projections.rebuild import rebuild
from schema.context import Services
from tracker.commands import Commands
from tracker.log.database import TABLES, Pool, Target, connect, create_pool, create_tables
from tracker.log.follow import Follower
from tracker.log.recorder import Recorder


async def prepare(target: Target) -> None:
    """Create the tables that are missing; rebuild a projection that other code has made."""
    connection = await connect(target)
    try:
        await create_tables(connection, TABLES)
        current = await create_schema(connection)
    finally:
        await connection.close()
    if not current:
        await rebuild(target)


@asynccontextmanager
async def opened(target: Target) -> AsyncIterator[Pool]:
    """A pool on a database with its tables in place."""
    await prepare(target)
    pool = await create_pool(target)
    try:
        yield pool
    finally:
        await pool.close()


@asynccontextmanager
async def running(target: Target) -> AsyncIterator[Services]:
    """A whole tracker: it follows the log, projects it and answers."""
    async with opened(target) as pool:
        recorder = Recorder(pool)
        async with Follower(recorder, target) as follower, Projector(pool, follower) as projector:
            yield Services(recorder, follower, projector, Commands(recorder), AsOf(pool, recorder),
                           Changes(pool, recorder))
