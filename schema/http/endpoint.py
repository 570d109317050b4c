"""What is seen of GraphQL over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from schema.http.graphiql import query_page, wants_page
from schema.http.request import Incoming
from schema.telemetry.observer import Observer, request_id


class Observed:
    """Answers as `respond` does, with the id of the request, and lets it be seen; the page that
    browsers ask for is not.
    """

    def __init__(self, respond: Callable[[Incoming], Awaitable[Response]], observer: Observer):
        self._respond = respond
        self._observer = observer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        asked = Incoming(scope, receive)
        id = request_id(asked.header(b"x-request-id"))
        if wants_page(asked.method, asked.header(b"accept")):
            response = query_page()
        else:
            with self._observer.operation(id, "http", asked.headers) as seen:
                response = await self._respond(asked)
                seen.status = response.status_code
        response.raw_headers.append((b"x-request-id", id.encode()))
        await response(scope, receive, send)


def first_code(answer: dict[str, Any]) -> str:
    """The outcome of an answer: `ok`, or the code of its first error."""
    errors = answer.get("errors")
    return str(errors[0].get("extensions", {}).get("code", "ERROR")) if errors else "ok"
