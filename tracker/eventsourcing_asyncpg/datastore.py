"""The connections of one factory, for use from any thread."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from concurrent.futures import CancelledError, Future, wait
from threading import Event, Lock, Thread, current_thread
from typing import Any, TypeVar
from weakref import finalize

import asyncpg
from eventsourcing import persistence
from eventsourcing.persistence import ConnectionPoolClosedError, InterfaceError, OperationalError

from tracker.eventsourcing_asyncpg.identifiers import quoted
from tracker.eventsourcing_asyncpg.listener import Listener
from tracker.postgres.database import CONNECTION_ERRORS, Connection, Pool, Target, create_pool
from tracker.postgres.session_settings import SEARCH_PATH

T = TypeVar("T")

BY_CLASS: dict[str, type[persistence.DatabaseError]] = {
    "08": persistence.OperationalError,
    "28": persistence.OperationalError,
    "40": persistence.OperationalError,
    "53": persistence.OperationalError,
    "54": persistence.OperationalError,
    "55": persistence.OperationalError,
    "57": persistence.OperationalError,
    "58": persistence.OperationalError,
    "0A": persistence.NotSupportedError,
    "22": persistence.DataError,
    "23": persistence.IntegrityError,
    "24": persistence.InternalError,
    "25": persistence.InternalError,
    "XX": persistence.InternalError,
    "3D": persistence.ProgrammingError,
    "3F": persistence.ProgrammingError,
    "42": persistence.ProgrammingError,
}
"""Error classes by the first two characters of PostgreSQL's SQLSTATE, as in psycopg."""


def to_persistence_error(error: Exception) -> persistence.PersistenceError:
    """Return the library's error for one of asyncpg or of the connection."""
    message = str(error) or type(error).__name__
    if isinstance(error, asyncpg.PostgresError):
        return BY_CLASS.get((error.sqlstate or "")[:2], persistence.DatabaseError)(message)
    if isinstance(error, asyncpg.InterfaceError):
        return persistence.InterfaceError(message)
    return persistence.OperationalError(message)


SHUTDOWN_TIMEOUT_SECONDS = 2.0
"""Seconds that calls in flight have when the loop is closed; then they fail."""


class LoopThread:
    """Runs coroutines for other threads."""

    def __init__(self) -> None:
        self._loop = new_event_loop()
        self._calls: set[Future[Any]] = set()
        self._closed = False
        self._lock = Lock()
        self._thread = Thread(target=self._run, name="tracker.eventsourcing_asyncpg", daemon=True)
        self._thread.start()

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the loop and return its result.

        Raises ConnectionPoolClosedError if the loop is closed, also during the call, and in a forked process,
        which lacks the thread.
        """
        with self._lock:
            if self._closed or not self._thread.is_alive():
                coroutine.close()
                raise ConnectionPoolClosedError("closed, or made before this process was forked")
            future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
            self._calls.add(future)
        future.add_done_callback(self._calls.discard)
        try:
            return future.result()
        except CancelledError:
            raise ConnectionPoolClosedError("closed during the call") from None

    def close(self, last: Callable[[], Awaitable[None]]) -> None:
        """End the calls in flight, then await `last()` in the loop, then stop the thread."""
        with self._lock:
            if self._closed or not self._thread.is_alive():
                return
            self._closed = True
            calls = list(self._calls)
        wait(calls, timeout=SHUTDOWN_TIMEOUT_SECONDS)
        asyncio.run_coroutine_threadsafe(self._end(last), self._loop)
        if current_thread() is not self._thread:  # where a garbage collection may call this
            self._thread.join(4 * SHUTDOWN_TIMEOUT_SECONDS)

    async def _end(self, last: Callable[[], Awaitable[None]]) -> None:
        try:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            await last()
        finally:
            self._loop.stop()

    def _run(self) -> None:
        self._loop.run_forever()
        self._loop.close()


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return the fastest installed event loop."""
    try:
        import uvloop
    except ImportError:  # not available for Windows
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


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
