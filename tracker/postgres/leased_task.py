"""Background tasks that exactly one process at a time does, with database connections of their own."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar, TypeAlias

import asyncpg

from tracker.postgres.background import BackgroundTask, end_if_cancelled
from tracker.postgres.database import CONNECTION_ERRORS
from tracker.postgres.lease import Lease

RECONNECT_SECONDS = 15.0
"""Seconds before the next attempt after the database refused the login, or was unreachable."""

logger = logging.getLogger(__name__)

Work: TypeAlias = Callable[[], Coroutine[Any, Any, None]]


class LeasedTask(BackgroundTask):
    """Does its work whenever this process holds a lease."""

    name: ClassVar[str]
    """Name of the work in messages, in the plural: "deliveries"."""

    def __init__(self) -> None:
        self.trouble: str | None = None
        """Reason why this process cannot work, or None."""
        self.lease: Lease | None = None

    @property
    def active(self) -> bool:
        """Whether this process holds the lease and works now."""
        return self.lease is not None and self.lease.held

    def connected(self) -> AbstractAsyncContextManager[tuple[Lease, Work]]:
        """Connect to the database; return the lease, and the work of one epoch."""
        raise NotImplementedError

    def reason_to_end(self) -> str | None:
        """Return why the task must end after an error, for example a log that was set back; else None."""
        return None

    async def run(self) -> None:
        """Work whenever this process holds the lease, until it is cancelled."""
        while True:
            try:
                async with self.connected() as (lease, work):
                    self.trouble, self.lease = None, lease
                    await lease.run(work)
            except asyncpg.InsufficientPrivilegeError as error:
                self._note_trouble(f"the database refuses {self.name} to this login: {error}")
            except (*CONNECTION_ERRORS, TimeoutError) as error:
                self._note_trouble(f"{self.name} have no database: {error or type(error).__name__}")
            except Exception:
                reason = self.reason_to_end()
                if reason is None:
                    raise
                self._note_trouble(reason)
                return
            end_if_cancelled()
            await asyncio.sleep(RECONNECT_SECONDS)

    def _note_trouble(self, trouble: str) -> None:
        if trouble != self.trouble:
            logger.warning("%s", trouble)
        self.trouble = trouble
