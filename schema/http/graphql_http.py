"""GraphQL over HTTP: GET for queries, POST for queries and mutations.

Responses are JSON, or are streamed if the client requests it.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from schema.base.errors import masked_error, plain_error
from schema.execution.admission import max_body_bytes
from schema.execution.execute import QUERIES, QUERIES_AND_MUTATIONS
from schema.execution.persisted_documents import PersistedQueries
from schema.execution.response_cache import Answer, QueryRequest, ResponseCache
from schema.execution.url_parameters import SCENARIO, require_record
from schema.http.authentication import AccessControl, Client
from schema.http.graphiql import query_page
from schema.http.limits import PushPriority
from schema.http.messages import (
    MIN_COMPRESSED_BYTES,
    STATUSES,
    advice,
    has_tag,
    header,
    observe,
    read_body,
    takes_gzip,
)
from schema.http.response_format import JSON, ResponseFormat, response_format, wants_page
from schema.http.streaming import AnswersInParts, GraphQLStreams
from schema.receipts.issuer import ReceiptIssuer
from schema.telemetry.observer import Observer
from schema.telemetry.operation import current_operation
from tracker.audit.format.signed_note import Note
from tracker.errors import InvalidInput, TrackerError

VARY = "Accept, Accept-Encoding, Authorization, Prefer"
RECEIPT = "receipt"
"""The preference (RFC 7240) for a receipt beside the answer."""
MAX_LOOP_COMPRESSION_BYTES = 64 * 1024
NO_STORE = "no-store"
NO_ADVICE: Mapping[str, str] = {}

STATUS, REQUEST_STATUS = STATUSES["graphql"], STATUSES["without_data"]


class GraphQLEndpoint:
    """Handler of GraphQL requests; a browser that opens the address gets a page."""

    def __init__(
        self,
        access_control: AccessControl,
        answers: ResponseCache,
        issuer: ReceiptIssuer,
        persisted: PersistedQueries,
        streams: GraphQLStreams,
        parts: AnswersInParts,
        observer: Observer,
        pacing: PushPriority,
    ):
        self._access_control = access_control
        self._observer = observer
        self._answers = answers
        self._issuer = issuer
        self._persisted = persisted
        self._streams = streams
        self._parts = parts
        self._pacing = pacing

    async def respond(self, request: Request) -> Response:
        """Return the response to a request, with the id of the request."""
        accept = header(request.scope["headers"], b"accept")
        if wants_page(request.method, accept):
            return query_page()
        answer = self._respond(request, response_format(accept))
        return await observe(self._observer, self._pacing, "http", request, answer)

    async def _respond(self, request: Request, form: ResponseFormat) -> Response:
        """Return the response to an operation; errors are JSON."""
        try:
            return await self._answer(request, form)
        except TrackerError as error:
            answer = plain_error(error.code, error.message, error.path)
            status = STATUS.get(error.code) or REQUEST_STATUS.get(error.code, 400)
            return _response(form, answer, status, advice(error))
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:
            return _response(form, {"errors": [masked_error(error)]}, 500)

    async def _answer(self, request: Request, form: ResponseFormat) -> Response:
        client = await self._access_control.authenticate_request(request)
        current_operation().actor = client.caller.name
        if request.method != "POST":
            return await self._operate(request, form, client, _fields_of_get(request))
        async with self._access_control.body_slot(client, request):
            fields = await _fields_of_post(request, max_body_bytes(client.caller))
            return await self._operate(request, form, client, fields)

    async def _operate(
        self, request: Request, form: ResponseFormat, client: Client, fields: dict[str, Any]
    ) -> Response:
        operation = _of_type(fields, "operationName", str)
        current_operation().note_name(operation)
        document = self._document(fields)
        variables = _of_type(fields, "variables", dict)
        if form.stream:
            return self._streams.respond(
                request, form.stream, client, document, variables, operation
            )
        wants_receipt = prefers(request, RECEIPT)
        if form.in_parts and self._parts.has_room and not wants_receipt:
            return self._parts.respond(request, client, document, variables, operation)
        query = QueryRequest(document, variables or {}, operation, client.caller)
        answer = await self._answers.answer(
            query,
            QUERIES_AND_MUTATIONS if request.method == "POST" else QUERIES,
            self._access_control.work_slot(client),
        )
        if isinstance(answer, Answer) and wants_receipt:
            async with self._access_control.work_slot(client):
                note = await self._issuer.note(query, answer)
            return _with_receipt(form, answer, note)
        if isinstance(answer, Answer):
            return await self._success(request, form, answer)
        if wants_receipt:
            require_record(answer.get("extensions", {}).get(SCENARIO), "a receipt")
        return _response(form, answer)

    def _document(self, fields: Mapping[str, Any]) -> str:
        """Return the document of a request; empty if it has none."""
        text, id = _of_type(fields, "query", str), _of_type(fields, "documentId", str)
        return self._persisted.document(text, _of_type(fields, "extensions", dict), id) or ""

    async def _success(self, request: Request, form: ResponseFormat, answer: Answer) -> Response:
        """Return a response without errors; without a body for a GET if the client has it already."""
        current_operation().outcome = "ok"
        if request.method == "POST":
            headers = {"Vary": VARY, "Cache-Control": NO_STORE}
        else:
            caching = cache_control(self._access_control.is_shared(request), answer.immutable)
            headers = {"Vary": VARY, "Cache-Control": caching, "ETag": answer.tag}
            if has_tag(request.headers.get("if-none-match", ""), answer.tag.removeprefix("W/")):
                return Response(status_code=304, headers=headers)
        return _json_of(form, await _encoded(request, answer, headers), headers)


def cache_control(shared: bool, stays: bool) -> str:
    """Return how long copies of a response may be cached, and whether shared caches may store it.

    Responses to queries that fix every date and position are immutable. Copies expire after an hour, in
    case of a redaction or a fix. Other responses may be cached, and must be revalidated (If-None-Match).
    """
    lifetime = "max-age=3600, immutable" if stays else "no-cache"
    return f"{'public' if shared else 'private'}, {lifetime}"


def prefers(request: Request, preference: str) -> bool:
    """Return whether a request has a preference (RFC 7240) without a value."""
    values = ",".join(request.headers.getlist("prefer")).split(",")
    return any(value.partition(";")[0].strip().lower() == preference for value in values)


def _with_receipt(form: ResponseFormat, answer: Answer, note: Note) -> Response:
    """Return a response with its receipt in `extensions`. It differs each time, so it is not stored."""
    current_operation().outcome = "ok"
    extensions = orjson.loads(answer.body).get("extensions", {})
    body = b'%s,"extensions":%s}' % (
        answer.body[: answer.data_ends],
        orjson.dumps({**extensions, RECEIPT: str(note)}),
    )
    headers = {"Vary": VARY, "Cache-Control": NO_STORE, "Preference-Applied": RECEIPT}
    return _json_of(form, body, headers)


async def _encoded(request: Request, answer: Answer, headers: dict[str, str]) -> bytes:
    """Return the encoded bytes of a response. Compression of large ones runs outside of the event loop."""
    if len(answer.body) < MIN_COMPRESSED_BYTES or not takes_gzip(
        header(request.scope["headers"], b"accept-encoding")
    ):
        return answer.body
    headers["Content-Encoding"] = "gzip"
    if len(answer.body) > MAX_LOOP_COMPRESSION_BYTES:
        return await asyncio.to_thread(getattr, answer, "gzipped")
    return answer.gzipped


def _fields_of_get(request: Request) -> dict[str, Any]:
    fields: dict[str, Any] = {**request.query_params}
    for name in ("variables", "extensions"):
        if text := fields.pop(name, None):
            fields[name] = _json(text.encode("utf-8", "replace"), name)
    return fields


async def _fields_of_post(request: Request, most: int) -> dict[str, Any]:
    media_type = header(request.scope["headers"], b"content-type").partition(";")[0].strip().lower()
    if media_type != JSON:
        raise InvalidInput(f"expected Content-Type {JSON}", code="UNSUPPORTED_MEDIA_TYPE")
    fields = _json(await read_body(request, most))
    if not isinstance(fields, dict):
        raise InvalidInput("expected an object with a query", code="BAD_REQUEST")
    return fields


def _json(text: bytes, *path: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"expected JSON: {error}", code="INVALID_JSON", path=path) from None


def _of_type(fields: Mapping[str, Any], name: str, kind: type) -> Any:
    value = fields.get(name)
    if value is not None and not isinstance(value, kind):
        raise InvalidInput(
            f"expected {'an object' if kind is dict else 'text'}", code="BAD_REQUEST", path=(name,)
        )
    return value


def _response(
    form: ResponseFormat,
    answer: dict[str, Any],
    status: int = 200,
    advice: Mapping[str, str] = NO_ADVICE,
) -> Response:
    """Return a response with errors, or that of a mutation."""
    current_operation().outcome = first_code(answer)
    if status == 200 and "data" not in answer:
        code = answer["errors"][0]["extensions"]["code"]
        status = STATUS.get(code) or (REQUEST_STATUS.get(code, 400) if form.knows_graphql else 200)
    headers = {"Vary": VARY, "Cache-Control": NO_STORE, **advice}
    if status == 405:
        headers["Allow"] = "POST"
    return _json_of(form, orjson.dumps(answer), headers, status)


def _json_of(
    form: ResponseFormat, body: bytes, headers: dict[str, str], status: int = 200
) -> Response:
    """Return JSON with the media type that the client knows."""
    return Response(body, status, headers, f"{form.media_type}; charset=utf-8")


def first_code(answer: dict[str, Any]) -> str:
    """Return the outcome of a response: `ok`, or the code of its first error."""
    errors = answer.get("errors")
    return str(errors[0].get("extensions", {}).get("code", "ERROR")) if errors else "ok"
