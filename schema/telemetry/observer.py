"""Observer of every GraphQL operation, over any transport: metrics, a log line, a span.

The line is of the logger `tracker.requests` at level info. It never contains documents, variables, headers
and tokens, because they may be confidential.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import TracebackType

from schema.telemetry.metrics import Metrics
from schema.telemetry.operation import CURRENT_OPERATION, OperationInfo, Tracing

REQUEST_ID = re.compile(r"[\w.:-]{1,100}", re.ASCII)
WEBSOCKET = "websocket"

logger = logging.getLogger("tracker.requests")


class Observer:
    """Observer of operations."""

    def __init__(self, metrics: Metrics, tracing: Tracing | None = None):
        self.metrics = metrics
        self._tracing = tracing

    def operation(
        self, request: str, transport: str, headers: Mapping[str, str]
    ) -> ObservedOperation:
        """Return an observed operation, from start to end."""
        seen = OperationInfo(request, transport, tracing=self._tracing)
        return ObservedOperation(
            seen, self.metrics, self._tracing.operation(seen, headers) if self._tracing else None
        )


class ObservedOperation:
    """An operation in progress, for `with`."""

    __slots__ = ("_metrics", "_seen", "_span", "_started", "_token")

    def __init__(
        self, seen: OperationInfo, metrics: Metrics, span: AbstractContextManager[None] | None
    ):
        self._seen = seen
        self._metrics = metrics
        self._span = span

    def __enter__(self) -> OperationInfo:
        """Start the operation."""
        self._token = CURRENT_OPERATION.set(self._seen)
        self._started = time.perf_counter()
        if self._span:
            self._span.__enter__()
        return self._seen

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the operation, with success or an error."""
        seen = self._seen
        seen.outcome = outcome = seen.outcome or _outcome(seen, error)
        if self._span:
            self._span.__exit__(kind, error, trace)
        CURRENT_OPERATION.reset(self._token)
        seconds = time.perf_counter() - self._started
        self._metrics.count_operation(seen.transport, seen.type, seen.operation, outcome, seconds)
        log_operation(seen, seconds)


def _outcome(seen: OperationInfo, error: BaseException | None) -> str:
    """Return the outcome of an operation. A subscription that its client ends is `ok`."""
    if error is None or (isinstance(error, asyncio.CancelledError) and seen.type == "subscription"):
        return "ok"
    return "CANCELLED" if isinstance(error, asyncio.CancelledError) else "INTERNAL"


def request_id(text: str) -> str:
    """Return the id that the client or a proxy gave a request, if it is well formed."""
    return text if text and REQUEST_ID.fullmatch(text) else os.urandom(16).hex()


def log_operation(seen: OperationInfo, seconds: float) -> None:
    """Write the line of an operation."""
    if logger.isEnabledFor(logging.INFO):
        shown = {
            "request": seen.request,
            "transport": seen.transport,
            "actor": seen.actor,
            "type": seen.type,
            "operation": seen.operation,
            "position": seen.position,
            "outcome": seen.outcome,
            "status": seen.status,
            "milliseconds": round(seconds * 1000, 1),
            "trace": seen.trace,
        }
        fields = {name: value for name, value in shown.items() if value is not None}
        logger.info(
            "%s",
            " ".join(f"{name}={value}" for name, value in fields.items()),
            extra={"fields": fields},
        )
