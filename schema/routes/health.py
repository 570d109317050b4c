"""`/healthz`, `/readyz`: whether this process runs, and whether it should receive requests."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schema.http.messages import json_response
from schema.services import Services
from schema.telemetry.readiness import check_readiness, warn_of_deliveries, warn_of_watching


class HealthRoute:
    """Handler of health checks."""

    def __init__(self, services: Services):
        self._services = services

    @property
    def routes(self) -> list[Route]:
        """Return the routes of liveness and readiness."""
        return [Route("/healthz", self.alive), Route("/readyz", self.ready)]

    async def alive(self, request: Request) -> Response:
        """Respond that this process runs, without checking others."""
        return json_response({"status": "ok"}, Cache_Control="no-store")

    async def ready(self, request: Request) -> Response:
        """Respond whether the database is available, the projection is current, and events arrive at
        once."""
        report = await check_readiness(self._services)
        answer = {
            "ready": not report.reasons,
            "reasons": report.reasons,
            "head": report.head,
            "position": report.position,
            "lag": report.lag,
            "lagSeconds": report.lag_seconds,
            "listening": report.listening,
            "checkpoint": report.checkpoint,
            "readOnly": bool(self._services.read_only),
            "warnings": [
                *self._warnings,
                *report.warnings,
                *await warn_of_deliveries(self._services),
                *await warn_of_watching(self._services),
            ],
        }
        if replica := report.replica:
            answer["replica"] = {
                "used": replica.used,
                "receiving": bool(replica.state and replica.state.receiving),
                "lagSeconds": replica.state and replica.state.lag_seconds,
                "lagEvents": replica.lag_events,
            }
        if mirror := self._services.mirror:
            answer["mirror"] = mirror.report
        return json_response(answer, 503 if report.reasons else 200, Cache_Control="no-store")

    @property
    def _warnings(self) -> list[str]:
        """Return warnings that do not make the server unready."""
        warnings, publisher = [], self._services.publisher
        if self._services.mirror:
            warnings += self._services.mirror.warnings
        if self._services.recorder.is_disk_full:
            warnings.append(
                "the database has no space left on its disk: the last write was not recorded"
            )
        if publisher and publisher.trouble is not None:
            warnings.append(f"the log is not signed: {publisher.trouble}")
        mailer = self._services.writing.mailer
        if mailer and mailer.trouble is not None:
            warnings.append(f"this server sends no alerts: {mailer.trouble}")
        return warnings
