"""GraphQL over HTTP: GET for queries, POST for queries and mutations; answers are JSON, or come
piece by piece where a client asks for that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from schema.answers import Answer, Answers, Question
from schema.errors import masked, plain_error
from schema.execute import QUERIES, QUERIES_AND_MUTATIONS
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

VARY = "Accept, Authorization"
STAYS = "max-age=3600, immutable"
"""For questions that pin every moment. Their answers stay, unless a law forces out a text or a
release mends how answers are computed: an hour is how long copies elsewhere outlive that."""
CHECKED = "no-cache"
"""For others: a copy may be kept, and has to be asked about (If-None-Match)."""

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

    def __init__(self, gate: Gate, answers: Answers, persisted: Persisted, streams: Streams):
        self._gate = gate
        self._answers = answers
        self._persisted = persisted
        self._streams = streams

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
        answer = await self._answers.answer(
            Question(document, variables or {}, operation, visitor.caller),
            QUERIES_AND_MUTATIONS if posted else QUERIES,
        )
        if isinstance(answer, Answer):
            return self._found(request, answer)
        return _response(request, answer)

    def _found(self, request: Request, answer: Answer) -> Response:
        """An answer without errors; none to a GET whose client has it already."""
        seen().outcome = "ok"
        headers = {"Vary": VARY, "Cache-Control": "no-store"}
        if request.method != "POST":
            shared = self._gate.access.read_open and "authorization" not in request.headers
            headers["Cache-Control"] = (f"{'public' if shared else 'private'},"
                                        f" {STAYS if answer.stays else CHECKED}")
            headers["ETag"] = answer.tag
            if _has(request.headers.get("if-none-match", ""), answer.tag.removeprefix("W/")):
                return Response(status_code=304, headers=headers)
        return Response(answer.body, headers=headers, media_type=_media_type(request))


def _has(given: str, tag: str) -> bool:
    """Whether a client has the content of a tag, by its If-None-Match (RFC 9110, 13.1.2)."""
    return given.strip() == "*" or tag in given


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
    modern = _modern(request)
    if status == 200 and "data" not in answer:
        code = answer["errors"][0]["extensions"]["code"]
        status = STATUS.get(code) or (REQUEST_STATUS.get(code, 400) if modern else 200)
    return Response(
        orjson.dumps(answer), status,
        headers={"Vary": VARY, "Cache-Control": "no-store",
                 **({"Allow": "POST"} if status == 405 else {}), **(advice or {})},
        media_type=_media_type(request),
    )


def _modern(request: Request) -> bool:
    """Whether the client knows the media type of GraphQL."""
    return GRAPHQL_JSON in request.headers.get("accept", "")


def _media_type(request: Request) -> str:
    return f"{GRAPHQL_JSON if _modern(request) else JSON}; charset=utf-8"
