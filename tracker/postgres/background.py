"""Background tasks."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Self, TypeAlias

from msgspec import Struct


class BackgroundWork(Struct):
    """A unit of background work: the number of processed events, and the last position."""

    name: str
    started: int
    """Start in nanoseconds of the monotonic clock."""
    events: int = 0
    position: int = 0
    error: str | None = None
    """The name of the error, or None."""

    def record(self, events: int, position: int) -> None:
        """Record the number of processed events, and the last position."""
        self.events, self.position = events, position


def end_if_cancelled() -> None:
    """Raise CancelledError if the present task was cancelled.

    On its way out, another error, such as a lost connection, may have replaced the cancellation.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


WorkObserver: TypeAlias = Callable[[BackgroundWork], None]


class BackgroundTask:
    """Something that runs for as long as its `async with` block lasts."""

    _task: asyncio.Task[None]
    _observe: WorkObserver | None = None

    def with_observer(self, observe: WorkObserver | None) -> Self:
        """Report every unit of work that processed events, or failed, to an observer."""
        self._observe = observe
        return self

    @contextlib.contextmanager
    def observe_work(self, name: str) -> Iterator[BackgroundWork]:
        """Observe a unit of work from its beginning to its end."""
        work = BackgroundWork(name, time.time_ns())
        try:
            yield work
        except Exception as error:
            work.error = type(error).__name__
            raise
        finally:
            if self._observe and (work.position or work.error):
                self._observe(work)

    async def run(self) -> None:
        """Run the work; it never ends normally."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
