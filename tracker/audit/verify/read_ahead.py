"""Reads that are begun before somebody asks for what they bring."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

T = TypeVar("T")


async def read_ahead(
    reads: AsyncGenerator[Coroutine[Any, Any, T], None], ahead: int
) -> AsyncGenerator[T, None]:
    """The results of `reads` in their order; while one is waited for, the next `ahead` are under way.

    Raises what a read raises, in its place. Close it (`aclosing`): reads under way end with it.
    """
    under_way = deque[asyncio.Task[T]]()
    async with aclosing(reads):
        try:
            async for read in reads:
                under_way.append(asyncio.create_task(read))
                if len(under_way) > ahead:
                    yield await under_way.popleft()
            while under_way:
                yield await under_way.popleft()
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
