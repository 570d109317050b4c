"""The connections of one factory, for use from any thread."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from threading import Event
from typing import Any, TypeVar
from weakref import finalize

import asyncpg
from eventsourcing.persistence import InterfaceError, OperationalError

from tracker.eventsourcing_asyncpg.errors import to_persistence_error
from tracker.eventsourcing_asyncpg.identifiers import quoted
from tracker.eventsourcing_asyncpg.listener import Listener
from tracker.eventsourcing_asyncpg.loop_thread import SHUTDOWN_TIMEOUT_SECONDS, LoopThread
from tracker.postgres.database import CONNECTION_ERRORS, Connection, Pool, Target, create_pool
from tracker.postgres.session_settings import SEARCH_PATH

T = TypeVar("T")
Work = Callable[[Connection, bool], Awaitable[T]]
"""Work over a connection. The argument True means that it may be done already, because the connection was
lost before the result arrived."""

RETRY_SECONDS = 5.0
"""Seconds during which work is retried after a lost connection."""


class Connections:
    """A lazily opened pool, and a listener. Everything here runs in one loop."""

    def __init__(self, target: Target, size: int, timeout: float, schema: str):
        self._target = {**target, "timeout": timeout}
        self._settings = {"search_path": f"{quoted(schema)}, {SEARCH_PATH}"}
        self._size = size
        self._timeout = timeout
        self._opening: asyncio.Task[Pool] | None = None
        self.listener = Listener(self._target)

    async def run(self, work: Work[T]) -> T:
        """Run work over a connection; after a lost connection, retry it over another one.

        Raises the library's errors: OperationalError or InterfaceError if the database is unavailable for
        `RETRY_SECONDS` seconds.
        """
        clock = asyncio.get_running_loop().time
        deadline = clock() + RETRY_SECONDS
        begun = False
        while True:
            try:
                pool = await self._open()
                async with pool.acquire(timeout=self._timeout) as connection:
                    again, begun = begun, True
                    return await work(connection, again)
            except CONNECTION_ERRORS as error:
                failure = to_persistence_error(error)
                hopeless = not isinstance(failure, (OperationalError, InterfaceError))
                if hopeless or clock() > deadline:
                    raise failure from error
            await asyncio.sleep(0.2)

    async def _open(self) -> Pool:
        """Return the pool. Concurrent first users wait for the same attempt to open it."""
        if self._opening is None or failed(self._opening):
            self._opening = asyncio.create_task(
                create_pool(self._target, role=None, size=self._size, settings=self._settings)
            )
        return await asyncio.shield(self._opening)

    async def close(self) -> None:
        """Close the connections, and notify all waiting subscribers."""
        self.listener.wake_all()
        if self._opening is None or failed(self._opening):
            return
        pool = self._opening.result()
        try:
            async with asyncio.timeout(SHUTDOWN_TIMEOUT_SECONDS):
                await pool.close()
        except CONNECTION_ERRORS:
            pool.terminate()


def failed(task: asyncio.Task[Any]) -> bool:
    """Return whether a task has ended without a result."""
    return task.done() and (task.cancelled() or task.exception() is not None)


class Datastore:
    """Resources shared by the recorders of one factory. It closes when it is garbage collected."""

    def __init__(
        self,
        target: Target,
        *,
        pool_size: int,
        connect_timeout: float,
        schema: str,
        originator_id_type: str,
    ):
        self.schema = schema
        self.originator_id_type = originator_id_type
        self.connections = Connections(target, pool_size, connect_timeout, schema)
        self._thread = LoopThread()
        self._finalizer = finalize(self, self._thread.close, self.connections.close)

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the loop of the connections and return what it returns."""
        return self._thread.call(coroutine)

    def run(self, work: Work[T]) -> T:
        """Run work over a connection; see `Connections.run`."""
        return self.call(self.connections.run(work))

    def fetch(self, query: str, *arguments: object) -> Sequence[asyncpg.Record]:
        """Return the rows of a read-only query."""

        async def work(connection: Connection, _again: bool) -> list[asyncpg.Record]:
            return await connection.fetch(query, *arguments)

        return self.run(work)

    def create(self, statements: Iterable[str]) -> None:
        """Run statements that create missing objects, in one transaction."""

        async def work(connection: Connection, _again: bool) -> None:
            async with connection.transaction():
                await connection.execute(
                    "SELECT pg_advisory_xact_lock(hashtextextended('tables', 0))"
                )
                for statement in statements:
                    await connection.execute(statement)

        self.run(work)

    def watch(self, channel: str, woken: Event) -> None:
        """Set `woken` at each notification of a channel, while `woken` is referenced."""
        self.call(self.connections.listener.watch(channel, woken))

    def close(self) -> None:
        """Close the connections and end the thread."""
        self._finalizer()
