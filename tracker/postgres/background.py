"""Background tasks."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self, TypeAlias


@dataclass(slots=True)
class BackgroundWork:
    """A unit of background work: how many events it processed, and up to which position."""

    name: str
    started: int
    """In nanoseconds of the clock."""
    events: int = 0
    position: int = 0
    error: str | None = None
    """The name of what went wrong."""

    def record(self, events: int, position: int) -> None:
        """Record the number of processed events, and the last position."""
        self.events, self.position = events, position


def end_if_cancelled() -> None:
    """Raise CancelledError where the present task was cancelled: on its way out another error, such as
    that of a connection which is lost meanwhile, may have taken the place of the cancellation."""
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
        """A piece of work from its beginning to its end."""
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
        """The work; it never ends by itself."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
