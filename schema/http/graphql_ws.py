"""GraphQL over WebSockets, by the graphql-transport-ws protocol."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from json import JSONDecodeError
from typing import Any

import orjson
from graphql import GraphQLFormattedError, OperationType
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import (
    WebSocket,
    WebSocketDisconnect,
    WebSocketDisconnected,
    WebSocketState,
)
from strawberry.asgi import ASGIWebSocketAdapter, GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http import exceptions
from strawberry.http.exceptions import NonJsonMessageReceived, NonTextMessageReceived
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
    Operation,
)
from strawberry.subscriptions.protocols.graphql_transport_ws.types import (
    ConnectionInitMessage,
    SubscribeMessage,
)

from schema.base.context import Context
from schema.base.errors import error_extensions
from schema.execution.admission import max_body_bytes
from schema.execution.persisted_documents import PersistedQueries
from schema.execution.schema import SCHEMA
from schema.http.authentication import AccessControl, Client
from schema.http.shared_subscriptions import SharedSubscriptions, SubscriptionRequest
from schema.services import Services
from schema.telemetry.observer import WEBSOCKET, Observer, request_id
from schema.telemetry.operation import current_operation
from tracker.auth.scopes import Caller, parse_bearer
from tracker.errors import TrackerError

GONE = (WebSocketDisconnect, WebSocketDisconnected, exceptions.WebSocketDisconnected)
"""Exceptions on sending to a disconnected client: by Starlette at first, by Starlette later, and by
strawberry instead of the first."""
INIT_TIMEOUT_SECONDS = 10.0
"""Maximum time in seconds for `connection_init`; then the connection is closed with 4408."""


class WebSocketAdapter(ASGIWebSocketAdapter):
    """Adapter that passes only messages of a valid shape; the protocol handler trusts them."""

    async def iter_json(
        self, *, ignore_parsing_errors: bool = False
    ) -> AsyncGenerator[object, None]:
        """Yield the messages.

        A message of another shape closes the connection with 4400, one above the size limit of the caller
        with 1009.
        """
        while self.ws.application_state is not WebSocketState.DISCONNECTED:
            try:
                text = await self.ws.receive_text()
            except KeyError as error:
                raise NonTextMessageReceived from error
            except WebSocketDisconnect:
                return
            if len(text) > max_body_bytes(self.ws.state.connected.caller):
                await self.close(1009, "Message too big")
                return
            try:
                message = self.view.decode_json(text)
            except JSONDecodeError as error:
                raise NonJsonMessageReceived from error
            if not _well_formed(message):
                raise NonJsonMessageReceived
            yield message

    async def send_json(self, message: Mapping[str, object]) -> None:
        """Send a message. Raises strawberry's WebSocketDisconnected if the client is disconnected."""
        try:
            await super().send_json(message)
        except WebSocketDisconnected as error:
            raise exceptions.WebSocketDisconnected from error

    async def close(self, code: int, reason: str) -> None:
        """Close the connection, unless the client is disconnected."""
        with suppress(*GONE):
            await super().close(code, reason)


def _well_formed(message: Any) -> bool:
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return False
    if message["type"] not in ("subscribe", "complete"):
        return True
    payload = message.get("payload") or {}
    return (
        isinstance(message.get("id"), str)
        and isinstance(payload, dict)
        and (
            message["type"] == "complete"
            or (
                any(name in payload for name in ("query", "documentId"))
                and isinstance(payload.get("query", ""), str)
                and isinstance(payload.get("documentId", ""), str)
                and isinstance(payload.get("variables"), dict | None)
                and isinstance(payload.get("operationName"), str | None)
            )
        )
    )


@dataclass(slots=True, kw_only=True)
class WebSocketContext(Context):
    """The state of a connection. Before the first message, no client is authenticated."""

    access_control: AccessControl
    subscriptions: SharedSubscriptions
    observer: Observer
    persisted: PersistedQueries
    headers: Headers
    address: str | None
    client: Client | None = None
    ids: Iterator[str] = field(init=False)
    """Ids of its operations: that of the connection, and a number."""

    def __post_init__(self) -> None:
        id = request_id(self.headers.get("x-request-id", ""))
        self.ids = (f"{id}.{number}" for number in itertools.count(1))

    @property
    def authorization(self) -> str:
        """Return the token of the first message, or else of the header, which browsers cannot send."""
        header = self.connection_params.get("Authorization")
        return header if isinstance(header, str) else self.headers.get("authorization", "")

    async def enter(self) -> None:
        """Authenticate the client. Raises as `AccessControl.authenticate`."""
        self.client = await self.access_control.authenticate(self.authorization, self.address)
        self.caller = self.client.caller
        self.work_slot = partial(self.access_control.work_slot, self.client)


def _json(text: str) -> str:
    return orjson.dumps(text).decode()


def error_json(error: TrackerError) -> GraphQLFormattedError:
    """Return an error in the format of the protocol."""
    return {"message": error.message, "extensions": error_extensions(error.code)}


class WebSocketHandler(BaseGraphQLTransportWSHandler[Context, None]):
    """A handler that enforces limits on a connection, and ends it with its token."""

    watching: asyncio.Task[None] | None = None

    async def handle(self) -> None:
        """Serve the connection to its end."""
        try:
            with self._connected.observer.metrics.connections.track_inprogress():
                await super().handle()
        finally:
            if self.watching:
                self.watching.cancel()

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        """Authenticate the client, and watch its token from then on."""
        await super().handle_connection_init(message)
        if self.connection_acknowledged and parse_bearer(self._connected.authorization):
            self.watching = self.watching or asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        """Close the connection when its token is no longer valid."""
        connected = self._connected
        async for caller in connected.access_control.callers(connected.authorization):
            connected.caller = caller
        await self.websocket.close(code=4403, reason="Forbidden")

    async def handle_task_exception(self, error: Exception) -> None:
        """Log an error of an operation, unless the client is disconnected."""
        if not isinstance(error, GONE):
            await super().handle_task_exception(error)

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        """Start an operation, unless it exceeds a limit or its document is invalid.

        A refusal is sent before the next message is read, so that a client that does not read them cannot
        accumulate refusals.
        """
        connected = self._connected
        payload: dict[str, Any] = {**message["payload"]}
        try:
            connected.access_control.check_operation_limit(len(self.operations))
            if self.connection_acknowledged:
                message["payload"]["query"] = (
                    connected.persisted.document(
                        payload.get("query"), None, payload.get("documentId")
                    )
                    or ""
                )
        except TrackerError as error:
            with connected.observer.operation(
                next(connected.ids), WEBSOCKET, connected.headers
            ) as seen:
                seen.actor = connected.caller.name
                seen.note_error(error.code)
                await self.send_message(
                    {"id": message["id"], "type": "error", "payload": [error_json(error)]}
                )
        else:
            await super().handle_subscribe(message)

    async def run_operation(self, operation: Operation[Context, None]) -> None:
        """Run an operation, or send the exceeded limit."""
        connected = self._connected
        assert connected.client is not None
        with connected.observer.operation(
            next(connected.ids), WEBSOCKET, connected.headers
        ) as seen:
            seen.actor, seen.client = connected.caller.name, connected.client.key
            seen.note_name(operation.operation_name)
            await self._run(operation, connected, connected.client)

    async def _run(
        self, operation: Operation[Context, None], connected: WebSocketContext, client: Client
    ) -> None:
        try:
            with connected.access_control.operation(client):
                shared = await connected.subscriptions.request(
                    connected,
                    client,
                    operation.query,
                    operation.variables,
                    operation.operation_name,
                )
                if shared:
                    await self._send_answers(operation, shared)
                elif current_operation().type == OperationType.SUBSCRIPTION.value:
                    await super().run_operation(operation)
                else:
                    with connected.subscriptions.pacing.answering():
                        await super().run_operation(operation)
        except TrackerError as error:
            current_operation().note_error(error.code)
            await operation.send_operation_message(
                {"id": operation.id, "type": "error", "payload": [error_json(error)]}
            )

    async def _send_answers(
        self, operation: Operation[Context, None], request: SubscriptionRequest
    ) -> None:
        """Send shared responses under the id that the client has chosen."""
        assert isinstance(self.websocket, WebSocketAdapter)
        socket, begin = self.websocket.ws, f'{{"id":{_json(operation.id)},"type":"next","payload":'
        try:
            async with aclosing(self._connected.subscriptions.answers(request)) as answers:
                async for several in answers:
                    for answer in several:
                        await socket.send_text(f"{begin}{answer.text}}}")
        except GONE:
            return
        except Exception as error:
            await self.handle_task_exception(error)
        await operation.send_operation_message({"id": operation.id, "type": "complete"})

    @property
    def _connected(self) -> WebSocketContext:
        assert isinstance(self.context, WebSocketContext)
        return self.context


class GraphQLWebSocket(GraphQL[Context, None]):
    """The WebSocket endpoint of /graphql."""

    websocket_adapter_class = WebSocketAdapter
    graphql_transport_ws_handler_class = WebSocketHandler

    def __init__(
        self,
        services: Services,
        access_control: AccessControl,
        subscriptions: SharedSubscriptions,
        observer: Observer,
        persisted: PersistedQueries,
    ):
        super().__init__(
            SCHEMA,
            subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL],
            connection_init_wait_timeout=timedelta(seconds=INIT_TIMEOUT_SECONDS),
            max_subscriptions_per_connection=None,
            allowed_origins=["*"],
        )  # `Cors` has checked the origin
        self._services = services
        self._access_control = access_control
        self._subscriptions = subscriptions
        self._observer = observer
        self._persisted = persisted

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> Context:
        """Return the context of the connection for resolvers."""
        request.state.connected = connected = WebSocketContext(
            services=self._services,
            access=self._access_control.access,
            caller=Caller(),
            access_control=self._access_control,
            subscriptions=self._subscriptions,
            observer=self._observer,
            persisted=self._persisted,
            headers=request.headers,
            address=request.client and request.client.host,
        )
        return connected

    async def on_ws_connect(self, context: Context) -> Any:
        """Authenticate a client, or close its connection."""
        assert isinstance(context, WebSocketContext)
        try:
            await context.enter()
        except TrackerError as error:
            raise ConnectionRejectionError from error
        return await super().on_ws_connect(context)

    def decode_json(self, data: str | bytes) -> object:
        """Decode a message, without lone surrogates and NaN."""
        return orjson.loads(data)

    def encode_json(self, data: object) -> str:
        """Encode a message as text, because the protocol has no binary frames."""
        return orjson.dumps(data).decode()
