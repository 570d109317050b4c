"""Concurrent prefetching of reads."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

T = TypeVar("T")


async def read_ahead(
    reads: AsyncGenerator[Coroutine[Any, Any, T], None], ahead: int
) -> AsyncGenerator[T, None]:
    """Yield the results of `reads` in order, with the next `ahead` reads in progress.

    Raises an error of a read at its place. Close it (`aclosing`) to end reads in progress.
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
