"""A thread in which one file is written and read: step by step, and its end last.

What writes a file can't do two things at once: pyarrow ends the process when it is closed while it
writes. A client that goes interrupts whoever waits for a step, never the step; so the end of the file
waits behind it, in the same thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")


class FileThread:
    """The thread of a file. Within the block steps are run in it; then what is held for the file ends
    in it, the last first, and nobody waits for that."""

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
        """Run a step, after those before it, off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, step, *arguments)

    def enter_context(self, resource: AbstractContextManager[T]) -> T:
        """Enter a context that ends at the end, whatever becomes of the steps."""
        return self._ends.enter_context(resource)
