"""Whether this instance should be sent requests: by the log, the projection and the database."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from schema.services import Services
from tracker.errors import LogSetBack, TrackerError
from tracker.postgres.database import CONNECTION_ERRORS

MAX_LAG_EVENTS = 1000
"""So many events may wait for the projection before this instance counts as not ready."""
MAX_LAG_SECONDS = 15
"""So long the first of them may have waited: longer than it takes to replace who projected."""
DATABASE_TIMEOUT_SECONDS = 3

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Readiness:
    """The readiness of this server. Head and position are None while the database does not answer."""

    listening: bool
    head: int | None = None
    position: int | None = None
    checkpoint: int | None = None
    """The size of the newest checkpoint; None before the first."""
    lag_seconds: float | None = None
    """For how long the first event that waits for the projection has been waiting."""
    set_back: str | None = None
    """What this server has shown and the log has not, where it was set back."""

    @property
    def lag(self) -> int | None:
        """The number of events that are not yet projected."""
        if self.head is None or self.position is None:
            return None
        return max(self.head - self.position, 0)

    @property
    def reasons(self) -> list[str]:
        """Why requests should go elsewhere; empty where they need not."""
        if self.set_back:
            return [self.set_back]
        reasons = [] if self.listening else ["nobody listens to the log: new events come late"]
        if self.lag is None:
            reasons.append("the database does not answer")
        elif self.lag > MAX_LAG_EVENTS:
            reasons.append(
                f"the projection is {self.lag} events behind the log: expected at most"
                f" {MAX_LAG_EVENTS}"
            )
        if (self.lag_seconds or 0) > MAX_LAG_SECONDS:
            reasons.append(
                f"the projection is {self.lag_seconds:.0f} seconds behind the log:"
                f" expected at most {MAX_LAG_SECONDS}"
            )
        return reasons


async def check_readiness(services: Services) -> Readiness:
    """Check the readiness of this server now."""
    listening = services.follower.listening
    try:
        async with asyncio.timeout(DATABASE_TIMEOUT_SECONDS):
            position = await services.projector.position()
            checkpoint = await services.proofs.size()
            return Readiness(
                listening,
                await services.recorder.head(),
                position,
                checkpoint,
                await services.recorder.age(position + 1),
            )
    except LogSetBack as error:
        return Readiness(listening, set_back=error.message)
    except (*CONNECTION_ERRORS, TimeoutError, TrackerError) as error:
        logger.warning("not ready: %s", error)
        return Readiness(listening)


async def warn_of_deliveries(services: Services) -> list[str]:
    """What is wrong with deliveries, which keeps no server from answering."""
    if services.deliverer is None:
        return []
    if services.deliverer.trouble:
        return [f"this server can't deliver: {services.deliverer.trouble}"]
    try:
        async with asyncio.timeout(DATABASE_TIMEOUT_SECONDS):
            found = await services.endpoints.summary()
    except (*CONNECTION_ERRORS, TimeoutError):
        return []  # that the database is away is said elsewhere
    warnings = []
    if found.active and not found.delivering:
        warnings.append(f"no server delivers: {found.active} endpoints wait")
    for count, what in ((found.failing, "failing"), (found.disabled, "disabled")):
        if count:
            warnings.append(f"endpoints that are {what}: {count} (`tracker endpoint list`)")
    return warnings
