"""Metrics of e-mail alerts for `/metrics`: attempts of this process, and the state of subscriptions."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge

from schema.services import Services


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
        self._subscriptions = Gauge(
            "tracker_mail_subscriptions",
            "Subscriptions by state: active, unconfirmed, stopped.",
            ["state"],
            registry=registry,
        )
        self._waiting = Gauge(
            "tracker_mail_waiting", "Mails that wait for the mail server.", registry=registry
        )
        self._oldest = Gauge(
            "tracker_mail_lag_seconds", "Age of the oldest waiting mail.", registry=registry
        )
        sending = Gauge("tracker_mailing", "1 if this server sends mails.", registry=registry)
        mailer = self._services.mailer
        sending.set_function(lambda: bool(mailer and mailer.active))
        if mailer:
            mailer.observe = self.count_attempt

    def count_attempt(self, kind: str, outcome: str) -> None:
        """Count an attempt to send a mail."""
        self._attempts.labels(kind, outcome).inc()

    async def read(self) -> None:
        """Read the state of subscriptions from the database."""
        if self._services.alerts is None:
            return
        summary = await self._services.alerts.summary()
        for state in ("active", "unconfirmed", "stopped"):
            self._subscriptions.labels(state).set(getattr(summary, state))
        self._waiting.set(summary.waiting)
        self._oldest.set(summary.oldest_seconds)
