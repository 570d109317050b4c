"""GraphQL over WebSockets, by the graphql-transport-ws protocol."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import ASGIWebSocketAdapter, GraphQL
from strawberry.http.exceptions import NonJsonMessageReceived
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL

from schema.context import Access, Services
from schema.graph import GRAPH
from schema.request import Context


class Adapter(ASGIWebSocketAdapter):
    """Lets only messages of the right shape through; the protocol handler trusts them."""

    async def iter_json(
        self, *, ignore_parsing_errors: bool = False
    ) -> AsyncGenerator[object, None]:
        """The messages. One of another shape ends the connection with 4400."""
        async for message in super().iter_json(ignore_parsing_errors=ignore_parsing_errors):
            if not _well_formed(message):
                raise NonJsonMessageReceived
            yield message


def _well_formed(message: Any) -> bool:
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return False
    if message["type"] not in ("subscribe", "complete"):
        return True
    payload = message.get("payload") or {}
    return isinstance(message.get("id"), str) and isinstance(payload, dict) and (
        message["type"] == "complete" or (
            isinstance(payload.get("query"), str)
            and isinstance(payload.get("variables"), dict | None)
            and isinstance(payload.get("operationName"), str | None)))


class Socket(GraphQL[Context, None]):
    """The WebSocket side of /graphql."""

    websocket_adapter_class = Adapter

    def __init__(self, services: Services, access: Access):
        super().__init__(GRAPH, subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL])
        self._services = services
        self._access = access

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> Context:
        """What resolvers know of the connection."""
        return Context(self._services, self._access, request.headers.get("authorization", ""))

    def decode_json(self, data: str | bytes) -> object:
        """Messages in, by a parser that takes no lone surrogates and no NaN."""
        return orjson.loads(data)

    def encode_json(self, data: object) -> str:
        """Messages out, as text: the protocol knows no binary frames."""
        return orjson.dumps(data).decode()
