"""Results that many queries share until the next event."""

import asyncio
from typing import cast

import pytest

from projections.query.event_cache import EventCache
from projections.runner.progress import ProgressTracker


class Reads:
    """Reads that wait until they may go on."""

    def __init__(self, error: Exception | None = None):
        self.begun: list[str] = []
        self.cancelled: list[str] = []
        self.error = error
        self.go_on = asyncio.Event()

    async def read(self, key: str) -> str:
        """Return the key in capitals."""
        self.begun.append(key)
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled.append(key)
            raise
        if self.error:
            raise self.error
        return key.upper()


class AtPosition:
    """A tracker of progress at a position."""

    known = (1, 1)


def cache_of(reads: Reads) -> EventCache[str, str]:
    """Return a cache at one position of the log."""
    return EventCache(cast(ProgressTracker, AtPosition()), 10, reads.read)


async def test_concurrent_queries_share_one_read() -> None:
    reads = Reads()
    cache = cache_of(reads)
    queries = [asyncio.create_task(cache.get(key)) for key in "aab"]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    reads.go_on.set()
    assert await asyncio.gather(*queries) == ["A", "A", "B"]
    assert await cache.get("a") == "A"
    assert reads.begun == ["a", "b"]


async def test_a_read_outlives_a_cancelled_query_and_ends_with_the_last_one() -> None:
    reads = Reads()
    cache = cache_of(reads)
    queries = [asyncio.create_task(cache.get(key)) for key in "aab"]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for cancelled in (queries[0], queries[2]):
        cancelled.cancel()
    await asyncio.wait([queries[0], queries[2]])
    await asyncio.sleep(0)
    assert reads.cancelled == ["b"]
    later = asyncio.create_task(cache.get("b"))
    await asyncio.sleep(0)
    reads.go_on.set()
    assert await asyncio.gather(queries[1], later) == ["A", "B"]
    assert reads.begun == ["a", "b", "b"]


async def test_a_failed_read_fails_all_its_queries_and_is_not_cached() -> None:
    reads = Reads(error=OSError("no connection"))
    cache = cache_of(reads)
    reads.go_on.set()
    failed = await asyncio.gather(cache.get("a"), cache.get("a"), return_exceptions=True)
    assert [type(each) for each in failed] == [OSError, OSError]
    reads.error = None
    assert await cache.get("a") == "A"
    assert reads.begun == ["a", "a"]


@pytest.mark.parametrize("tracked", [True, False])
async def test_results_are_cached_only_where_progress_is_known(tracked: bool) -> None:
    reads = Reads()
    reads.go_on.set()
    cache = cache_of(reads) if tracked else EventCache(None, 10, reads.read)
    assert [await cache.get("a"), await cache.get("a")] == ["A", "A"]
    assert reads.begun == (["a"] if tracked else ["a", "a"])
