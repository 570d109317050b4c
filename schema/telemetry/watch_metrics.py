"""Metrics of watched sources for `/metrics`: polls of this process, and the state of all sources."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from schema.services import Services
from schema.telemetry.buckets import FETCH_BUCKETS_SECONDS
from schema.telemetry.read_gauges import Readings
from tracker.watch.journal import PollReport


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
