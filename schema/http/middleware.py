"""Middleware for all requests: host names of this server, other origins (CORS), and `Vary` by token.

A page of another site can make its own name resolve to this server's address (DNS rebinding). The browser
then takes this server for that site and gives its page the responses. The Host header contains the other
name.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.http.websocket_origin import is_same_origin, normalize_origin

from projections.lru_cache import lru_cache_short_keys
from schema.base.errors import plain_error
from schema.http.authentication import token_in_cookie
from schema.http.messages import MAX_CACHED_CHARACTERS, MAX_CACHED_HEADERS, header, json_response

REQUEST_HEADERS = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-None-Match",
    "Last-Event-ID",
    "Mcp-Method",
    "Mcp-Name",
    "Mcp-Protocol-Version",
    "X-Request-ID",
    "traceparent",
    "tracestate",
)
"""Request headers that pages of other origins may send, besides those that browsers always allow."""
EXPOSED_HEADERS = ("ETag", "Retry-After", "X-Request-ID")
"""Response headers that pages of other origins may read, besides those that browsers always allow."""
BY_TOKEN = ("Authorization", "Cookie")

logger = logging.getLogger(__name__)


class TrustedHosts:
    """Middleware that refuses requests, WebSockets included, with other host names."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]):
        self._app = app

        def names_us(given: str) -> bool:
            return is_own_origin(host_name(given), hosts)

        self._names_us = lru_cache_short_keys(names_us, MAX_CACHED_HEADERS, MAX_CACHED_CHARACTERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on requests with a name of this server."""
        if scope["type"] in ("http", "websocket"):
            given = header(scope["headers"], b"host")
            if sum(name == b"host" for name, _ in scope["headers"]) > 1:
                error = plain_error("BAD_REQUEST", "expected one Host header")
                await JSONResponse(error, 400)(scope, receive, send)
                return
            if not self._names_us(given):
                name = host_name(given)
                message = f"{name!r} is not a name of this server: expected one of TRACKER_HOSTS"
                await JSONResponse(plain_error("UNKNOWN_HOST", message[:300]), 421)(
                    scope, receive, send
                )
                return
        await self._app(scope, receive, send)


def host_name(header: str) -> str:
    """Return the name or address in a Host header, without its port; empty if it is invalid."""
    try:
        return (urlsplit(f"//{header}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_own_origin(name: str, hosts: Collection[str]) -> bool:
    """Return whether a name belongs to this server. Addresses always do, because they cannot be
    redirected."""
    if name == "localhost" or name in hosts or "*" in hosts:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class Cors(CORSMiddleware):
    """Starlette's rules for the pages of some origins. Refusals name the setting that lists these.
    WebSockets are restricted to them too, because browsers do not check these."""

    def __init__(self, app: ASGIApp, origins: Collection[str]):
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=REQUEST_HEADERS,
            expose_headers=EXPOSED_HEADERS,
        )
        self._log_refusal_once = lru_cache_short_keys(log_refusal, max_entries=256, max_length=300)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on requests, with CORS headers in the responses."""
        if scope["type"] == "websocket":
            await self._open_socket(WebSocket(scope, receive, send))
        elif self.allow_origins or scope.get("method") == "OPTIONS":
            await super().__call__(scope, receive, send)
        else:  # no page of another origin may read it, so the response needs no Vary
            await self.app(scope, receive, send)

    async def _open_socket(self, socket: WebSocket) -> None:
        """Pass a WebSocket on, or refuse it."""
        origin = socket.headers.get("origin")
        if (
            origin is None
            or is_same_origin(origin, socket.headers.get("host"))
            or socket.headers.get("sec-fetch-site") == "same-origin"
            or self.is_allowed_origin(normalize_origin(origin) or "")
        ):
            await self.app(socket.scope, socket.receive, socket.send)
        else:
            await socket.send_denial_response(self._refused(origin))

    def _refused(self, origin: str) -> Response:
        self._log_refusal_once(origin)
        return json_response(
            plain_error("UNKNOWN_ORIGIN", refusal_message(origin)), 403, Vary="Origin"
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """Return the response to a preflight request."""
        origin = request_headers["origin"]
        if self.is_allowed_origin(origin):
            return super().preflight_response(request_headers)
        return self._refused(origin)


def refusal_message(origin: str) -> str:
    """Return the refusal of an origin that may not use the API."""
    return (
        f"pages of {origin[:200]!r} may not use this API: expected one of TRACKER_ORIGINS, the"
        " setting of the server that lists them"
    )


def log_refusal(origin: str) -> None:
    """Log the refusal for the operator, who may have omitted the origin."""
    logger.warning("refused: %s", refusal_message(origin))


class VaryByToken:
    """Middleware that marks responses to requests with a cookie or a token as dependent on it. Browsers
    must not show cached ones after sign-out."""

    def __init__(self, app: ASGIApp, read_open: bool):
        self._app = app
        self._read_open = read_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request, and mark its response."""
        if scope["type"] != "http" or (
            self._read_open and token_in_cookie(HTTPConnection(scope)) is None
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
