"""What pages of other origins may read (CORS)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from projections.kept import kept_of_short
from schema.routes.reply import Header

VARY, ORIGIN = b"vary", b"Origin"


class Cors(CORSMiddleware):
    """Starlette's rules, where pages of these origins may ask. What they add to a response depends
    on the origin only and is kept: putting it together takes more than half as long as all else
    that a kept answer costs.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]):
        super().__init__(app, allow_origins=origins, allow_methods=["GET", "POST"],
                         allow_headers=["Authorization"], expose_headers=["Retry-After"])
        self._for = kept_of_short(self._added, most=256, letters=300)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on requests, and say in their responses who may read them."""
        if scope["type"] != "http" or scope["method"] == "OPTIONS":
            await super().__call__(scope, receive, send)
            return
        origin = next((value for name, value in scope["headers"] if name == b"origin"), None)
        added = () if origin is None else self._for(origin)

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*_varying(message["headers"]), *added]
            await send(message)

        await self.app(scope, receive, telling)

    def _added(self, origin: bytes) -> Sequence[Header]:
        """The headers that a response to an origin gets."""
        headers = {**self.simple_headers}
        if not self.allow_all_origins and self.is_allowed_origin(origin.decode("latin-1")):
            headers["Access-Control-Allow-Origin"] = origin.decode("latin-1")
        return [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]


def _varying(headers: Sequence[Header]) -> list[Header]:
    """Headers that say that the response is another for other origins."""
    varied = [value for name, value in headers if name == VARY]
    others = [header for header in headers if header[0] != VARY]
    return [(VARY, b", ".join([*varied, ORIGIN])), *others]
