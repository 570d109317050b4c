"""Requests as operations that are counted, logged and paced."""

from __future__ import annotations

from collections.abc import Awaitable

from starlette.requests import Request
from starlette.responses import Response

from schema.http.pacing import Pacing
from schema.http.request import header
from schema.telemetry.observer import Observer, request_id


async def observe(
    observer: Observer,
    pacing: Pacing,
    transport: str,
    request: Request,
    answer: Awaitable[Response],
) -> Response:
    """The response to a request, with the id of the request."""
    id = request_id(header(request.scope["headers"], b"x-request-id"))
    with observer.operation(id, transport, request.headers) as operation:
        with pacing.answering():
            response = await answer
        operation.status = response.status_code
    response.headers["X-Request-ID"] = id
    return response
