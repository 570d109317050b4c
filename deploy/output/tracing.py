"""OpenTelemetry traces, if the extra `otel` is installed and `OTEL_` variables request them.

The SDK reads endpoints, sampling, the service name and context propagation from these variables. It is
imported only if one of ASKING is set.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from schema.telemetry.operation import OperationInfo
from tracker.errors import InvalidInput
from tracker.postgres.background import BackgroundWork

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span

EXPORTER_VARIABLES = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_TRACES_EXPORTER",
)
SERVICE = "tracker"
FAILURES = frozenset({"INTERNAL", "TIMEOUT", "UNAVAILABLE", "DISK_FULL"})
"""Outcomes of server errors, whose spans are errors."""
SHUTDOWN_TIMEOUT_SECONDS = 2
"""Maximum delay of a shutdown in seconds for spans that are not sent yet."""

logger = logging.getLogger(__name__)


class Traces:
    """A tracer of operations and their steps, and of background work."""

    def __init__(self, provider: TracerProvider):
        from opentelemetry import propagate, trace

        self._trace, self._propagate, self._provider = trace, propagate, provider
        self._tracer = provider.get_tracer(SERVICE)

    @contextmanager
    def operation(self, seen: OperationInfo, headers: Mapping[str, str]) -> Iterator[None]:
        """Trace an operation: over HTTP as a child of the client's span.

        A WebSocket is long-lived, so each of its operations is a separate trace with a link.
        """
        trace = self._trace
        remote = self._propagate.extract({name.lower(): of for name, of in headers.items()})
        named = trace.get_current_span(remote).get_span_context()
        below: dict[str, Any] = {"context": remote}
        if seen.transport != "http":
            below = {
                "context": trace.set_span_in_context(trace.INVALID_SPAN),
                "links": [trace.Link(named)] if named.is_valid else [],
            }
        with self._tracer.start_as_current_span(
            "GraphQL Operation",
            kind=trace.SpanKind.SERVER,
            record_exception=False,
            set_status_on_exception=False,
            **below,
        ) as span:
            seen.trace = format(span.get_span_context().trace_id, "032x")
            try:
                yield
            finally:
                self._describe(span, seen)

    def _describe(self, span: Span, seen: OperationInfo) -> None:
        """Set attributes of a span, in OpenTelemetry's semantic conventions if possible."""
        span.update_name(seen.type or "GraphQL Operation")
        attributes = {
            "graphql.operation.type": seen.type,
            "graphql.operation.name": seen.operation,
            "tracker.request": seen.request,
            "tracker.transport": seen.transport,
            "tracker.actor": seen.actor,
            "tracker.position": seen.position,
            "tracker.outcome": seen.outcome,
        }
        span.set_attributes({name: of for name, of in attributes.items() if of is not None})
        if seen.outcome in FAILURES:
            span.set_attribute("error.type", seen.outcome)
            span.set_status(self._trace.StatusCode.ERROR)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Trace a part of an operation."""
        with self._tracer.start_as_current_span(
            name, record_exception=False, set_status_on_exception=False
        ):
            yield

    def work(self, work: BackgroundWork) -> None:
        """Trace background work as a separate trace."""
        trace = self._trace
        span = self._tracer.start_span(
            work.name,
            trace.set_span_in_context(trace.INVALID_SPAN),
            start_time=work.started,
            attributes={"tracker.events": work.events, "tracker.position": work.position},
        )
        if work.error:
            span.set_attribute("error.type", work.error)
            span.set_status(trace.StatusCode.ERROR)
        span.end()

    def end(self) -> None:
        """Send pending spans, with a timeout for an unreachable collector."""
        sending = threading.Thread(target=self._provider.shutdown, daemon=True)
        sending.start()
        sending.join(SHUTDOWN_TIMEOUT_SECONDS)


def tracing(environment: Mapping[str, str] = os.environ) -> Traces | None:
    """Return the tracer if the environment configures an exporter, or None. Raises InvalidInput."""
    disabled = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    if disabled or not any(environment.get(variable) for variable in EXPORTER_VARIABLES):
        return None
    if not installed():
        logger.warning("OTEL_ variables ask for traces: expected the extra otel to be installed")
        return None
    exporters = [
        _exporter(name.strip())
        for name in (environment.get("OTEL_TRACES_EXPORTER") or "otlp").split(",")
        if name.strip() != "none"
    ]
    return Traces(_provider(exporters, environment)) if exporters else None


def installed() -> bool:
    """Whether the SDK is installed."""
    try:
        return importlib.util.find_spec("opentelemetry.sdk.trace") is not None
    except ModuleNotFoundError:
        return False


def _provider(exporters: list[SpanExporter], environment: Mapping[str, str]) -> TracerProvider:
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    has_name = environment.get("OTEL_SERVICE_NAME") or "service.name=" in environment.get(
        "OTEL_RESOURCE_ATTRIBUTES", ""
    )
    provider = TracerProvider(
        resource=Resource.create({} if has_name else {SERVICE_NAME: SERVICE}),
        shutdown_on_exit=False,
    )
    for exporter in exporters:
        provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _exporter(name: str) -> SpanExporter:
    if name == "console":
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter()
    if name == "otlp":
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter()
    raise InvalidInput(f"OTEL_TRACES_EXPORTER={name}: expected otlp, console or none")
