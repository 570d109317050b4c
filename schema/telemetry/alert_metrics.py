"""Metrics of e-mail alerts for `/metrics`: attempts of this process, and the state of subscriptions."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from schema.services import Services
from schema.telemetry.read_gauges import Readings


class AlertMetrics:
    """Metrics of alerts. No label names an address or a page."""

    def __init__(self, services: Services, registry: CollectorRegistry):
        self._services = services.writing
        self._attempts = Counter(
            "tracker_mail_attempts",
            "Attempts to send a mail, by the kind of mail and the result.",
            ["kind", "outcome"],
            registry=registry,
        )
        sending = Gauge("tracker_mailing", "1 if this server sends mails.", registry=registry)
        mailer = self._services.mailer
        sending.set_function(lambda: bool(mailer and mailer.active))
        if mailer:
            mailer.observe = self.count_attempt

    def count_attempt(self, kind: str, outcome: str) -> None:
        """Count an attempt to send a mail."""
        self._attempts.labels(kind, outcome).inc()

    async def read(self) -> Readings:
        """Return the state of subscriptions in the database."""
        if self._services.alerts is None:
            return {}
        summary = await self._services.alerts.summary()
        readings: Readings = {
            ("mail_subscriptions", state): getattr(summary, state)
            for state in ("active", "unconfirmed", "stopped")
        }
        readings["mail_waiting",] = summary.waiting
        readings["mail_lag_seconds",] = summary.oldest_seconds
        return readings
