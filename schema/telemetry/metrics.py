"""`/metrics`: the metrics for Prometheus. docs/operating/monitor.md describes each."""

import asyncio
from collections.abc import Iterator, Mapping
from functools import cache, partial
from typing import Any
from weakref import ref

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from starlette.requests import Request
from starlette.responses import Response

from projections.lru_cache import SizedLruCache
from projections.query.as_of import AsOf
from projections.runner.replica import Replica
from schema.services import Services
from schema.telemetry.process_metrics import (
    LATENCY_BUCKETS_SECONDS,
    AlertMetrics,
    DeliveryMetrics,
    WatchMetrics,
)
from schema.telemetry.read_gauges import ReadGauges, Readings
from schema.telemetry.readiness import check_readiness
from tracker.log.recorder import Recorder
from tracker.postgres.database import CONNECTION_ERRORS

BEAT_SECONDS = 0.05
WINDOW_SECONDS = 60.0
"""Seconds after which a maximum is replaced; scrapes of several servers see the same one."""


class LoopDelay:
    """The longest delay of the loop in the last one to two minutes.

    A timer measures its own lateness, from the first scrape on. It ends with this object.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._window_end, self._due = 0.0, 0.0
        self._longest, self._previous = 0.0, 0.0

    def begin(self) -> None:
        """Set the timer in the running loop, once."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._due = self._loop.time()
            self._window_end = self._due + WINDOW_SECONDS
            self.measure()

    @property
    def seconds(self) -> float:
        """The longest delay in seconds."""
        waiting = self._loop.time() - self._due if self._loop else 0
        return max(self._longest, self._previous, waiting)

    def measure(self) -> None:
        """Measure the lateness of the timer, and set it again."""
        assert self._loop is not None
        now = self._loop.time()
        if now > self._window_end:
            self._previous, self._longest = self._longest, 0.0
            self._window_end = now + WINDOW_SECONDS
        self._longest = max(self._longest, now - self._due)
        self._due = now + BEAT_SECONDS
        self._loop.call_at(self._due, _beat, ref(self))


def _beat(delay: ref[LoopDelay]) -> None:
    if measured := delay():
        measured.measure()


MAX_OPERATION_NAMES = 100
"""Maximum number of distinct operation names; clients choose the names, so the rest is `other`."""
MAX_NAME_CHARACTERS = 64


class CacheCollector:
    """Usage of the caches, as Prometheus metrics."""

    def __init__(self, caches: Mapping[str, SizedLruCache[Any, Any]]):
        self._caches = caches

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of every cache, at the time of a scrape."""
        hits = CounterMetricFamily("tracker_cache_hits", "Cache hits.", labels=["cache"])
        misses = CounterMetricFamily("tracker_cache_misses", "Cache misses.", labels=["cache"])
        size = GaugeMetricFamily(
            "tracker_cache_bytes", "Approximate memory of the cache.", labels=["cache"]
        )
        for name, sized_cache in self._caches.items():
            hits.add_metric([name], sized_cache.hits)
            misses.add_metric([name], sized_cache.misses)
            size.add_metric([name], sized_cache.bytes)
        yield from (hits, misses, size)


def _connections_used(of: Recorder | AsOf) -> int:
    return of.connections[0]


def _max_connections(of: Recorder | AsOf) -> int:
    return of.connections[1]


class Metrics:
    """The metrics of one application."""

    def __init__(self, services: Services):
        self._services = services
        self._names: set[str] = set()
        self._loop_delay = LoopDelay()
        self.registry = CollectorRegistry()
        self._requests = self._histogram(
            "request_seconds",
            "GraphQL requests over HTTP, including those of pages.",
            "operation",
            "outcome",
        )
        self._request = cache(self._requests.labels)
        self._assistants = self._histogram(
            "assistant_seconds",
            "Messages of assistants, by the query of the tool that they call.",
            "operation",
            "outcome",
        )
        self._sockets = self._histogram(
            "websocket_operation_seconds",
            "Queries and mutations over WebSockets.",
            "operation",
            "outcome",
        )
        self._subscriptions = Counter(
            "tracker_websocket_subscriptions",
            "Subscriptions over WebSockets that have ended.",
            ["operation", "outcome"],
            registry=self.registry,
        )
        self.connections = self._gauge("websocket_connections", "Open WebSockets.")
        self._appends = self._histogram(
            "append_seconds", "Transactions that append to the log.", "outcome"
        )
        self._appended = Counter(
            "tracker_appended_events", "Events that commands appended.", registry=self.registry
        )
        self._read = ReadGauges(self.registry)
        self._watch_services(services)
        services.writing.recorder.observe = self.count_append
        self._delivery = DeliveryMetrics(services, self.registry)
        self._watch = WatchMetrics(services, self.registry)
        self._alerts = AlertMetrics(services, self.registry)
        self._watch_replica(services.replica)

    def _watch_services(self, services: Services) -> None:
        """Register the gauges that read the state of this process and its services."""
        self._gauge(
            "loop_delay_seconds", "Longest delay of the event loop in the last minutes."
        ).set_function(lambda: self._loop_delay.seconds)
        self._gauge(
            "rows_differ", "1 if rows of an entity differ from those that its events give."
        ).set_function(lambda: bool((check := services.writing.sample_check) and check.difference))
        self._gauge(
            "signing_refused", "1 if this process should sign the log and does not."
        ).set_function(lambda: bool(services.publisher and services.publisher.trouble))
        self._gauge("followers", "Followers of the log: subscriptions and /events.").set_function(
            lambda: services.follower.followers
        )
        self._gauge("listening", "1 if new events arrive at once.").set_function(
            lambda: services.follower.listening
        )
        used = self._gauge("pool_connections_used", "Connections in use.", "pool")
        most = self._gauge("pool_connections_most", "Maximum number of connections.", "pool")
        for pool, of in (("log", services.recorder), ("moments", services.as_of)):
            used.labels(pool).set_function(partial(_connections_used, of))
            most.labels(pool).set_function(partial(_max_connections, of))

    def _watch_replica(self, replica: Replica | None) -> None:
        self._gauge("replica_configured", "1 if a replica is configured for reads.").set_function(
            lambda: replica is not None
        )
        self._gauge("replica_used", "1 if reads use a replica that is current.").set_function(
            lambda: bool(
                replica and replica.state and replica.state.standby and not replica.trouble
            )
        )

    def _gauge(self, name: str, about: str, *labels: str) -> Gauge:
        return Gauge(f"tracker_{name}", about, labels, registry=self.registry)

    def _histogram(self, name: str, about: str, *labels: str) -> Histogram:
        return Histogram(
            f"tracker_{name}",
            about,
            labels,
            buckets=LATENCY_BUCKETS_SECONDS,
            registry=self.registry,
        )

    def watch_caches(self, caches: Mapping[str, SizedLruCache[Any, Any]]) -> None:
        """Add the usage of caches."""
        self.registry.register(CacheCollector(caches))

    async def respond(self, request: Request) -> Response:
        """Return all metrics, in the text format of Prometheus."""
        self._loop_delay.begin()
        self._read.show(await self._read_database())
        return Response(generate_latest(self.registry), media_type=CONTENT_TYPE_LATEST)

    def count_operation(
        self, transport: str, type: str | None, operation: str | None, outcome: str, seconds: float
    ) -> None:
        """Count an operation; the outcome is `ok` or the code of its first error.

        The client determines the duration of a subscription, so it is not a latency.
        """
        labels = self._bounded(operation), outcome
        if transport in ("http", "page"):
            self._request(*labels).observe(seconds)
        elif transport in ("mcp", "stdio"):
            self._assistants.labels(*labels).observe(seconds)
        elif type == "subscription":
            self._subscriptions.labels(*labels).inc()
        else:
            self._sockets.labels(*labels).observe(seconds)

    def count_append(self, events: int, seconds: float, went: bool) -> None:
        """Count a transaction of appends."""
        self._appends.labels("ok" if went else "failed").observe(seconds)
        self._appended.inc(events)

    def _bounded(self, operation: str | None) -> str:
        name = (operation or "unnamed")[:MAX_NAME_CHARACTERS]
        if name not in self._names:
            if len(self._names) >= MAX_OPERATION_NAMES:
                return "other"
            self._names.add(name)
        return name

    async def _read_database(self) -> Readings:
        """Return what no process counts; without that of a lost database."""
        report, recorder = await check_readiness(self._services), self._services.recorder
        state = report.replica and report.replica.state
        values = {
            "database_up": report.head is not None,
            "another_release": report.another_release is not None,
            "log_position": report.head,
            "projection_lag_events": report.lag,
            "projection_lag_seconds": report.lag_seconds,
            "search_lag_events": report.search_lag,
            "search_lag_seconds": report.search_lag_seconds,
            "clock_difference_seconds": report.clock_difference,
            "replica_lag_seconds": state.lag_seconds if state else None,
        }
        if mirror := self._services.mirror:
            values |= {
                "mirror_position": mirror.position,
                "mirror_origin_position": mirror.origin_position,
                "mirror_lag_seconds": mirror.lag_seconds,
                "mirror_refused": mirror.refusal is not None,
            }
        readings: Readings = {(name,): value for name, value in values.items() if value is not None}
        if report.head is None:
            return readings
        try:
            readings["checkpoint_size",] = size = report.checkpoint or 0
            readings["checkpoint_lag_seconds",] = await recorder.age(size + 1)
            readings |= await self._delivery.read(report.head)
            readings |= await self._watch.read()
            readings |= await self._alerts.read()
        except CONNECTION_ERRORS:
            pass  # what was read is true
        return readings
