"""What resolvers know of the request that they answer."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import strawberry

from schema.context import Access, Services
from tracker.errors import Forbidden


@dataclass(slots=True)
class Context:
    """The parts of the tracker, and who asks."""

    services: Services
    access: Access
    authorization: str = ""
    """The Authorization header."""
    connection_params: dict[str, Any] = field(default_factory=dict)
    """What a WebSocket client said first; browsers can't send headers there."""

    def writer(self) -> str:
        """Who writes, in a word. Raises Forbidden where the caller may not."""
        token = self.access.token
        said = str(self.connection_params.get("Authorization", ""))
        if token and (_holds(self.authorization, token) or _holds(said, token)):
            return "token"
        if self.access.open:
            return "demo"
        raise Forbidden("expected the header 'Authorization: Bearer …' with the token for writing")


def _holds(authorization: str, token: str) -> bool:
    scheme, _, given = authorization.partition(" ")
    same = hmac.compare_digest(given.strip().encode(), token.encode())
    return scheme.lower() == "bearer" and same


Info: TypeAlias = strawberry.Info[Context, None]
