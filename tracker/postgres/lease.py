"""Leases: exactly one process at a time does work that must not be done twice.

A lease is a row with an end that its holder postpones. A holder that stops loses it after `LEASE_SECONDS`.
For the holder's clock the lease ends earlier than for the database, so that a replaced holder does not act. A
process can be suspended between the clock check and the action. So each holder has a higher epoch than the
previous one, and `check_epoch` refuses writes of older epochs.

While servers of two releases run, leases belong to the newer one: its events and formats can be unknown to
the older one.
"""

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

from tracker.postgres.background import end_if_cancelled
from tracker.postgres.database import CONNECTION_ERRORS, Connection, Pool, named_queries

SQL = named_queries(Path(__file__).with_name("lease.sql"))

LEASE_SECONDS = 6.0
"""Duration of a lease in seconds."""
MARGIN_SHARE = 1 / 6
"""Share of the duration by which it ends earlier for its holder than for others."""
RENEWAL_SHARE = 1 / 4
"""Share of the duration after which it is renewed."""
TAKING_INTERVAL_SECONDS = 1.0
"""Seconds between two attempts of others to take it."""
QUERY_TIMEOUT_SECONDS = 3.0
"""Timeout of a lease query in seconds."""
RELEASE_TIMEOUT_SECONDS = 1.0
"""Timeout of its release in seconds: without a release the lease expires."""

NEWER_RELEASE_SECONDS = 600.0
"""Seconds after which an older release takes a lease that a newer one no longer holds."""
TAKE = SQL.take.replace("{takeable}", SQL.takeable)

POOL_SETTINGS: Mapping[str, str] = MappingProxyType(
    {"idle_in_transaction_session_timeout": "2s", "transaction_timeout": "5s"}
)
"""Pool settings of lease holders. A holder that stops within a transaction with an epoch check loses the
transaction soon: until then no other process could take the lease."""

logger = logging.getLogger(__name__)


class LeaseLost(Exception):
    """Another process holds the lease, or held it meanwhile."""


def read_clock() -> float:
    """Return a monotonic time in seconds that includes suspend, if the system supports it."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Lease:
    """A named lease that this process can take."""

    def __init__(
        self, pool: Pool, name: str, seconds: float = LEASE_SECONDS, release: str | None = None
    ):
        self._pool = pool
        self.name = name
        self._release = [int(part) for part in release.split(".")] if release else []
        self.holder = f"{release} {uuid.uuid4().hex}" if release else uuid.uuid4().hex
        """Identifier of this process in the database, after its release."""
        self.epoch = 0
        """Number of holders so far; the epoch of this process when it last held the lease. 0 before."""
        self._seconds = seconds
        self._ends = 0.0
        self._renewed = asyncio.Event()

    @property
    def held(self) -> bool:
        """Whether no other process can hold it now."""
        return read_clock() < self._ends

    async def wait_until_held(self) -> None:
        """Wait while it has expired without renewal, for example without a database."""
        while not self.held:
            await self._renewed.wait()

    async def try_take(self) -> bool:
        """Take it with a new epoch if it is free, or held by an older release; return whether that
        succeeded.

        Until the lease of the older release has expired for its holder, this process waits.
        """
        seconds = timedelta(seconds=self._seconds)
        newer = timedelta(seconds=NEWER_RELEASE_SECONDS)
        requested_at = read_clock()  # before the database starts counting
        row = await self._pool.fetchrow(
            TAKE,
            self.name,
            self.holder,
            seconds,
            self._release,
            newer,
            timeout=QUERY_TIMEOUT_SECONDS,
        )
        if row is None:
            return False
        remaining = max(row["remaining"], 0.0)
        await asyncio.sleep(remaining)
        self._hold(row["epoch"], requested_at + remaining)
        return True

    async def renew(self) -> None:
        """Extend it with the same epoch. Raises LeaseLost if another process has taken it."""
        seconds, requested_at = timedelta(seconds=self._seconds), read_clock()
        arguments = self.name, self.holder, self.epoch, seconds
        if not await self._pool.fetchval(SQL.renew, *arguments, timeout=QUERY_TIMEOUT_SECONDS):
            self._ends = 0.0
            raise LeaseLost(f"another process has the lease {self.name}")
        self._hold(self.epoch, requested_at)

    def _hold(self, epoch: int, since: float) -> None:
        """Record that this process holds it from a time on."""
        self.epoch = epoch
        self._ends = since + self._seconds * (1 - MARGIN_SHARE)
        renewed, self._renewed = self._renewed, asyncio.Event()
        renewed.set()

    async def release(self) -> None:
        """Release it, so that others can take it immediately."""
        self._ends = 0.0
        with suppress(*CONNECTION_ERRORS, TimeoutError):
            async with asyncio.timeout(RELEASE_TIMEOUT_SECONDS):
                await self._pool.execute(SQL.release, self.name, self.holder, self.epoch)

    async def run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run some work whenever this process holds the lease, until cancelled; then release it.

        The work is cancelled when another process takes the lease. It restarts when the lease is held again,
        and after an error. While the database is unreachable the lease expires, but the work continues: it
        must wait until the lease is `held` before exclusive actions.
        """
        while True:
            await self._take()
            try:
                # A task of its own, because a TaskGroup can leave its task marked as cancelled.
                await asyncio.create_task(self._renew_during(work))
            except* LeaseLost:
                logger.warning("another process has the lease %s", self.name)
            except* (*CONNECTION_ERRORS, TimeoutError) as lost:
                logger.warning(
                    "the work of %s lost its database connection: %s", self.name, lost.exceptions[0]
                )
            except* Exception:
                logger.exception("the work of the lease %s failed and will restart", self.name)
            finally:
                await self.release()
            end_if_cancelled()
            await asyncio.sleep(TAKING_INTERVAL_SECONDS)

    async def _renew_during(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._renew_until_lost())
            tasks.create_task(work())

    async def _take(self) -> None:
        while True:
            try:
                if await self.try_take():
                    logger.info("took the lease %s with epoch %d", self.name, self.epoch)
                    return
            except (*CONNECTION_ERRORS, TimeoutError) as error:
                end_if_cancelled()
                logger.warning("the lease %s could not be requested: %s", self.name, error)
            await asyncio.sleep(TAKING_INTERVAL_SECONDS)

    async def _renew_until_lost(self) -> None:
        while True:
            await asyncio.sleep(self._seconds * RENEWAL_SHARE)
            try:
                await self.renew()
            except (*CONNECTION_ERRORS, TimeoutError) as error:
                end_if_cancelled()
                logger.warning("the lease %s could not be renewed: %s", self.name, error)


async def check_epoch(connection: Connection, lease: Lease) -> None:
    """Check in a transaction that no process has taken a lease since, and prevent it until the end.

    Raises LeaseLost.
    """
    if await connection.fetchval(SQL.fence, lease.name, lease.epoch) is None:
        raise LeaseLost(f"another process has the lease {lease.name}")
