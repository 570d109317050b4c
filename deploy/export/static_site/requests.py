"""Requests to the application in this process, without a socket."""

import asyncio
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import unquote

from msgspec import Struct
from starlette.applications import Starlette

ACCEPT = b"text/html,*/*;q=0.5"


class Reply(Struct, frozen=True):
    """The response to a request."""

    status: int
    media_type: str
    body: bytes


async def get(app: Starlette, address: str, host: str) -> Reply:
    """Return the response of an application to GET of a path with its query."""
    path, _, query = address.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(b"host", host.encode()), (b"accept", ACCEPT)],
        "server": (host, 80),
        "client": ("127.0.0.1", 0),
    }
    messages = iter([{"type": "http.request", "body": b"", "more_body": False}])
    status, media_type, body = 500, "", bytearray()

    async def receive() -> MutableMapping[str, Any]:
        if message := next(messages, None):
            return message
        await asyncio.Event().wait()  # the client does not disconnect
        raise AssertionError

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status, media_type
        if message["type"] == "http.response.start":
            status = message["status"]
            headers = {name.lower(): value for name, value in message["headers"]}
            media_type = headers.get(b"content-type", b"").decode("latin-1")
        elif message["type"] == "http.response.body":
            body.extend(message.get("body", b""))

    await app(scope, receive, send)
    return Reply(status, media_type.partition(";")[0], bytes(body))
