"""Commits that wait for a missing standby."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from deploy.bootstrap import open_connection
from tests.support.time_limits import within
from tracker.errors import Unavailable
from tracker.postgres.batching import UnconfirmedCommit
from tracker.postgres.database import Target

Result = TypeVar("Result")

WAITING = (
    "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = current_database()"
)


CANCEL, TERMINATE = "pg_cancel_backend", "pg_terminate_backend"


async def wait_for_nobody(target: Target, standby: Callable[[str], None], admin: Any) -> None:
    """Make every commit wait for a missing standby.

    The checkpointer passes the setting on some time after it is visible. So commits are tried until one
    waits.
    """
    await asyncio.to_thread(standby, "nobody")
    async with open_connection(target) as trial, asyncio.timeout(within(20)):
        while True:
            commit = asyncio.ensure_future(
                trial.execute("SELECT pg_logical_emit_message(true, 'test', '')")
            )
            while not commit.done() and await admin.fetchval(WAITING) is None:
                await asyncio.sleep(0.01)
            if not commit.done():
                await admin.execute(f"SELECT pg_cancel_backend(pid) FROM ({WAITING}) AS waiting")
                await commit
                return


async def cut_short(admin: Any, end: str, doing: asyncio.Future[Any]) -> None:
    """Cancel all waits for a standby, until some work is done."""
    async with asyncio.timeout(within(20)):
        while not doing.done():
            for row in await admin.fetch(WAITING):
                await admin.execute(f"SELECT {end}({row['pid']})")
            await asyncio.sleep(0.01)


async def once_confirmed(ask: Callable[[], Awaitable[Result]]) -> Result:
    """Return the first result after standbys confirm again, or synchronous commits are off.

    The setting reaches PostgreSQL's processes one by one. Until then each of them may wait for a
    standby longer than the client's timeout.
    """
    async with asyncio.timeout(within(20)):
        while True:
            try:
                return await ask()
            except (Unavailable, UnconfirmedCommit):
                await asyncio.sleep(0.05)
