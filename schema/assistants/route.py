"""`/mcp`: the tools over streamable HTTP, without sessions."""

import asyncio
import importlib
from collections.abc import Awaitable, Mapping
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from strawberry.http.websocket_origin import normalize_origin

from schema.assistants.calls import Calls
from schema.assistants.tool import CheckableAnswer
from schema.base.errors import tracker_error
from schema.execution.response_cache import ResponseCache
from schema.http.authentication import AccessControl, Client
from schema.http.cross_site import comes_from_own_page, refusal_message
from schema.http.limits import PushPriority
from schema.http.messages import check_parameters, error_response, observe, read_body
from schema.http.receipt_files import ReceiptFiles
from schema.telemetry.observer import Observer
from schema.telemetry.operation import current_operation
from tracker.errors import Forbidden, InvalidInput, TrackerError, Unavailable

MAX_BODY_BYTES = 64 * 1024
"""Maximum size of a request: a call has a few words."""
MAX_SECONDS = 60
"""Maximum time in seconds to read and process a request; its queries have less."""
ARGUMENTS = "arguments"
SDK = "mcp"
HTTP = "schema.assistants.http"
NOT_INSTALLED = (
    "assistants are not installed here: pip install 'critical-minerals-policy-tracker[mcp]'"
)


def is_installed() -> bool:
    """Return whether the SDK is installed."""
    return find_spec(SDK) is not None


async def import_http() -> ModuleType:
    """Import the module that needs the SDK, on first use and outside of the event loop.

    Raises TrackerError if it is not installed.
    """
    if not is_installed():
        raise TrackerError(NOT_INSTALLED, code="ASSISTANTS_NOT_INSTALLED")
    return await asyncio.to_thread(importlib.import_module, HTTP)


class AssistantRoute:
    """Handler of requests of assistants."""

    def __init__(
        self,
        access_control: AccessControl,
        answers: ResponseCache,
        receipts: ReceiptFiles,
        observer: Observer,
        pacing: PushPriority,
    ):
        self._access_control = access_control
        self._calls = Calls(answers)
        self._receipts = receipts
        self._observer = observer
        self._pacing = pacing
        self._http: ModuleType | None = None

    async def respond(self, request: Request) -> Response:
        """Return the response to a message of the protocol; earlier refusals are as in other routes."""
        answer = self._respond(self._answer(request))
        return await observe(self._observer, self._pacing, "mcp", request, answer)

    async def receipt(self, request: Request) -> Response:
        """Return the receipt of a call; `arguments` are those of the tool, as JSON."""
        answer = self._respond(self._receipt(request))
        return await observe(self._observer, self._pacing, "mcp", request, answer)

    async def _respond(self, answer: Awaitable[Response]) -> Response:
        try:
            async with asyncio.timeout(MAX_SECONDS):
                return await answer
        except TimeoutError:
            problem: TrackerError = Unavailable(
                f"No answer in {MAX_SECONDS} seconds", code="TIMEOUT"
            )
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:
            problem = tracker_error(error)
        current_operation().note_error(problem.code)
        return error_response(problem)

    async def _answer(self, request: Request) -> Response:
        require_known_origin(request, self._access_control.access.origins)
        client = await self._access_control.authenticate_request(request)
        current_operation().actor = client.caller.name
        if self._http is None:
            # not from `sys.modules`, which contains it from the start of its import
            self._http = await import_http()
        body = await read_body(request, MAX_BODY_BYTES)
        return await self._exchange(self._http, request, client, body)

    async def _receipt(self, request: Request) -> Response:
        client = await self._access_control.authenticate_request(request)
        current_operation().actor = client.caller.name
        check_parameters(request, (ARGUMENTS,))
        values = _arguments(request.query_params.get(ARGUMENTS, "{}"))
        tool = request.path_params["tool"]
        async with self._access_control.work_slot(client):
            query, answer = await self._calls.query(tool, values, client)
        response = await self._receipts.respond(client, query, answer, f"{tool}-{answer.position}")
        current_operation().outcome = "ok"
        return response

    async def _exchange(
        self, http: ModuleType, request: Request, client: Client, body: bytes
    ) -> Response:
        origin = str(request.base_url).rstrip("/")

        async def call(name: str, arguments: Mapping[str, Any]) -> CheckableAnswer:
            return await self._calls.call(name, arguments, client, origin)

        async with self._access_control.work_slot(client):
            response: Response = await http.exchange(call, request, body)
        return response


def _arguments(text: str) -> dict[str, Any]:
    """Return the arguments of a tool in an address. Raises InvalidInput."""
    try:
        values = orjson.loads(text)
    except orjson.JSONDecodeError:
        values = None
    if not isinstance(values, dict):
        raise InvalidInput("expected a JSON object", code="INVALID_JSON", path=(ARGUMENTS,))
    return values


def require_known_origin(request: Request, origins: tuple[str, ...]) -> None:
    """Refuse requests caused by pages of origins that are not listed. Raises Forbidden."""
    origin = request.headers.get("origin")
    if (
        origin is None
        or comes_from_own_page(request.headers)
        or "*" in origins
        or normalize_origin(origin) in origins
    ):
        return
    raise Forbidden(refusal_message(origin), code="UNKNOWN_ORIGIN")
