"""Sees every GraphQL operation, whatever it came over: counts, a line in the log, a span.

The line is of the logger `tracker.requests` at level info. Documents, variables, headers and tokens
are never in it: they may hold what is nobody's business.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext

from schema.routes.metrics import Metrics
from schema.seen import SEEN, Seen, Tracing

REQUEST_ID = re.compile(r"[\w.:-]{1,100}", re.ASCII)
WEBSOCKET = "websocket"

logger = logging.getLogger("tracker.requests")


class Observer:
    """Sees operations."""

    def __init__(self, metrics: Metrics, tracing: Tracing | None = None):
        self.metrics = metrics
        self._tracing = tracing

    @contextmanager
    def operation(
        self, request: str, transport: str, headers: Mapping[str, str]
    ) -> Iterator[Seen]:
        """An operation from its beginning to its end."""
        seen = Seen(request, transport, tracing=self._tracing)
        token, started = SEEN.set(seen), time.perf_counter()
        span = self._tracing.operation(seen, headers) if self._tracing else nullcontext()
        try:
            with span:
                yield from _to_the_end(seen)
        finally:
            SEEN.reset(token)
            seconds = time.perf_counter() - started
            self.metrics.answered(seen.transport, seen.type, seen.operation, str(seen.outcome),
                                  seconds)
            log(seen, seconds)


def _to_the_end(seen: Seen) -> Iterator[Seen]:
    """Watch for how an operation ends. A client that ends a subscription does what it should."""
    try:
        yield seen
    except asyncio.CancelledError:
        seen.failed("ok" if seen.type == "subscription" else "CANCELLED")
        raise
    except BaseException:
        seen.failed("INTERNAL")
        raise
    finally:
        seen.outcome = seen.outcome or "ok"


def request_id(given: str) -> str:
    """The id that the client or a proxy gave a request, where it has the shape of one."""
    return given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def log(seen: Seen, seconds: float) -> None:
    """Write the line of an operation."""
    if logger.isEnabledFor(logging.INFO):
        shown = {"request": seen.request, "transport": seen.transport, "actor": seen.actor,
                 "type": seen.type, "operation": seen.operation, "position": seen.position,
                 "outcome": seen.outcome, "status": seen.status,
                 "milliseconds": round(seconds * 1000, 1), "trace": seen.trace}
        fields = {name: value for name, value in shown.items() if value is not None}
        logger.info("%s", " ".join(f"{name}={value}" for name, value in fields.items()),
                    extra={"fields": fields})
