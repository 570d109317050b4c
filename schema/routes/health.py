"""`/healthz`, `/readyz`: whether this process lives, and whether it should be sent requests."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from schema.http.responses import reply
from schema.services import Services
from tracker.errors import TrackerError
from tracker.postgres.database import LOST

MOST_LAG = 1000
"""So many events may wait for the projection before this instance counts as not ready."""
MOST_LAG_SECONDS = 15
"""So long the first of them may have waited: longer than it takes to replace who projected."""
PATIENCE = 3
"""Seconds that the database gets to answer."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Condition:
    """How things stand. Head and position are None while the database does not answer."""

    listening: bool
    head: int | None = None
    position: int | None = None
    checkpoint: int | None = None
    """The size of the newest checkpoint; None before the first."""
    lag_seconds: float | None = None
    """For how long the first event that waits for the projection has been waiting."""

    @property
    def lag(self) -> int | None:
        """How many events wait for the projection."""
        if self.head is None or self.position is None:
            return None
        return max(self.head - self.position, 0)

    @property
    def reasons(self) -> list[str]:
        """Why requests should go elsewhere; empty where they need not."""
        reasons = [] if self.listening else ["nobody listens to the log: new events come late"]
        if self.lag is None:
            reasons.append("the database does not answer")
        elif self.lag > MOST_LAG:
            reasons.append(f"the projection is {self.lag} events behind the log: expected at most"
                           f" {MOST_LAG}")
        if (self.lag_seconds or 0) > MOST_LAG_SECONDS:
            reasons.append(f"the projection is {self.lag_seconds:.0f} seconds behind the log:"
                           f" expected at most {MOST_LAG_SECONDS}")
        return reasons


async def condition(services: Services) -> Condition:
    """How things stand, found out now."""
    listening = services.follower.listening
    try:
        async with asyncio.timeout(PATIENCE):
            position = await services.projector.position()
            checkpoint = await services.publications.size()
            return Condition(listening, await services.recorder.head(), position, checkpoint,
                             await services.recorder.age(position + 1))
    except (*LOST, TimeoutError, TrackerError) as error:
        logger.warning("not ready: %s", error)
        return Condition(listening)


class Health:
    """Answers those who watch over the process."""

    def __init__(self, services: Services):
        self._services = services

    async def alive(self, request: Request) -> Response:
        """Whether this process answers at all; it asks nobody else."""
        return reply({"status": "ok"}, Cache_Control="no-store")

    async def ready(self, request: Request) -> Response:
        """Whether the database answers, the projection is near, and events come at once."""
        found = await condition(self._services)
        answer = {"ready": not found.reasons, "reasons": found.reasons, "head": found.head,
                  "position": found.position, "lag": found.lag, "lagSeconds": found.lag_seconds,
                  "listening": found.listening,
                  "checkpoint": found.checkpoint, "warnings": self._warnings}
        return reply(answer, 503 if found.reasons else 200, Cache_Control="no-store")

    @property
    def _warnings(self) -> list[str]:
        """What is wrong though requests can be answered: the log is not signed any more."""
        publisher = self._services.publisher
        if publisher is None or publisher.trouble is None:
            return []
        return [f"the log is not signed: {publisher.trouble}"]
