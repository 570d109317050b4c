"""A thread in which one file is written and read, step by step.

A file writer cannot do two things at once: pyarrow ends the process when it is closed during a write. A
disconnected client interrupts the waiting task, never the step. So the end of the file waits for the step,
in the same thread.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")


class FileThread:
    """The thread of a file. Within the block its steps run there. At the end its resources are released in
    the thread, in reverse order, without waiting."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(1, "table-file")
        self._ends = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._threads.submit(self._ends.close)
        self._threads.shutdown(wait=False)

    async def run(self, step: Callable[..., T], *arguments: Any) -> T:
        """Run a step after earlier ones, outside of the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, step, *arguments)

    def enter_context(self, resource: AbstractContextManager[T]) -> T:
        """Enter a context that ends with the thread, also after a failed step."""
        return self._ends.enter_context(resource)
