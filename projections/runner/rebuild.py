"""Rebuild: the whole log folded into new tables, which then replace the live ones.

It uses the projector's fold and writer. Indexes are created at the end, and a projection may choose its
reading order. The live tables stay available. A crash before the swap leaves them unchanged, and the
next rebuild drops unfinished tables in `projection_next`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from typing import Any

import asyncpg

from projections.runner.projection import PAGE_EVENTS, Page, Projection
from projections.runner.tables import SQL, advance, begin_tracking, project_page
from tracker.log.durability import head
from tracker.postgres.database import (
    CONNECTION_ERRORS,
    PROJECTOR,
    SILENCE_TIMEOUT_SETTING,
    Connection,
    Target,
    connect,
)
from tracker.postgres.session_settings import SILENCE_TIMEOUT_SECONDS

Progress = Callable[[int], None]


class Overtaken(ConnectionError):
    """The error if another rebuild has replaced the tables in `projection_next`."""


async def rebuild(
    target: Target,
    projection: Projection[Any],
    progress: Progress = lambda _: None,
    *,
    only_empty: bool = False,
) -> int:
    """Rebuild the tables of a projection from the log and swap them in.

    `progress` gets the number of folded events after each page. With `only_empty`, tables that another
    process has filled meanwhile stay. Returns the last position. Raises connection errors if the
    database is lost.
    """
    async with AsyncExitStack() as stack:
        reader, writer = [await _connect_to_next_tables(target, stack) for _ in range(2)]
        await stack.enter_async_context(_lock_rebuild(target, projection))
        if only_empty and (position := await reader.fetchval(SQL.position, projection.name)):
            return int(position)
        attempt = await _create_empty_tables(writer, projection)
        until = await head(reader)
        await _fill(reader, writer, projection, attempt, until, progress)
        await asyncio.gather(
            *[_index(target, attempt, statements) for statements in projection.tables.indexes]
        )
        await writer.execute(await writer.fetchval(SQL.analyze_tables, projection.tables.names))
        while await _project_page(writer, projection, attempt):
            pass
        return await _swap(writer, projection, attempt)


async def _connect_to_next_tables(target: Target, stack: AsyncExitStack) -> Connection:
    """Open a connection to the tables in `projection_next`, until the stack closes."""
    connection = await connect(target, role=PROJECTOR)
    stack.push_async_callback(connection.close)
    await connection.execute("SET search_path TO projection_next, public")
    return connection


@asynccontextmanager
async def _lock_rebuild(target: Target, projection: Projection[Any]) -> AsyncIterator[None]:
    """Wait until no other process rebuilds the projection, and hold its lock for the duration of a block.

    A stopped process loses its lock after a while, so that another one can begin.
    """
    async with AsyncExitStack() as stack:
        connection = await _connect_to_next_tables(target, stack)
        await connection.execute(SQL.take_rebuild, projection.name, SILENCE_TIMEOUT_SETTING)
        keeping = asyncio.create_task(_keep_alive(connection))
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)


async def _create_empty_tables(connection: Connection, projection: Projection[Any]) -> str:
    """Begin an attempt: drop tables of earlier ones, and create tables without indexes."""
    attempt = f"{projection.name}/{secrets.token_hex(4)}"
    async with connection.transaction():
        await connection.execute(SQL.end_rebuilds, projection.name)
        if await connection.fetchval(SQL.older_tracking_exists):
            await connection.execute(SQL.end_older_rebuilds, projection.name)
        names = projection.tables.names
        await connection.execute(await connection.fetchval(SQL.drop_next_tables, names))
        await connection.execute(projection.tables.create)
        await begin_tracking(connection, projection, attempt)
    return attempt


async def _keep_alive(connection: Connection) -> None:
    """Keep the connection alive with a periodic query."""
    with suppress(*CONNECTION_ERRORS):  # `_ours` then detects another rebuild
        while True:
            await asyncio.sleep(SILENCE_TIMEOUT_SECONDS / 4)
            await connection.execute("SELECT 1")


@asynccontextmanager
async def _ours(
    connection: Connection, attempt: str, limit: str = SILENCE_TIMEOUT_SETTING
) -> AsyncIterator[None]:
    """Run a transaction with a timeout on tables in `projection_next` that belong to an attempt.

    A stopped rebuild has lost its lock, and another may have created tables with the same names. The
    first must not write to these. The other one waits for the end of this transaction. Raises
    Overtaken.
    """
    async with connection.transaction():
        if await connection.fetchval(SQL.hold_rebuild, attempt, limit) is None:
            raise Overtaken("another rebuild has begun")
        yield


async def _fill(
    reader: Connection,
    writer: Connection,
    projection: Projection[Any],
    attempt: str,
    until: int,
    progress: Progress,
) -> None:
    """Write all events up to a position. A page is written while the next one is folded."""
    await writer.execute("SET synchronous_commit TO off")  # a crash restarts the rebuild anyway
    writing, count = asyncio.create_task(asyncio.sleep(0)), 0
    try:
        async with aclosing(projection.fold_all(reader, until)) as pages:
            async for page in pages:
                await writing
                writing = asyncio.create_task(_write(writer, projection, attempt, page))
                count += page.count
                progress(count)
        await writing
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
    async with _ours(writer, attempt):
        await advance(writer, attempt, Page(0, until, until))
    await writer.execute("RESET synchronous_commit")


async def _write(
    connection: Connection, projection: Projection[Any], attempt: str, page: Page
) -> None:
    async with _ours(connection, attempt):
        await projection.write_page(connection, page)


async def _index(target: Target, attempt: str, statements: str) -> None:
    """Create indexes, without a timeout."""
    async with AsyncExitStack() as stack:
        connection = await _connect_to_next_tables(target, stack)
        async with _ours(connection, attempt, "0"):
            await connection.execute(statements)


async def _project_page(connection: Connection, projection: Projection[Any], attempt: str) -> int:
    """Project one page of events appended in the meantime."""
    async with _ours(connection, attempt):
        return await project_page(connection, projection, attempt, limit=PAGE_EVENTS)


async def _swap(connection: Connection, projection: Projection[Any], attempt: str) -> int:
    """Replace the live tables once no query uses them; queueing for the lock would block others."""
    while True:
        try:
            return await _try_to_swap(connection, projection, attempt)
        except asyncpg.LockNotAvailableError:
            await asyncio.sleep(0.1)


async def _try_to_swap(connection: Connection, projection: Projection[Any], attempt: str) -> int:
    """Replace the live tables and their contents while no projector runs."""
    name, tables = projection.name, projection.tables.names
    async with _ours(connection, attempt):
        await connection.execute(SQL.wait_turn, name)
        while await project_page(connection, projection, attempt, limit=PAGE_EVENTS):
            pass
        position = int(await connection.fetchval(SQL.position, attempt))
        await connection.execute(SQL.limit_lock_wait)
        await connection.execute(await connection.fetchval(SQL.replace_live_tables, tables))
        await connection.execute(SQL.replace_tracking, name, attempt)
        if await connection.fetchval(SQL.older_tracking_exists):
            await connection.execute(SQL.refuse_older_releases)
        await connection.execute(SQL.notify_replaced, name)
    return position
