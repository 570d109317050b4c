"""The names that we answer to.

A page of another site can make its own name mean our address (DNS rebinding); then the browser
takes us for that site and hands over what we answer. The Host header has the other name.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from schema.base.errors import plain_error
from schema.http.request import header


class TrustedHosts:
    """Refuses requests, WebSockets included, that call us by a name that is not ours."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]):
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is for us."""
        if scope["type"] in ("http", "websocket"):
            name = host_name(header(scope["headers"], b"host"))
            if not is_ours(name, self._hosts):
                message = f"{name!r} is not a name of this server: expected one of TRACKER_HOSTS"
                await JSONResponse(plain_error("UNKNOWN_HOST", message[:300]), 421)(
                    scope, receive, send
                )
                return
        await self._app(scope, receive, send)


def host_name(header: str) -> str:
    """The name or address in a Host header, without its port; empty if it is none."""
    try:
        return (urlsplit(f"//{header}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_ours(name: str, hosts: Collection[str]) -> bool:
    """Whether a name is ours. Addresses are: nobody can make them mean something else."""
    if name == "localhost" or name in hosts or "*" in hosts:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
