"""GraphQL over HTTP: GET for queries, POST for queries and mutations; answers are JSON, or come
piece by piece where a client asks for that.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from schema.context import Services
from schema.errors import masked, plain_error
from schema.execute import QUERIES, QUERIES_AND_MUTATIONS, execute
from schema.gate import Gate
from schema.limits import MOST_BYTES
from schema.persisted import Persisted
from schema.routes.observed import first_code
from schema.routes.pages import query_page, wants_page
from schema.routes.streams import Streams, form_asked
from schema.seen import seen
from tracker.errors import InvalidInput, RateLimited, TooLarge, TrackerError

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"

STATUS = {"BAD_REQUEST": 400, "INVALID_JSON": 400, "TOO_LARGE": 413, "UNSUPPORTED_MEDIA_TYPE": 415,
          "OPERATION_NOT_ALLOWED": 405, "UNAUTHENTICATED": 401, "FORBIDDEN": 403,
          "RATE_LIMITED": 429, "TOO_MANY_OPERATIONS": 429,
          "PERSISTED_QUERY_NOT_FOUND": 200}
"""Statuses of requests that are not GraphQL, not for this method, or not let in; and of hashes that
are not known, which clients take for a part of the protocol only with 200."""

REQUEST_STATUS = {"INTERNAL": 500, "TIMEOUT": 503, "UNAVAILABLE": 503}
"""Statuses, for clients that know `application/graphql-response+json`, of answers without data."""


class View:
    """Answers GraphQL requests."""

    def __init__(self, services: Services, gate: Gate, ending: asyncio.Event):
        self._services = services
        self._gate = gate
        self._persisted = Persisted()
        self._streams = Streams(services, gate, ending)

    async def respond(self, request: Request) -> Response:
        """The answer to a request; whatever goes wrong, it is JSON."""
        if wants_page(request):
            return await query_page(request)
        try:
            return await self._answer(request)
        except TrackerError as error:
            answer = plain_error(error.code, error.message, error.path)
            status = STATUS.get(error.code) or REQUEST_STATUS.get(error.code, 400)
            return _response(request, answer, status, _advice(error))
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:
            return _response(request, {"errors": [masked(error)]}, 500)

    async def _answer(self, request: Request) -> Response:
        visitor = await self._gate.enter(request.headers.get("authorization", ""),
                                         request.client and request.client.host)
        seen().actor = visitor.caller.name
        posted = request.method == "POST"
        asked = await _asked_by_post(request) if posted else _asked_by_get(request)
        operation = _of_type(asked, "operationName", str)
        seen().named(operation)
        extensions = _of_type(asked, "extensions", dict)
        document = self._persisted.document(_of_type(asked, "query", str), extensions) or ""
        variables = _of_type(asked, "variables", dict)
        if form := form_asked(request):
            return self._streams.respond(request, form, visitor, document, variables, operation)
        return _response(request, await execute(
            self._services,
            document,
            variables,
            self._gate.access,
            caller=visitor.caller,
            operation_name=operation,
            allowed=QUERIES_AND_MUTATIONS if posted else QUERIES,
        ))


def _asked_by_get(request: Request) -> dict[str, Any]:
    asked: dict[str, Any] = dict(request.query_params)
    for name in ("variables", "extensions"):
        if given := asked.pop(name, None):
            asked[name] = _json(given.encode("utf-8", "replace"), name)
    return asked


async def _asked_by_post(request: Request) -> dict[str, Any]:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != JSON:
        raise InvalidInput(f"expected Content-Type {JSON}", code="UNSUPPORTED_MEDIA_TYPE")
    asked = _json(await _body(request))
    if not isinstance(asked, dict):
        raise InvalidInput("expected an object with a query", code="BAD_REQUEST")
    return asked


async def _body(request: Request) -> bytes:
    """The body, read no further than the limit."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise TooLarge(f"expected a body of at most {MOST_BYTES} bytes")
    return bytes(body)


def _json(text: bytes, *path: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"expected JSON: {error}", code="INVALID_JSON", path=path) from None


def _of_type(asked: Mapping[str, Any], name: str, kind: type) -> Any:
    value = asked.get(name)
    if value is not None and not isinstance(value, kind):
        raise InvalidInput(f"expected {'an object' if kind is dict else 'text'}",
                           code="BAD_REQUEST", path=(name,))
    return value


def _advice(error: TrackerError) -> dict[str, str]:
    """What headers say of an error."""
    if isinstance(error, RateLimited):
        return {"Retry-After": str(math.ceil(error.seconds))}
    return {"WWW-Authenticate": "Bearer"} if error.code == "UNAUTHENTICATED" else {}


def _response(
    request: Request, answer: dict[str, Any], status: int = 200,
    advice: Mapping[str, str] | None = None,
) -> Response:
    """An answer as JSON, of the media type that the client knows."""
    seen().outcome = first_code(answer)
    modern = GRAPHQL_JSON in request.headers.get("accept", "")
    if status == 200 and "data" not in answer:
        code = answer["errors"][0]["extensions"]["code"]
        status = STATUS.get(code) or (REQUEST_STATUS.get(code, 400) if modern else 200)
    return Response(
        orjson.dumps(answer), status,
        headers={"Vary": "Accept", "Cache-Control": "no-store",
                 **({"Allow": "POST"} if status == 405 else {}), **(advice or {})},
        media_type=f"{GRAPHQL_JSON if modern else JSON}; charset=utf-8",
    )
