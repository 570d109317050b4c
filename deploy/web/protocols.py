"""uvicorn's protocols for HTTP and WebSocket, with connection limits."""

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
from deploy.web.shared_compression import SharedDeflateFactory
from deploy.web.write_coalescing import CoalescingTransport
from schema.base.errors import plain_error
from schema.http.messages import json_response

HEALTH = ("/healthz", "/readyz", "/metrics")
MAX_PIPELINED_REQUESTS = 16
"""Maximum of pipelined requests per connection."""
CHUNK_BYTES = 16
"""Overhead of a chunk in bytes: its size, and two line ends."""
MAX_TINY_CHUNKS = 1000
"""Chunks of a body without a minimum size; later chunks need MIN_CHUNK_BYTES on average."""
MIN_CHUNK_BYTES = 64
MAX_IGNORED_BYTES = 64 * 1024
"""Maximum bytes of a body after its response; then the connection is closed."""
LINGER_SECONDS = 10
"""Seconds in which the client of such a connection can read its response."""
HTTP_PIECE_BYTES = 4096
WEBSOCKET_PIECE_BYTES = 1024
"""Bytes per parsing step: at most about 170 frames."""
MAX_CONTROL_FRAMES = 50
"""Maximum of pings and pongs of a WebSocket per second."""
MAX_FRAGMENTS = 1000
"""Maximum of fragments per message, and per second of a WebSocket."""
REFUSALS = {
    429: ("TOO_MANY_CONNECTIONS", "this address has too many connections: close some"),
    431: ("TOO_LARGE", "expected a shorter address and shorter headers"),
    503: ("UNAVAILABLE", "the server has no room for another connection; try again"),
}


class CountedConnection(asyncio.Protocol):
    """The common part of both protocols: a `Connection`."""

    server_state: Connections
    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    wire: asyncio.BaseTransport
    _reading: PacedTransport

    @property
    def is_paused(self) -> bool:
        """Whether the server has paused the reading."""
        return self._reading.is_paused

    def connection_lost(self, exc: Exception | None) -> None:
        """Handle the end of the connection, and free its objects."""
        self.server_state.end(self)
        super().connection_lost(exc)
        self._reading.end()

    def pause_writing(self) -> None:
        """Handle a full send buffer."""
        super().pause_writing()
        self.server_state.stall(self, self.loop.time())

    def resume_writing(self) -> None:
        """Handle a drained send buffer."""
        super().resume_writing()
        self.server_state.flows(self)

    @property
    def unsent(self) -> int:
        """Return the number of bytes that the client has not received."""
        return self.transport.get_write_buffer_size()

    def cut(self) -> None:
        """Close the connection immediately."""
        self.transport.abort()

    def finish(self) -> None:
        """Close the connection after the client has received all data."""
        self.transport.close()


class LimitedHttpProtocol(CountedConnection, HttpToolsProtocol):
    """uvicorn's HTTP protocol with coalesced responses and limits for clients."""

    server_state: Connections

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Handle a new connection. (uvicorn narrows the argument in the same way.)"""
        super().connection_made(transport)
        self.wire = transport
        self.transport = CoalescingTransport(transport, self.loop)
        self._reading = PacedTransport(transport, self.loop, self._feed, HTTP_PIECE_BYTES)
        self.flow = FlowControl(self._reading)
        self._overhead = 0
        """Bytes outside bodies: of the current head, or between and after chunks."""
        self._chunks = self._body_bytes = self._ignored_bytes = 0
        """Counts of the current body; ignored bytes arrive after the response."""
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
        """Parse data, within the limits."""
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
        """Half-close the connection and stop parsing.

        A client that is disconnected at once would lose its response.
        """
        self._is_lingering = True
        self._reading.end_reading()
        assert isinstance(self.transport, CoalescingTransport)
        self.transport.send()
        self.transport.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.cut)

    def on_headers_complete(self) -> None:
        """Begin the response."""
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
        """Count a chunk; each costs as much as many bytes do."""
        self._chunks += 1
        if (self._chunks - MAX_TINY_CHUNKS) * MIN_CHUNK_BYTES > self._body_bytes:
            raise HttpParserError("the chunks of the body are too small")

    def on_body(self, body: bytes) -> None:
        """Handle a part of the body."""
        self._body_bytes += len(body)
        self._overhead = max(0, self._overhead - len(body) - CHUNK_BYTES)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Handle the end of the request; the response may be complete too."""
        self._overhead, self._has_body_to_come = 0, False
        self.server_state.received_all(self)
        super().on_message_complete()
        if self.cycle is not None and self.cycle.response_complete:
            self.server_state.wait(self, self.loop.time())

    def on_response_complete(self) -> None:
        """Handle the end of the response; the request may be complete too."""
        super().on_response_complete()
        if self.cycle.response_complete and not self._has_body_to_come:
            self.server_state.wait(self, self.loop.time())

    def send_400_response(self, msg: str) -> None:
        """Reject a malformed request and close; during another response only close."""
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
        """Hand the connection over to the WebSocket protocol."""
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
        self._reading.end()
        self.parser = None  # type: ignore[assignment]  # as uvicorn at the end of a connection


class LimitedWebSocketProtocol(CountedConnection, WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol, on a connection that is already counted."""

    def __init__(
        self,
        config: Any,
        server_state: Connections,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ):
        super().__init__(config, server_state, app_state, _loop)
        self.server_state = server_state
        self.conn.available_extensions = [SharedDeflateFactory()]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Handle the connection."""
        super().connection_made(transport)
        self.wire = transport
        self.transport = self._reading = PacedTransport(
            transport, self.loop, self._feed, WEBSOCKET_PIECE_BYTES
        )
        self._second = 0.0
        self._control_frames = self._fragments = 0
        """Control frames and fragments in the current second."""

    def data_received(self, data: bytes) -> None:
        """Parse data, within the limits."""
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
        """Close the connection; later messages of the application are discarded."""
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
    """A client exceeds the limit of frames."""


def head_size(url: bytes, headers: list[tuple[bytes, bytes]]) -> int:
    """Return the size of an address and headers in bytes as sent."""
    return len(url) + sum(len(name) + len(value) + 4 for name, value in headers)


def health_only(app: ASGIApp) -> ASGIApp:
    """Wrap the application for connections beyond the limit: only health checks are served."""

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
    """Return the raw response that refuses a connection."""
    body = bytes(json_response(plain_error(*REFUSALS[status])).body)
    return (
        b"HTTP/1.1 %d %s\r\nContent-Type: application/json; charset=utf-8\r\n"
        b"X-Content-Type-Options: nosniff\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
        % (status, HTTPStatus(status).phrase.encode(), len(body), body)
    )
