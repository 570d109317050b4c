"""Batched calls all get a result, and each its own."""

import asyncio
from collections.abc import Sequence

import pytest

from tests.support.log_events import event
from tests.support.time_limits import within
from tracker.log.recorder import Recorder
from tracker.postgres.batching import MAX_BATCH_CALLS, Batcher


async def test_more_appends_at_once_than_go_together_are_all_answered(recorder: Recorder) -> None:
    count = 2 * MAX_BATCH_CALLS + 200
    async with asyncio.timeout(within(60)):
        outcomes = await asyncio.gather(
            *(recorder.append([event(f"export-control/{n}", str(n))]) for n in range(count))
        )
    assert sorted(outcome.positions[0] for outcome in outcomes) == list(range(1, count + 1))


async def test_a_caller_that_goes_away_keeps_nobody_waiting() -> None:
    going_on = asyncio.Event()

    async def send(items: list[int]) -> Sequence[int | Exception]:
        await going_on.wait()
        return [ValueError("one") if item == 1 else item for item in items]

    joined = Batcher[int, int](send)
    callers = [asyncio.create_task(joined.submit(item)) for item in range(-1, 4)]
    await asyncio.sleep(0.01)
    for gone in callers[1], callers[2]:  # some results are values, and some errors
        gone.cancel()
    await asyncio.sleep(0.01)
    going_on.set()
    async with asyncio.timeout(within(5)):
        assert [await callers[i] for i in (0, 3, 4)] == [-1, 2, 3]
        assert await joined.submit(7) == 7
    with pytest.raises(asyncio.CancelledError):
        await callers[1]
