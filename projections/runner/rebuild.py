"""Rebuild: the whole log folded into fresh tables, which then take the place of the live ones.

The fold is the projector's, and so is what writes its pages; only the indexes are made at the end, and
a projection may read the log in an order that suits it. The live tables answer all the while. A crash
before the swap leaves them as they are, and half-made tables in `projection_next` that the next rebuild
drops.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from typing import Any

import asyncpg

from projections.runner.projection import PAGE_EVENTS, Page, Projection
from projections.runner.tables import SQL, begin_tracking, project_page
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
    """Another rebuild has begun: the tables in `projection_next` are not ours any more."""


async def rebuild(
    target: Target, projection: Projection[Any], progress: Progress = lambda _: None
) -> int:
    """Make the tables of a projection anew from the log and put them in place of the old ones.

    `progress` gets how many events are folded, page by page. Returns the last position. Raises what
    connections raise when the database is lost.
    """
    async with AsyncExitStack() as stack:
        reader, writer = [await _connect_to_next_tables(target, stack) for _ in range(2)]
        attempt = await stack.enter_async_context(_begin(target, projection))
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
    """A connection that works on the tables in `projection_next`, until the stack ends."""
    connection = await connect(target, role=PROJECTOR)
    stack.push_async_callback(connection.close)
    await connection.execute("SET search_path TO projection_next, public")
    return connection


@asynccontextmanager
async def _begin(target: Target, projection: Projection[Any]) -> AsyncIterator[str]:
    """An attempt to rebuild, once no other process is at one, for the length of a block: its name.

    A process that is stopped loses its lock after a while, so that another one can begin.
    """
    async with AsyncExitStack() as stack:
        connection = await _connect_to_next_tables(target, stack)
        await connection.execute(SQL.take_rebuild, projection.name, SILENCE_TIMEOUT_SETTING)
        attempt = await _create_empty_tables(connection, projection)
        keeping = asyncio.create_task(_keep_alive(connection))
        try:
            yield attempt
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)


async def _create_empty_tables(connection: Connection, projection: Projection[Any]) -> str:
    """Begin an attempt: drop what earlier ones have left, and create tables without indexes."""
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
    """Show PostgreSQL again and again that this process is still there."""
    with suppress(*CONNECTION_ERRORS):  # then `_ours` sees whether another rebuild has begun
        while True:
            await asyncio.sleep(SILENCE_TIMEOUT_SECONDS / 4)
            await connection.execute("SELECT 1")


@asynccontextmanager
async def _ours(
    connection: Connection, attempt: str, limit: str = SILENCE_TIMEOUT_SETTING
) -> AsyncIterator[None]:
    """A transaction of limited time on tables in `projection_next`, while they are those of an
    attempt.

    A rebuild that was stopped has lost its lock, and another may have begun meanwhile, with tables
    of its own under the same names: what is left of the first must not write into these. The other
    one waits for the end of this transaction. Raises Overtaken.
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
    await writer.execute("SET synchronous_commit TO off")  # a crash before the swap costs all
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
        await writer.execute(SQL.advance, attempt, until)
    await writer.execute("RESET synchronous_commit")


async def _write(
    connection: Connection, projection: Projection[Any], attempt: str, page: Page
) -> None:
    async with _ours(connection, attempt):
        await projection.write_page(connection, page)


async def _index(target: Target, attempt: str, statements: str) -> None:
    """Make indexes, for as long as it takes."""
    async with AsyncExitStack() as stack:
        connection = await _connect_to_next_tables(target, stack)
        async with _ours(connection, attempt, "0"):
            await connection.execute(statements)


async def _project_page(connection: Connection, projection: Projection[Any], attempt: str) -> int:
    """Project what was appended meanwhile, a page of it."""
    async with _ours(connection, attempt):
        return await project_page(connection, projection, attempt, limit=PAGE_EVENTS)


async def _swap(connection: Connection, projection: Projection[Any], attempt: str) -> int:
    """Replace the live tables once no query uses them; waiting in line would make others wait."""
    while True:
        try:
            return await _try_to_swap(connection, projection, attempt)
        except asyncpg.LockNotAvailableError:
            await asyncio.sleep(0.1)


async def _try_to_swap(connection: Connection, projection: Projection[Any], attempt: str) -> int:
    """Replace the live tables, with all that they have, while no projector runs."""
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
