"""What pages of other origins may read (CORS)."""

from __future__ import annotations

import logging
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.http.websocket_origin import is_same_origin, normalize_origin

from projections.lru_cache import lru_cache_short_keys
from schema.base.errors import plain_error
from schema.http.responses import json_response

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
"""Headers that pages may send beside those that browsers send anyway."""
EXPOSED_HEADERS = ("ETag", "Retry-After", "X-Request-ID")
"""Headers of answers that pages may read beside those that every page may."""

logger = logging.getLogger(__name__)


class Cors(CORSMiddleware):
    """Starlette's rules for the pages of some origins; refusals say which setting lists these, and
    WebSockets, about which browsers ask nobody, have to come from them too."""

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
        """Pass on requests, and say in their responses who may read them."""
        if scope["type"] == "websocket":
            await self._open_socket(WebSocket(scope, receive, send))
        elif self.allow_origins or scope.get("method") == "OPTIONS":
            await super().__call__(scope, receive, send)
        else:  # what no other page may read is the same for all of them: no Vary
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
        """What a browser is told before it sends what its page wants to."""
        origin = request_headers["origin"]
        if self.is_allowed_origin(origin):
            return super().preflight_response(request_headers)
        return self._refused(origin)


def refusal_message(origin: str) -> str:
    """What a page is told that may not use the API."""
    return (
        f"pages of {origin[:200]!r} may not use this API: expected one of TRACKER_ORIGINS, the"
        " setting of the server that lists them"
    )


def log_refusal(origin: str) -> None:
    """Tell whoever runs the server, who may be the one that misses it."""
    logger.warning("refused: %s", refusal_message(origin))
