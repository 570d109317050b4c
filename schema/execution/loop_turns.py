"""Turns of the event loop for work that is done in pieces: one piece a turn, whosever it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

_locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


@asynccontextmanager
async def loop_turn() -> AsyncIterator[None]:
    """Wait for a turn of the event loop in which nobody else does such work, and hold it for a block.

    They are given out in the order in which they are asked for.
    """
    lock = _locks.setdefault(asyncio.get_running_loop(), asyncio.Lock())
    async with lock:
        yield
        await asyncio.sleep(0)
