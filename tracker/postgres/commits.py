"""Confirmed commits: those whose wait for a synchronous standby was not cancelled."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg

from tracker.postgres.database import Connection

STANDBY_WAIT_FUNCTION = "SyncRepWaitForLSN"
"""Where in PostgreSQL a commit waits for synchronous standbys. Its messages are translated, this
name is not."""


class UnconfirmedCommit(ConnectionError):
    """A commit did not wait for its synchronous standby: a failover may take it back."""


@asynccontextmanager
async def commits_confirmed(connection: Connection) -> AsyncIterator[None]:
    """A block with commits that are to be acknowledged. Raises Unconfirmed, and whatever it raises.

    Somebody may cancel the waiting for a standby (`pg_cancel_backend`). PostgreSQL then tells of
    success, and by a warning alone that only this server has it.
    """
    warnings = list[asyncpg.PostgresLogMessage]()

    def hear(_: object, message: asyncpg.PostgresLogMessage) -> None:
        if getattr(message, "server_source_function", None) == STANDBY_WAIT_FUNCTION:
            warnings.append(message)

    connection.add_log_listener(hear)
    try:
        yield
    finally:
        with suppress(asyncpg.InterfaceError):  # a connection that was lost is not its pool's now
            connection.remove_log_listener(hear)
    if warnings:
        raise UnconfirmedCommit("the wait for a synchronous standby was cut short")
