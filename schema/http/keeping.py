"""What caches are told of answers that are for the holder of a token."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schema.http.token_cookie import kept_token

BY_TOKEN = ("Authorization", "Cookie")


class VaryByToken:
    """Says of answers that were asked for with a cookie, or that take a token, that they depend on
    it: a browser that kept one must not show it after signing out."""

    def __init__(self, app: ASGIApp, read_open: bool):
        self._app = app
        self._read_open = read_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and mark what comes back."""
        if scope["type"] != "http" or (
            self._read_open and kept_token(HTTPConnection(scope)) is None
        ):
            await self._app(scope, receive, send)
            return

        async def marking(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name in BY_TOKEN:
                    if name.lower() not in headers.get("vary", "").lower():
                        headers.add_vary_header(name)
            await send(message)

        await self._app(scope, receive, marking)
