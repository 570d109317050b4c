"""Metrics of deliveries, e-mail alerts and watched sources for `/metrics`: requests of this process, and
the state in the database."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from schema.services import Services
from schema.telemetry.read_gauges import Readings
from tracker.watch.journal import PollReport

LATENCY_BUCKETS_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)
"""Buckets of responses, appends and deliveries."""
FETCH_BUCKETS_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
"""Buckets of responses of publishers, which may be slow."""


class WatchMetrics:
    """Metrics of watched sources. It counts polls and requests of this process and reads the state of
    sources from the database."""

    def __init__(self, services: Services, registry: CollectorRegistry):
        self._services = services
        self._polls = Counter(
            "tracker_looks",
            "Polls of watched sources by this process, by completeness.",
            ["source", "outcome"],
            registry=registry,
        )
        self._fetches = Histogram(
            "tracker_fetch_seconds",
            "Requests to publishers by this process, by status or error.",
            ["outcome"],
            buckets=FETCH_BUCKETS_SECONDS,
            registry=registry,
        )
        self._bytes = Counter(
            "tracker_fetched_bytes", "Bytes of documents that publishers sent.", registry=registry
        )
        self._candidates = Counter(
            "tracker_found_candidates",
            "New candidates of polls by this process.",
            registry=registry,
        )
        self._watching = Gauge("tracker_watching", "1 if this process watches.", registry=registry)
        self._watching.set_function(lambda: bool(services.watcher and services.watcher.active))
        if services.watcher:
            services.watcher.observe_poll = self.count_poll
            services.watcher.observe_request = self.count_request

    def count_poll(self, report: PollReport) -> None:
        """Count a poll."""
        self._polls.labels(report.source, "complete" if report.complete else "failed").inc()
        self._candidates.inc(report.candidates)

    def count_request(self, host: str, outcome: str, seconds: float, size: int) -> None:
        """Count a request to a publisher."""
        self._fetches.labels(outcome).observe(seconds)
        self._bytes.inc(size)

    async def read(self) -> Readings:
        """Return the state of sources in the database. Raises the errors of a lost connection."""
        if self._services.watch is None:
            return {}
        summary, waiting = (
            await self._services.watch.summary(),
            await self._services.watch.waiting(),
        )
        readings: Readings = {
            ("sources_overdue",): len(summary.overdue),
            ("candidates_waiting",): waiting.candidates,
            ("candidate_wait_seconds",): waiting.oldest_seconds,
        }
        for each in summary.sources:
            readings["source_age_seconds", each.key] = each.age_seconds
            readings["source_failing", each.key] = each.failing_since is not None
        return readings


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


class DeliveryMetrics:
    """Metrics of deliveries. It counts those of this process and reads the state of endpoints and relays
    from the database."""

    def __init__(self, services: Services, registry: CollectorRegistry):
        self._services = services
        self._deliveries = Histogram(
            "tracker_delivery_seconds",
            "Requests to endpoints, by outcome.",
            ["outcome"],
            buckets=LATENCY_BUCKETS_SECONDS,
            registry=registry,
        )
        self._delivered = Counter(
            "tracker_delivered_events", "Events that endpoints accepted.", registry=registry
        )
        delivering = Gauge("tracker_delivering", "1 if this server delivers.", registry=registry)
        delivering.set_function(lambda: bool(services.deliverer and services.deliverer.active))
        if services.deliverer:
            services.deliverer.observe = self.count_delivery

    def count_delivery(self, outcome: str, events: int, seconds: float) -> None:
        """Count a request to an endpoint."""
        self._deliveries.labels(outcome).observe(seconds)
        if outcome == "accepted":
            self._delivered.inc(events)

    async def read(self, head: int) -> Readings:
        """Return the state of endpoints and relays in the database, for a log that ends at `head`."""
        summary = await self._services.endpoints.summary()
        position = head if summary.position is None else summary.position
        readings: Readings = {
            ("endpoints", state): getattr(summary, state)
            for state in ("active", "paused", "disabled")
        }
        readings["endpoints_failing",] = summary.failing
        readings["delivery_lag_seconds",] = await self._services.recorder.age(position + 1)
        for relay in await self._services.endpoints.relays():
            readings["relay_lag_events", relay.name] = max(head - relay.position, 0)
            readings["relay_refills", relay.name] = relay.refills
        return readings
