"""Rebuild: the whole log folded into new tables, which then replace the live ones.

It uses the projector's fold and writer. Indexes are created at the end, and a projection may choose its
reading order. The live tables stay available until all new ones are complete; one transaction replaces all.
A crash before it leaves them unchanged, and the next rebuild drops unfinished tables in `projection_next`.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from typing import Any, TypeAlias

import asyncpg

from projections.runner.fingerprint import fingerprint
from projections.runner.folds import AnotherRelease, Fold, foreign_folds, read_folds
from projections.runner.projection import PAGE_EVENTS, Page, Projection
from projections.runner.release import RELEASE
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

SWAP_PAUSE_SECONDS = 2
"""Seconds between attempts to lock the live tables. Queries wait during an attempt (`limit_lock_wait`)."""
ANNOUNCEMENT_SECONDS = 0.1
"""Seconds before the commit of a replacement, in which servers of other releases stop to answer."""

Progress = Callable[[int], None]
Choice: TypeAlias = Callable[[list[Fold]], Iterable[Fold]]
"""The rows to replace, of all rows. It raises AnotherRelease to prevent a replacement."""
Attempts: TypeAlias = "dict[str, Projection[Any]]"
"""Projections by the names under which new tables are tracked."""


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

    With `only_empty`, tables that another process has filled meanwhile stay. Returns the last position.
    Raises as `rebuild_all`.
    """
    choice = _empty_of_this_code if only_empty else list
    return (await rebuild_all(target, [projection], progress, choice))[0].position


async def take_over(
    target: Target, projections: Sequence[Projection[Any]], progress: Progress = lambda _: None
) -> list[Fold]:
    """Rebuild all rows of releases with lower numbers, and swap them in together.

    Raises AnotherRelease if rows are of another release whose number is not lower, and as `rebuild_all`.
    """
    return await rebuild_all(target, projections, progress, _of_older_releases)


async def rebuild_all(
    target: Target,
    projections: Sequence[Projection[Any]],
    progress: Progress = lambda _: None,
    choice: Choice = list,
) -> list[Fold]:
    """Rebuild the tables of the chosen projections, and swap all in at once.

    `progress` gets the number of folded events after each page. Returns the rows afterwards. Raises
    connection errors if the database is lost.
    """
    async with AsyncExitStack() as stack:
        reader, writer = [await _connect_to_next_tables(target, stack) for _ in range(2)]
        await stack.enter_async_context(_lock_rebuilds(target, projections))
        chosen = {fold.projection for fold in choice(await read_folds(writer, projections))}
        attempts = {
            f"{each.name}/{secrets.token_hex(4)}": each
            for each in projections
            if each.name in chosen
        }
        if attempts:
            await _create_empty_tables(writer, attempts)
        count = 0
        for attempt, projection in attempts.items():
            until = await head(reader)
            count = await _fill(reader, writer, projection, attempt, until, count, progress)
            tables = projection.tables
            for group in (tables.indexes, [f"ANALYZE {table}" for table in tables.names]):
                await asyncio.gather(*[_execute(target, attempt, each) for each in group])
        while any([await _project_page(writer, *each) for each in attempts.items()]):
            pass
        await _swap(reader, writer, projections, attempts, choice)
        return await read_folds(writer, projections)


def _empty_of_this_code(folds: list[Fold]) -> Iterable[Fold]:
    """Choose rows at position 0. Raises AnotherRelease."""
    if foreign := foreign_folds(folds):
        raise AnotherRelease(foreign)
    return [fold for fold in folds if not fold.position]


def _of_older_releases(folds: list[Fold]) -> Iterable[Fold]:
    """Choose rows of older releases, and with them empty ones. Raises AnotherRelease."""
    foreign = foreign_folds(folds)
    if not all(fold.is_older for fold in foreign):
        raise AnotherRelease(foreign)
    return [fold for fold in folds if foreign and not (fold.is_own and fold.position)]


async def _connect_to_next_tables(target: Target, stack: AsyncExitStack) -> Connection:
    """Open a connection to the tables in `projection_next`, until the stack closes."""
    connection = await connect(target, role=PROJECTOR)
    stack.push_async_callback(connection.close)
    await connection.execute("SET search_path TO projection_next, public")
    return connection


@asynccontextmanager
async def _lock_rebuilds(
    target: Target, projections: Iterable[Projection[Any]]
) -> AsyncIterator[None]:
    """Wait until no other process rebuilds the projections, and hold their locks for a block.

    A stopped process loses its locks after a while, so that another one can begin.
    """
    async with AsyncExitStack() as stack:
        connection = await _connect_to_next_tables(target, stack)
        await connection.execute(SQL.end_silent_session, SILENCE_TIMEOUT_SETTING)
        for name in sorted(each.name for each in projections):  # in one order: no deadlock
            await connection.execute(SQL.take_rebuild, name)
        keeping = asyncio.create_task(_keep_alive(connection))
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)


async def _create_empty_tables(connection: Connection, attempts: Attempts) -> None:
    """Begin attempts: drop tables of earlier ones, and create tables without indexes."""
    async with connection.transaction():
        older_tracking_exists = await connection.fetchval(SQL.older_tracking_exists)
        for attempt, projection in attempts.items():
            await connection.execute(SQL.end_rebuilds, projection.name)
            if older_tracking_exists:
                await connection.execute(SQL.end_older_rebuilds, projection.name)
            names = projection.tables.names
            await connection.execute(await connection.fetchval(SQL.drop_next_tables, names))
            await connection.execute(projection.tables.create)
            await begin_tracking(connection, projection, attempt)


async def _keep_alive(connection: Connection) -> None:
    """Keep the connection alive with a periodic query."""
    with suppress(*CONNECTION_ERRORS):  # `_ours` then detects another rebuild
        while True:
            await asyncio.sleep(SILENCE_TIMEOUT_SECONDS / 4)
            await connection.execute("SELECT 1")


@asynccontextmanager
async def _ours(
    connection: Connection, *attempts: str, limit: str = SILENCE_TIMEOUT_SETTING
) -> AsyncIterator[None]:
    """Run a transaction with a timeout on tables in `projection_next` that belong to attempts.

    A stopped rebuild has lost its lock, and another may have created tables with the same names. The
    first must not write to these. The other one waits for the end of this transaction. Raises
    Overtaken.
    """
    async with connection.transaction():
        for attempt in attempts:
            if await connection.fetchval(SQL.hold_rebuild, attempt, limit) is None:
                raise Overtaken("another rebuild has begun")
        yield


async def _fill(
    reader: Connection,
    writer: Connection,
    projection: Projection[Any],
    attempt: str,
    until: int,
    count: int,
    progress: Progress,
) -> int:
    """Write all events up to a position. A page is written while the next one is folded.

    Returns the number of folded events; `count` is that of the projections before.
    """
    await writer.execute("SET synchronous_commit TO off")  # a crash restarts the rebuild anyway
    writing = asyncio.create_task(asyncio.sleep(0))
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
    return count


async def _write(
    connection: Connection, projection: Projection[Any], attempt: str, page: Page
) -> None:
    async with _ours(connection, attempt):
        await projection.write_page(connection, page)


async def _execute(target: Target, attempt: str, statements: str) -> None:
    """Execute statements on new tables over another connection, without a timeout."""
    async with AsyncExitStack() as stack:
        connection = await _connect_to_next_tables(target, stack)
        async with _ours(connection, attempt, limit="0"):
            await connection.execute(statements)


async def _project_page(connection: Connection, attempt: str, projection: Projection[Any]) -> int:
    """Project one page of events appended in the meantime."""
    async with _ours(connection, attempt):
        return await project_page(connection, projection, attempt, limit=PAGE_EVENTS)


async def _swap(
    other: Connection,
    connection: Connection,
    projections: Sequence[Projection[Any]],
    attempts: Attempts,
    choice: Choice,
) -> None:
    """Replace the live tables once no query uses them; queueing for the lock would block others."""
    while attempts:
        try:
            return await _try_to_swap(other, connection, projections, attempts, choice)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            await asyncio.sleep(SWAP_PAUSE_SECONDS)


async def _try_to_swap(
    other: Connection,
    connection: Connection,
    projections: Sequence[Projection[Any]],
    attempts: Attempts,
    choice: Choice,
) -> None:
    """Replace the live tables and their contents while no projector runs.

    PostgreSQL notifies only after it has deleted the replaced tables, which can take seconds. So servers
    of other releases are notified over another connection before the commit, while their queries wait.
    """
    async with _ours(connection, *attempts):
        for projection in projections:
            await connection.execute(SQL.wait_turn, projection.name)
        if not choice(await read_folds(connection, projections)):
            return  # another process has replaced them
        while any(
            [
                await project_page(connection, projection, attempt, limit=PAGE_EVENTS)
                for attempt, projection in attempts.items()
            ]
        ):
            pass
        await connection.execute(SQL.limit_lock_wait)
        for projection in attempts.values():
            await connection.execute(
                await connection.fetchval(SQL.replace_live_tables, projection.tables.names)
            )
        if await connection.fetchval(SQL.older_tracking_exists):
            await connection.execute(SQL.refuse_older_releases)
        await connection.execute(SQL.hold_tracking)
        for attempt, projection in attempts.items():
            name, fold = projection.name, fingerprint(projection)
            await connection.execute(SQL.replace_tracking, name, attempt)
            await connection.execute(SQL.notify_replaced, name)
            await other.execute(SQL.announce_replacement, name, fold, RELEASE)
        await asyncio.sleep(ANNOUNCEMENT_SECONDS)
