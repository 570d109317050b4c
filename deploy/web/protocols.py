"""uvicorn's protocols, HTTP and WebSocket, within the limits of connections."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from httptools import HttpParserError
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from deploy.web.connections import Connections
from deploy.web.write_coalescing import CoalescingTransport
from schema.base.errors import plain_error
from schema.http.responses import json_response

HEALTH = ("/healthz", "/readyz", "/metrics")
MAX_PIPELINED_REQUESTS = 16
"""Requests that may wait for the answer to the one before them on their connection."""
CHUNK_BYTES = 16
"""What a chunk of a body may have beside its bytes: its size, and two ends of lines."""
REFUSALS = {
    429: ("TOO_MANY_CONNECTIONS", "this address has as many connections as one may have"),
    431: ("TOO_LARGE", "expected a shorter address and shorter headers"),
    503: ("UNAVAILABLE", "the server has no room for another connection; try again"),
}


class CountedConnection(asyncio.Protocol):
    """What both protocols tell of a connection, and what can be done with it: a `Connection`."""

    server_state: Connections
    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    wire: asyncio.BaseTransport

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self.server_state.end(self)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client does not take what it is sent."""
        super().pause_writing()
        self.server_state.stall(self, self.loop.time())

    def resume_writing(self) -> None:
        """It has taken most of it."""
        super().resume_writing()
        self.server_state.flows(self)

    @property
    def unsent(self) -> int:
        """How many bytes wait for the client to take them."""
        return self.transport.get_write_buffer_size()

    def cut(self) -> None:
        """End the connection at once."""
        self.transport.abort()

    def finish(self) -> None:
        """End the connection when the client has taken what it was sent."""
        self.transport.close()


class LimitedHttpProtocol(CountedConnection, HttpToolsProtocol):
    """uvicorn's protocol, which answers in one piece and holds its client to the limits."""

    server_state: Connections

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin. (uvicorn narrows the argument in the same way.)"""
        super().connection_made(transport)
        self.wire = transport
        self.transport = CoalescingTransport(transport, self.loop)
        self._overhead = 0
        """Bytes that are no body: of the head that comes, or between chunks and behind them."""
        self._has_body_to_come = False
        self._is_too_large = False
        self._begin()

    def _begin(self) -> None:
        refusal = self.server_state.begin(self, self.client[0] if self.client else "")
        self._has_room = not refusal
        if refusal == 503 and self.server_state.has_spare:
            self.app = health_only(self.app)
        elif refusal:
            self.transport.write(refusal_response(refusal))
            self.transport.close()
            return
        self.server_state.wait(self, self.loop.time())

    def data_received(self, data: bytes) -> None:
        """Read on, within the limits."""
        self._overhead += len(data)
        super().data_received(data)
        if self._overhead > self.server_state.limits.head_bytes:
            self._is_too_large = True
            self.send_400_response("")
        elif self._has_body_to_come:
            self.server_state.receive(self, self.loop.time(), len(data))

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        most = self.server_state.limits.head_bytes
        if self._overhead > most and head_size(self.url, self.headers) > most:
            self._is_too_large = True
            raise HttpParserError("the head is too large")
        if len(self.pipeline) >= MAX_PIPELINED_REQUESTS:
            raise HttpParserError("too many requests on one connection")
        self.server_state.has_head(self)
        self._has_body_to_come = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._overhead = max(0, self._overhead - len(body) - CHUNK_BYTES)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is complete; so may the answer to it be."""
        self._overhead, self._has_body_to_come = 0, False
        self.server_state.received_all(self)
        super().on_message_complete()
        if self.cycle is not None and self.cycle.response_complete:
            self.server_state.wait(self, self.loop.time())

    def on_response_complete(self) -> None:
        """The answer is complete; so may the request be."""
        super().on_response_complete()
        if self.cycle.response_complete and not self._has_body_to_come:
            self.server_state.wait(self, self.loop.time())

    def send_400_response(self, msg: str) -> None:
        """Refuse what can't be read, and close; amid another answer there is no place to say so."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cut()
        elif self._is_too_large:
            self.transport.write(refusal_response(431))
            self.transport.close()
        else:
            super().send_400_response(msg)

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over."""
        if not self._has_room:
            self.transport.write(refusal_response(503))
            self.transport.close()
            return
        assert isinstance(self.transport, CoalescingTransport)
        self.transport.send()
        self.transport = self.transport.transport
        self.server_state.received_all(self)
        self.server_state.flows(self)
        super().handle_websocket_upgrade()


class LimitedWebSocketProtocol(CountedConnection, WebSocketsSansIOProtocol):
    """uvicorn's protocol of WebSockets, on a connection that is counted already."""

    def __init__(
        self,
        config: Any,
        server_state: Connections,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ):
        super().__init__(config, server_state, app_state, _loop)
        self.server_state = server_state

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        super().connection_made(transport)
        self.wire = transport


def head_size(url: bytes, headers: list[tuple[bytes, bytes]]) -> int:
    """How large an address and headers are as they are sent."""
    return len(url) + sum(len(name) + len(value) + 4 for name, value in headers)


def health_only(app: ASGIApp) -> ASGIApp:
    """The application for those who have no room: it says how the server is, and no more."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in HEALTH:
            await app(scope, receive, send)
            return
        code, message = REFUSALS[503]
        refusal = json_response(
            plain_error(code, message), 503, Retry_After="1", Connection="close"
        )
        await refusal(scope, receive, send)

    return answer


def refusal_response(status: int) -> bytes:
    """A refusal of a whole connection, as it is sent."""
    body = bytes(json_response(plain_error(*REFUSALS[status])).body)
    return (
        b"HTTP/1.1 %d %s\r\nContent-Type: application/json; charset=utf-8\r\n"
        b"X-Content-Type-Options: nosniff\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
        % (status, HTTPStatus(status).phrase.encode(), len(body), body)
    )
