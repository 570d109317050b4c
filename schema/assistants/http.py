"""One exchange of streamable HTTP with the SDK: a message in, its response as JSON out."""

import logging
from collections.abc import Iterator

from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from schema.assistants.protocol import Call, create_protocol

logging.getLogger("mcp").setLevel(logging.WARNING)  # it logs each exchange


class CollectedResponse:
    """A collected response of the SDK."""

    def __init__(self) -> None:
        self.status = 500
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = bytearray()

    async def send(self, message: Message) -> None:
        """Take a part of the response."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")

    def response(self) -> Response:
        """Return the complete response."""
        response = Response(bytes(self.body), self.status)
        for name, value in self.headers:
            if name.lower() not in (b"content-length", b"connection"):
                response.headers[name.decode("latin-1")] = value.decode("latin-1")
        response.headers["Cache-Control"] = "no-store"
        return response


async def exchange(call: Call, request: Request, body: bytes) -> Response:
    """Return the response to a request whose body was read.

    The manager exists for the exchange only: there are no sessions to store, and nothing to stop with the
    server.
    """
    waiting: Iterator[Message] = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Message:
        return next(waiting, None) or await request.receive()

    manager = StreamableHTTPSessionManager(
        create_protocol(call),
        json_response=True,
        stateless=True,
        max_request_body_size=max(1, len(body)),
    )
    collected = CollectedResponse()
    async with manager.run():
        await manager.handle_request(request.scope, receive, collected.send)
    return collected.response()
