"""Metrics of deliveries for `/metrics`: requests of this process, and the state of all endpoints and
relays."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from schema.services import Services
from schema.telemetry.buckets import LATENCY_BUCKETS_SECONDS
from schema.telemetry.read_gauges import Readings


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
