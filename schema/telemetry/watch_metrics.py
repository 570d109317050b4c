"""Metrics of watched sources for `/metrics`: polls of this process, and the state of all sources."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from schema.services import Services
from schema.telemetry.buckets import FETCH_BUCKETS_SECONDS
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
        self._age = Gauge(
            "tracker_source_age_seconds",
            "Seconds since a watched source was last read completely.",
            ["source"],
            registry=registry,
        )
        self._failing = Gauge(
            "tracker_source_failing",
            "1 if the last poll of a watched source was incomplete.",
            ["source"],
            registry=registry,
        )
        self._overdue = Gauge(
            "tracker_sources_overdue", "Watched sources whose poll is overdue.", registry=registry
        )
        self._waiting = Gauge(
            "tracker_candidates_waiting",
            "Candidates that wait for a person to decide.",
            registry=registry,
        )
        self._oldest = Gauge(
            "tracker_candidate_wait_seconds",
            "Age of the oldest pending candidate in seconds.",
            registry=registry,
        )
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

    async def read(self) -> None:
        """Read the state of sources from the database. Raises the errors of a lost connection."""
        if self._services.watch is None:
            return
        summary = await self._services.watch.summary()
        self._age.clear()
        self._failing.clear()
        for each in summary.sources:
            self._age.labels(each.key).set(each.age_seconds)
            self._failing.labels(each.key).set(each.failing_since is not None)
        self._overdue.set(len(summary.overdue))
        waiting = await self._services.watch.waiting()
        self._waiting.set(waiting.candidates)
        self._oldest.set(waiting.oldest_seconds)
