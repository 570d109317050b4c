"""A request for GraphQL as the web server hands it over (ASGI).

Most answers are kept, so what is asked of every request weighs more than the answer: of headers
that are decoded and searched anew for each, and of a body that is gathered though it came whole.
"""

from __future__ import annotations

from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope

from schema.execution.admission import MAX_BODY_BYTES
from tracker.errors import TooLarge


def header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str:
    """The first header of a name; empty where there is none."""
    for named, value in headers:
        if named == name:
            return value.decode("latin-1")
    return ""


class Incoming:
    """A request over HTTP."""

    __slots__ = ("_found", "_receive", "method", "scope")

    def __init__(self, scope: Scope, receive: Receive):
        self.scope = scope
        self.method: str = scope["method"]
        self._receive = receive
        self._found: dict[bytes, bytes] = dict(reversed(scope["headers"]))

    def __contains__(self, name: bytes) -> bool:
        """Whether there is a header of a name."""
        return name in self._found

    def header(self, name: bytes) -> str:
        """The first header of a name; empty where there is none."""
        return self._found.get(name, b"").decode("latin-1")

    @property
    def address(self) -> str | None:
        """Where it comes from."""
        client = self.scope.get("client")
        return client[0] if client else None

    @property
    def request(self) -> Request:
        """The same for those who answer slowly anyway."""
        return Request(self.scope, self._receive)

    @property
    def headers(self) -> Headers:
        """All headers."""
        return Headers(raw=self.scope["headers"])

    async def body(self, most: int = MAX_BODY_BYTES) -> bytes:
        """The body, read no further than the limit. Raises TooLarge, and ClientDisconnect."""
        pieces: list[bytes] = []
        size, more = 0, True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            pieces.append(message.get("body", b""))
            size += len(pieces[-1])
            if size > most:
                raise TooLarge(f"expected a body of at most {most} bytes")
            more = message.get("more_body", False)
        return b"".join(pieces)
