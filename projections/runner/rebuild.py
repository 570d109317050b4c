"""Rebuild: every entity folded once into fresh tables, then a swap.

The fold is the projector's, and so are the rows; only the log is read entity by entity, in several
processes if it is long, and the indexes are made in the end. The live tables answer all the while.
A crash before the swap leaves them as they are, and half-made tables in `projection_next` that the
next rebuild drops.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import pairwise

import asyncpg

from projections.runner.batch import SQL
from projections.runner.projector import TABLES, create_bare_tables, project_page
from projections.runner.rebuild_worker import BEHIND, FIRST, Share, fill, on_next_tables, ours
from projections.runner.worker import Helper, HelperFailed
from tracker.log.fact_reader import between
from tracker.log.recorder import head
from tracker.postgres.database import (
    CONNECTION_ERRORS,
    SILENCE_TIMEOUT_SECONDS,
    SILENCE_TIMEOUT_SETTING,
    Connection,
    Target,
)

SHARE = 50_000
"""Events for which a process is worth its start: about two seconds of work."""
PROCESSES = min(os.cpu_count() or 1, 8)
"""How many processes fold a long log; PostgreSQL works as hard beside them."""

logger = logging.getLogger(__name__)

Progress = Callable[[int], None]


async def rebuild(
    target: Target, progress: Progress = lambda _: None, processes: int = PROCESSES
) -> int:
    """Make the version rows anew from the log and put them in place of the old ones.

    `progress` gets how many events are folded, page by page. A long log is folded in up to so many
    processes. Returns the last position. Raises what connections raise when the database is lost.
    """
    async with AsyncExitStack() as stack:
        connection, other = [await on_next_tables(target, stack) for _ in range(2)]
        turn = await stack.enter_async_context(_turn(target))
        until = await head(connection)
        tables = await turn.begin()
        try:
            shares = await _shares(connection, until, tables)
            await _fill(target, shares, _summed(progress), processes)
        except HelperFailed as error:
            logger.warning("the projection is made by this process alone: %s", error)
            tables = await turn.begin()
            await fill(target, await _shares(connection, until, tables), _summed(progress))
        async with ours(connection, tables):
            await connection.execute(SQL.advance, until)
        await asyncio.gather(
            _index(connection, tables, TABLES.create_version_indexes),
            _index(other, tables, TABLES.create_finding_indexes),
        )
        await connection.execute("ANALYZE versions, elements, subjects, texts")
        while await _page(connection, tables):
            pass
        return await _swap(connection, tables)


class Turn:
    """The turn to rebuild. It is lost by whoever is stopped, so that others can."""

    def __init__(self, connection: Connection):
        self._connection = connection
        self._using = asyncio.Lock()

    async def begin(self) -> int:
        """Make bare tables, whatever was there, if the turn is still ours; which ones they are."""
        async with self._using, self._connection.transaction():
            await self._connection.execute(TABLES.drop_tables)
            await create_bare_tables(self._connection)
            return int(await self._connection.fetchval(SQL.next_tables, "0"))

    async def keep(self) -> None:
        """Tell PostgreSQL again and again that we are still there."""
        with suppress(*CONNECTION_ERRORS):  # then `ours` sees whether another rebuild has begun
            while True:
                await asyncio.sleep(SILENCE_TIMEOUT_SECONDS / 4)
                async with self._using:
                    await self._connection.execute("SELECT 1")


@asynccontextmanager
async def _turn(target: Target) -> AsyncIterator[Turn]:
    """Our turn, once nobody else has it, for the length of a block."""
    async with AsyncExitStack() as stack:
        connection = await on_next_tables(target, stack)
        await connection.execute(SQL.take_rebuild, SILENCE_TIMEOUT_SETTING)
        turn = Turn(connection)
        keeping = asyncio.create_task(turn.keep())
        try:
            yield turn
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)


async def _index(connection: Connection, tables: int, statements: str) -> None:
    """Make indexes, for as long as it takes."""
    async with ours(connection, tables, "0"):
        await connection.execute(statements)


async def _shares(connection: Connection, until: int, tables: int) -> list[Share]:
    """The log up to a position in parts of about `SHARE` events, for these tables."""
    names = await between(connection, until // SHARE + 1)
    return [Share(low, high, until, tables) for low, high in pairwise([FIRST, *names, BEHIND])]


def _summed(progress: Progress) -> Progress:
    """Tells the sum of the counts that it gets."""
    folded = 0

    def add(count: int) -> None:
        nonlocal folded
        folded += count
        progress(folded)

    return add


async def _fill(target: Target, shares: list[Share], progress: Progress, processes: int) -> None:
    """Add the rows of all shares, in this process if it is one share or one process."""
    processes = min(processes, len(shares))
    if processes == 1:
        return await fill(target, shares, progress)
    waiting = iter(shares)
    working = [asyncio.create_task(_hand_out(target, waiting, progress)) for _ in range(processes)]
    try:
        await asyncio.gather(*working)
    finally:
        for work in working:
            work.cancel()
        await asyncio.gather(*working, return_exceptions=True)


async def _hand_out(target: Target, waiting: Iterator[Share], progress: Progress) -> None:
    """Have a helper do one share after the other, as long as some are waiting."""
    async with Helper.begun("projections.runner.rebuild_worker", target) as helper:
        for share in waiting:
            helper.ask(share)
            while count := await helper.answer():
                progress(count)


async def _page(connection: Connection, tables: int) -> int:
    """Project what came meanwhile, a page of it."""
    async with ours(connection, tables):
        return await project_page(connection)


async def _swap(connection: Connection, tables: int) -> int:
    """Take the place of the live tables once nobody uses them; at once would make others wait."""
    while True:
        try:
            return await _try_to_swap(connection, tables)
        except asyncpg.LockNotAvailableError:
            await asyncio.sleep(0.1)


async def _try_to_swap(connection: Connection, tables: int) -> int:
    """Take the place of the live tables, with all that they have, while no other projector runs."""
    async with ours(connection, tables):
        await connection.execute(SQL.wait_turn)
        while await project_page(connection):
            pass
        position = int(await connection.fetchval(SQL.position))
        await connection.execute(SQL.be_brief)
        await connection.execute(TABLES.replace_live)
        await connection.execute(SQL.replaced)
    return position
