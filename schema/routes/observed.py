"""What is counted and logged of every GraphQL request over HTTP.

One line a request, of the logger `tracker.requests` at level info: never documents, variables or
headers, which may hold what is nobody's business.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from schema.routes.metrics import Metrics
from schema.routes.reply import Answering

REQUEST_ID = re.compile(r"[\w.:-]{1,100}", re.ASCII)

logger = logging.getLogger("tracker.requests")


def observed(respond: Answering, metrics: Metrics) -> Answering:
    """The same answers, counted, logged and with the id of their request."""

    async def responding(request: Request) -> Response:
        started = time.perf_counter()
        response = await respond(request)
        id = request_id(request)
        response.headers["X-Request-ID"] = id
        outcome = getattr(request.state, "outcome", None)
        if outcome is not None:  # not the page
            operation, seconds = getattr(request.state, "operation", None), _since(started)
            metrics.answered(operation, outcome, seconds)
            _log(id, operation, outcome, seconds, response.status_code)
        return response

    return responding


def request_id(request: Request) -> str:
    """The id that the client or a proxy gave the request, where it has the shape of one."""
    given = request.headers.get("x-request-id", "")
    return given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def first_code(answer: dict[str, Any]) -> str:
    """The outcome of an answer: `ok`, or the code of its first error."""
    errors = answer.get("errors")
    return str(errors[0].get("extensions", {}).get("code", "ERROR")) if errors else "ok"


def _since(started: float) -> float:
    return time.perf_counter() - started


def _log(id: str, operation: str | None, outcome: str, seconds: float, status: int) -> None:
    if logger.isEnabledFor(logging.INFO):
        fields = {"request": id, "operation": operation and operation[:100], "outcome": outcome,
                  "status": status, "milliseconds": round(seconds * 1000, 1)}
        logger.info("%s", " ".join(f"{name}={value}" for name, value in fields.items()),
                    extra={"fields": fields})
