"""uvicorn's protocols, HTTP and WebSocket, within the limits of connections."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from httptools import HttpParserError
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame

from deploy.web.connections import Connections
from deploy.web.paced_reading import PacedTransport
from deploy.web.write_coalescing import CoalescingTransport
from schema.base.errors import plain_error
from schema.http.messages import json_response

HEALTH = ("/healthz", "/readyz", "/metrics")
MAX_PIPELINED_REQUESTS = 16
"""Requests that may wait for the answer to the one before them on their connection."""
CHUNK_BYTES = 16
"""What a chunk of a body may have beside its bytes: its size, and two ends of lines."""
MAX_TINY_CHUNKS = 1000
"""Chunks of a body that may be of any size; beyond them chunks have at least MIN_CHUNK_BYTES on average."""
MIN_CHUNK_BYTES = 64
MAX_IGNORED_BYTES = 64 * 1024
"""Bytes of a body that may follow after its request was answered; then the connection is closed."""
LINGER_SECONDS = 10
"""Seconds in which the client of such a connection can read its answer."""
HTTP_PIECE_BYTES = 4096
WEBSOCKET_PIECE_BYTES = 1024
"""Bytes that are parsed at once: at most about 170 frames."""
MAX_CONTROL_FRAMES = 50
"""Pings and pongs of a WebSocket in a second."""
MAX_FRAGMENTS = 1000
"""Fragments of a message, and those of all messages of a WebSocket in a second."""
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
        self._reading = PacedTransport(transport, self.loop, self._feed, HTTP_PIECE_BYTES)
        self.flow = FlowControl(self._reading)
        self._overhead = 0
        """Bytes that are no body: of the head that comes, or between chunks and behind them."""
        self._chunks = self._body_bytes = self._ignored_bytes = 0
        """Of the body that comes; ignored are those that come after the answer."""
        self._is_lingering = False
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
        if self._is_lingering:
            return
        self._reading.receive(data)
        if self._has_body_to_come:
            self.server_state.receive(self, self.loop.time(), len(data))

    def _feed(self, data: bytes) -> None:
        self._overhead += len(data)
        super().data_received(data)
        if self._overhead > self.server_state.limits.head_bytes:
            self._is_too_large = True
            self.send_400_response("")
        elif self._has_body_to_come and self.cycle.response_complete:
            self._ignored_bytes += len(data)
            if self._ignored_bytes > MAX_IGNORED_BYTES:
                self._linger()

    def _linger(self) -> None:
        """Say that nothing more follows, and parse nothing more; a client that is cut off at once would
        lose its answer."""
        self._is_lingering = True
        self._reading.end_reading()
        assert isinstance(self.transport, CoalescingTransport)
        self.transport.send()
        self.transport.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.cut)

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
        self._chunks = self._body_bytes = self._ignored_bytes = 0
        super().on_headers_complete()

    def on_chunk_header(self) -> None:
        """Count the chunk that begins: each costs as much as many bytes do."""
        self._chunks += 1
        if (self._chunks - MAX_TINY_CHUNKS) * MIN_CHUNK_BYTES > self._body_bytes:
            raise HttpParserError("the chunks of the body are too small")

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._body_bytes += len(body)
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
        cycle = self.cycle
        if cycle is not None and self._has_body_to_come and cycle.response_complete:
            self.transport.close()
        elif self.pipeline or (
            cycle is not None
            and (cycle.response_started if self._has_body_to_come else not cycle.response_complete)
        ):
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
        self._reading.end_reading()
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

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin."""
        super().connection_made(transport)
        self.wire = transport
        self.transport = self._reading = PacedTransport(
            transport, self.loop, self._feed, WEBSOCKET_PIECE_BYTES
        )
        self._second = 0.0
        self._control_frames = self._fragments = 0
        """Frames and fragments of this second."""

    def data_received(self, data: bytes) -> None:
        """Read on, within the limits."""
        self._reading.receive(data)

    def _feed(self, data: bytes) -> None:
        try:
            super().data_received(data)
        except TooManyFrames as error:
            self.conn.fail(CloseCode.POLICY_VIOLATION, str(error))
            if self.conn.close_sent:
                self.handle_parser_exception()
            else:
                self.cut()

    def handle_parser_exception(self) -> None:
        """Close the connection; what the application sends from now on finds no client any more."""
        super().handle_parser_exception()
        self.disconnected = True

    def handle_ping(self) -> None:
        """Count a ping."""
        self._count_control_frame()
        super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        """Count a pong."""
        self._count_control_frame()
        super().handle_pong(event)

    def handle_cont(self, event: Frame) -> None:
        """Count a fragment of a message."""
        self._begin_second()
        self._fragments += 1
        if max(self._fragments, len(self.frames)) >= MAX_FRAGMENTS:
            raise TooManyFrames("too many fragments")
        super().handle_cont(event)

    def _count_control_frame(self) -> None:
        self._begin_second()
        self._control_frames += 1
        if self._control_frames > MAX_CONTROL_FRAMES:
            raise TooManyFrames("too many control frames")

    def _begin_second(self) -> None:
        now = self.loop.time()
        if now - self._second >= 1:
            self._second = now
            self._control_frames = self._fragments = 0


class TooManyFrames(Exception):
    """A client sends more frames than it may."""


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
