"""Background tasks end when cancelled."""

from __future__ import annotations

import asyncio

from tests.support.time_limits import within
from tracker.postgres.background import BackgroundTask, end_if_cancelled


class Losing(BackgroundTask):
    """A task that loses its connection when cancelled, and retries like followers of the log."""

    async def run(self) -> None:
        """Run the work."""
        while True:
            end_if_cancelled()
            try:
                await self.work()
            except OSError:
                await asyncio.sleep(0)

    async def work(self) -> None:
        """Wait; the way out fails."""
        try:
            await asyncio.sleep(60)
        finally:
            raise OSError("the connection was lost")


async def test_a_task_ends_though_another_error_takes_the_place_of_its_cancellation() -> None:
    async with asyncio.timeout(within(5)):
        async with Losing():
            await asyncio.sleep(0.01)
