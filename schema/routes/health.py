"""`/healthz`, `/readyz`: whether this process lives, and whether it should be sent requests."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schema.http.messages import json_response
from schema.services import Services
from schema.telemetry.readiness import check_readiness, warn_of_deliveries, warn_of_watching


class HealthRoute:
    """Answers those who watch over the process."""

    def __init__(self, services: Services):
        self._services = services

    @property
    def routes(self) -> list[Route]:
        """The routes of liveness and readiness."""
        return [Route("/healthz", self.alive), Route("/readyz", self.ready)]

    async def alive(self, request: Request) -> Response:
        """Whether this process answers at all; it asks nobody else."""
        return json_response({"status": "ok"}, Cache_Control="no-store")

    async def ready(self, request: Request) -> Response:
        """Whether the database answers, the projection is near, and events come at once."""
        found = await check_readiness(self._services)
        answer = {
            "ready": not found.reasons,
            "reasons": found.reasons,
            "head": found.head,
            "position": found.position,
            "lag": found.lag,
            "lagSeconds": found.lag_seconds,
            "listening": found.listening,
            "checkpoint": found.checkpoint,
            "readOnly": self._services.read_only,
            "warnings": [
                *self._warnings,
                *found.warnings,
                *await warn_of_deliveries(self._services),
                *await warn_of_watching(self._services),
            ],
        }
        if replica := found.replica:
            answer["replica"] = {
                "used": replica.used,
                "receiving": bool(replica.state and replica.state.receiving),
                "lagSeconds": replica.state and replica.state.lag_seconds,
                "lagEvents": replica.lag_events,
            }
        return json_response(answer, 503 if found.reasons else 200, Cache_Control="no-store")

    @property
    def _warnings(self) -> list[str]:
        """Warnings that do not keep the server from answering."""
        warnings, publisher = [], self._services.publisher
        if self._services.recorder.is_disk_full:
            warnings.append(
                "the database has no space left on its disk: the last write was not recorded"
            )
        if publisher and publisher.trouble is not None:
            warnings.append(f"the log is not signed: {publisher.trouble}")
        return warnings
