"""Work that goes on beside its caller."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Self


class Background:
    """Something that runs for as long as its `async with` block lasts."""

    _task: asyncio.Task[None]

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
