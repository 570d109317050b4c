"""Pauses of long work, in which other tasks run."""

from __future__ import annotations

import asyncio
from time import monotonic

YIELD_INTERVAL_SECONDS = 0.01
"""Seconds of work after which other tasks run."""


class Pauses:
    """The pauses of one task."""

    def __init__(self) -> None:
        self._since = monotonic()

    async def pause(self) -> None:
        """Let other tasks run, if this one has worked for a while."""
        if monotonic() - self._since > YIELD_INTERVAL_SECONDS:
            await asyncio.sleep(0)
            self._since = monotonic()
