"""What is seen of GraphQL over HTTP."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from schema.observe import Observer, request_id
from schema.routes.pages import wants_page
from schema.routes.reply import Answering


def observed(respond: Answering, observer: Observer) -> Answering:
    """The same answers, with the id of their request; all but the page are seen."""

    async def responding(request: Request) -> Response:
        id = request_id(request.headers.get("x-request-id", ""))
        if wants_page(request):
            response = await respond(request)
        else:
            with observer.operation(id, "http", request.headers) as seen:
                response = await respond(request)
                seen.status = response.status_code
        response.headers["X-Request-ID"] = id
        return response

    return responding


def first_code(answer: dict[str, Any]) -> str:
    """The outcome of an answer: `ok`, or the code of its first error."""
    errors = answer.get("errors")
    return str(errors[0].get("extensions", {}).get("code", "ERROR")) if errors else "ok"
