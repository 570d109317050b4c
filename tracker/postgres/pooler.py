"""Check of a connection pooler, before the first query.

A pooler lends a connection to PostgreSQL for the length of a transaction. Session state (settings, LISTEN,
locks) is lost with it, and so are prepared statements, unless the pooler recreates them.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from tracker.postgres import database
from tracker.postgres.session_settings import UnsuitableConnection

ANSWER_TIMEOUT_SECONDS = 10
"""Timeout of a step in seconds: the pooler may have to connect, or to wait for other clients."""
MAX_MOVES = 20
"""Maximum number of moves of a statement, until it is on a connection that has not prepared it."""
CHANNEL = "tracker_pooler"

SQL = database.named_queries(Path(__file__).with_name("pooler.sql"))


async def check_pooler(pooled: database.Target, direct: database.Target) -> None:
    """Raise UnsuitableConnection if a pooler does not support the queries of the API.

    Also raise it if the direct route leads to another database. The message contains the remedy.
    """
    try:
        async with _two_connections(pooled) as pair:
            await _check_statements(*pair)
            await _check_notifications(pair[0], direct)
    except (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError) as error:
        raise UnsuitableConnection(
            f"The pooler loses prepared statements ({error}): PgBouncer 1.21 and newer keep them"
            " with max_prepared_statements = 500",
            code="POOLER_LOSES_STATEMENTS",
        ) from error


@asynccontextmanager
async def _two_connections(pooled: database.Target) -> AsyncIterator[tuple[Any, Any]]:
    pool = await database.create_pool(pooled, size=2, pooled=True, seconds=ANSWER_TIMEOUT_SECONDS)
    async with pool, pool.acquire() as one, pool.acquire() as other:
        yield one, other


async def _check_statements(one: Any, other: Any) -> None:
    """Use a statement over another connection to PostgreSQL than the one that prepared it.

    A transaction stays on its connection, and two concurrent transactions have two.
    """
    async with _at_once(one, other):
        homes = {each: await each.fetchval(SQL.backend) for each in (one, other)}
        trials = {each: await each.prepare(SQL.trial) for each in (one, other)}
    for number in range(MAX_MOVES):
        async with _at_once(*((one, other) if number % 2 else (other, one))):
            for each in (one, other):
                if await each.fetchval(SQL.backend) != homes[each]:
                    await trials[each].fetchval("moved")
                    return
    # It never moved: the pooler lends connections for sessions, so statements remain valid.


@asynccontextmanager
async def _at_once(*connections: Any) -> AsyncIterator[None]:
    """Open a transaction over each of some connections. Raises UnsuitableConnection if a pooler has fewer."""
    async with AsyncExitStack() as transactions:
        try:
            for each in connections:
                await transactions.enter_async_context(each.transaction())
        except (
            database.CONNECTION_ERRORS
        ) as error:  # TimeoutError is an OSError, and the pooler may end the wait
            raise UnsuitableConnection(
                f"The pooler has no {len(connections)} connections to PostgreSQL for us: raise its"
                f" default_pool_size, or wait until others leave it some ({error!r})",
                code="POOLER_TOO_SMALL",
            ) from error
        yield


async def _check_notifications(pooled: Any, direct: database.Target) -> None:
    """Check that the direct route receives notifications sent through the pooler."""
    listening = await database.connect(direct, role=database.API)
    try:
        sent, heard = secrets.token_hex(), asyncio.Event()
        await listening.add_listener(
            CHANNEL, lambda _0, _1, _2, payload: heard.set() if payload == sent else None
        )
        async with pooled.transaction():
            await pooled.execute(SQL.forget_standbys)
            await pooled.fetchval(SQL.notify, CHANNEL, sent)
        async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS):
            await heard.wait()
    except (TimeoutError, asyncpg.ReadOnlySQLTransactionError) as error:
        raise UnsuitableConnection(
            "Notifications through the pooler do not arrive over TRACKER_DIRECT_URL: they lead to"
            " different databases, or TRACKER_DIRECT_URL leads to a pooler too",
            code="POOLER_LEADS_ELSEWHERE",
        ) from error
    finally:
        listening.terminate()
