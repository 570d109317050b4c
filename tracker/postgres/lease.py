"""Leases: one process at a time does a piece of work that others would do twice.

A lease is a row with an end that its holder moves on. A holder that stops without a word loses it in
`LEASE_SECONDS`. By its own clock it ends earlier than by that of the database, so that nobody acts who
may have been replaced; and because a process can stop between looking at its clock and acting, each
holder has a higher epoch than the one before: `check_epoch` refuses what older ones write.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tracker.postgres.database import CONNECTION_ERRORS, Connection, Pool, named_queries

SQL = named_queries(Path(__file__).with_name("lease.sql"))

LEASE_SECONDS = 6.0
"""Seconds for which a lease is taken."""
MARGIN_SHARE = 1 / 6
"""The part of it by which it ends earlier for its holder than for others."""
RENEWAL_SHARE = 1 / 4
"""The part of it after which it is renewed."""
TAKING_INTERVAL_SECONDS = 1.0
"""Seconds after which others look whether it is free."""
QUESTION_TIMEOUT_SECONDS = 3.0
"""Seconds that a question about a lease may take."""
RELEASE_TIMEOUT_SECONDS = 1.0
"""Seconds that its release may take: without it the lease ends by itself."""

POOL_SETTINGS: Mapping[str, str] = MappingProxyType(
    {"idle_in_transaction_session_timeout": "2s", "transaction_timeout": "5s"}
)
"""Settings of the pools of those who hold leases. One who stops in the midst of a transaction that
checks its epoch loses it soon: until then nobody else could take the lease."""

logger = logging.getLogger(__name__)


class LeaseLost(Exception):
    """Another process holds the lease, or did meanwhile."""


def read_clock() -> float:
    """Seconds that pass also while the machine sleeps, where its system counts them."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Lease:
    """A lease of a name, for this process to take."""

    def __init__(self, pool: Pool, name: str, seconds: float = LEASE_SECONDS):
        self._pool = pool
        self.name = name
        self.holder = uuid.uuid4().hex
        """By which the database tells us from others."""
        self.epoch = 0
        """Counts the holders; ours is the last one that we had. 0 before."""
        self._seconds = seconds
        self._ends = 0.0
        self._renewed = asyncio.Event()

    @property
    def held(self) -> bool:
        """Whether nobody else can hold it at this moment."""
        return read_clock() < self._ends

    async def wait_until_held(self) -> None:
        """Wait while it is over and not yet renewed, as without a database."""
        while not self.held:
            await self._renewed.wait()

    async def try_take(self) -> bool:
        """Take it if it is free, with a new epoch; whether that worked."""
        return await self._ask(SQL.take, self.name, self.holder, timedelta(seconds=self._seconds))

    async def renew(self) -> None:
        """Hold it for longer, with the same epoch. Raises LeaseLost where another has taken it."""
        seconds = timedelta(seconds=self._seconds)
        if not await self._ask(SQL.renew, self.name, self.holder, self.epoch, seconds):
            self._ends = 0.0
            raise LeaseLost(f"another process has the lease {self.name}")

    async def _ask(self, query: str, *arguments: object) -> bool:
        asked = read_clock()  # before the database counts from then on
        epoch = await self._pool.fetchval(query, *arguments, timeout=QUESTION_TIMEOUT_SECONDS)
        if epoch is None:
            return False
        self.epoch = epoch
        self._ends = asked + self._seconds * (1 - MARGIN_SHARE)
        renewed, self._renewed = self._renewed, asyncio.Event()
        renewed.set()
        return True

    async def release(self) -> None:
        """Let others take it at once."""
        self._ends = 0.0
        with suppress(*CONNECTION_ERRORS, TimeoutError):
            async with asyncio.timeout(RELEASE_TIMEOUT_SECONDS):
                await self._pool.execute(SQL.release, self.name, self.holder, self.epoch)

    async def run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Work whenever the lease is ours, for ever; it is released at the end.

        Work is cancelled when another has taken the lease, and begins anew when it is ours again, as
        after an error. While the database can't be reached the lease ends, but the work goes on: it
        must wait until it is `held` again before it does what nobody else may do.
        """
        while True:
            await self._take()
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._keep())
                    tasks.create_task(work())
            except* LeaseLost:
                logger.warning("another process has the lease %s", self.name)
            except* (*CONNECTION_ERRORS, TimeoutError) as lost:
                logger.warning(
                    "the work of %s lost its database: %s", self.name, lost.exceptions[0]
                )
            except* Exception:
                logger.exception("the work of the lease %s failed and will begin anew", self.name)
            finally:
                await self.release()
            await asyncio.sleep(TAKING_INTERVAL_SECONDS)

    async def _take(self) -> None:
        while True:
            try:
                if await self.try_take():
                    logger.info("took the lease %s with epoch %d", self.name, self.epoch)
                    return
            except (*CONNECTION_ERRORS, TimeoutError) as error:
                logger.warning("the lease %s could not be asked for: %s", self.name, error)
            await asyncio.sleep(TAKING_INTERVAL_SECONDS)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._seconds * RENEWAL_SHARE)
            try:
                await self.renew()
            except (*CONNECTION_ERRORS, TimeoutError) as error:
                logger.warning("the lease %s could not be renewed: %s", self.name, error)


async def check_epoch(connection: Connection, lease: Lease) -> None:
    """Check in a transaction that nobody has taken a lease since, and nobody does before its end.

    Raises LeaseLost.
    """
    if await connection.fetchval(SQL.fence, lease.name, lease.epoch) is None:
        raise LeaseLost(f"another process has the lease {lease.name}")
