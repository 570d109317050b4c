"""An event loop in a separate thread, for synchronous callers."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import CancelledError, Future, wait
from threading import Lock, Thread, current_thread
from typing import Any, TypeVar

from eventsourcing.persistence import ConnectionPoolClosedError

T = TypeVar("T")
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
