"""Background tasks end when cancelled."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from deploy.bootstrap import open_pool
from tests.support.time_limits import within
from tests.support.waiting import until
from tracker.postgres.background import BackgroundTask, end_if_cancelled
from tracker.postgres.database import DELIVERER, Target
from tracker.postgres.lease import Lease
from tracker.postgres.leased_task import LeasedTask, Work


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


async def test_a_lease_ends_though_its_work_loses_its_connection_when_cancelled(
    target: Target,
) -> None:
    async with open_pool(target, role=DELIVERER) as pool:
        lease = Lease(pool, "work")
        running = asyncio.create_task(lease.run(Losing().work))
        await until(lambda: lease.held)
        await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.wait([running], timeout=within(5))
        assert running.cancelled()


async def test_a_leased_task_ends_though_it_loses_its_connection_when_cancelled(
    target: Target,
) -> None:
    class Task(LeasedTask):
        name = "tasks"

        @asynccontextmanager
        async def connected(self) -> AsyncIterator[tuple[Lease, Work]]:
            async with open_pool(target, role=DELIVERER) as pool:
                try:
                    yield Lease(pool, "work"), partial(asyncio.sleep, 60)
                finally:
                    raise OSError("the connection was lost")

    async with asyncio.timeout(within(5)):
        async with Task() as task:
            await until(lambda: task.active)
