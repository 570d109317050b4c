"""Batching of concurrent calls into transactions, and confirmation of commits."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Generic, TypeVar

import asyncpg

from tracker.postgres.database import Connection, Pool

MAX_BATCH_CALLS = 500
"""The maximum number of calls in a batch."""

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Batcher(Generic[Item, Answer]):
    """Sends waiting calls as a batch: while one batch is in flight, the next one collects. There is no
    timer.

    `send` gets the items and returns the outcome of each, in their order; it raises nothing.
    """

    def __init__(self, send: Callable[[list[Item]], Awaitable[Sequence[Answer | Exception]]]):
        self._send = send
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._sending: asyncio.Task[None] | None = None

    async def submit(self, item: Item) -> Answer:
        """Send an item with the next batch, and return its outcome or raise its error.

        If the caller is cancelled, the item may still be sent.
        """
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._sending is None:
            self._sending = asyncio.create_task(self._send_all())
        return await future

    async def _send_all(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = (
                    self._waiting[:MAX_BATCH_CALLS],
                    self._waiting[MAX_BATCH_CALLS:],
                )
                outcomes = await self._send([item for item, _ in batch])
                for (_, future), outcome in zip(batch, outcomes, strict=True):
                    _resolve(future, outcome)
        finally:
            self._sending = None


def _resolve(future: asyncio.Future[Answer], outcome: Answer | Exception) -> None:
    """Resolve the future of a caller that still waits."""
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


STANDBY_WAIT_FUNCTION = "SyncRepWaitForLSN"
"""Function of PostgreSQL in which a commit waits for synchronous standbys. Its messages are translated,
its name is not."""


class UnconfirmedCommit(ConnectionError):
    """A commit did not wait for its synchronous standby: a failover may lose it."""


@asynccontextmanager
async def commits_confirmed(connection: Connection) -> AsyncIterator[None]:
    """Open a block whose commits are acknowledged to clients. Raises Unconfirmed, and errors of the block.

    The wait for a standby can be cancelled (`pg_cancel_backend`). PostgreSQL then reports success, and only a
    warning that the commit is on this server only.
    """
    warnings = list[asyncpg.PostgresLogMessage]()

    def hear(_: object, message: asyncpg.PostgresLogMessage) -> None:
        if getattr(message, "server_source_function", None) == STANDBY_WAIT_FUNCTION:
            warnings.append(message)

    connection.add_log_listener(hear)
    try:
        yield
    finally:
        with suppress(
            asyncpg.InterfaceError
        ):  # a lost connection does not belong to its pool any more
            connection.remove_log_listener(hear)
    if warnings:
        raise UnconfirmedCommit("the wait for a synchronous standby was cut short")


@asynccontextmanager
async def confirmed_transaction(pool: Pool) -> AsyncIterator[Connection]:
    """Open a transaction whose commit is acknowledged to a client. Raises as `commits_confirmed`."""
    async with (
        pool.acquire() as connection,
        commits_confirmed(connection),
        connection.transaction(),
    ):
        yield connection
