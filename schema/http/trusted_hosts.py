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

from projections.lru_cache import lru_cache_short_keys
from schema.base.errors import plain_error
from schema.http.request import MAX_CACHED_CHARACTERS, MAX_CACHED_HEADERS, header


class TrustedHosts:
    """Refuses requests, WebSockets included, that call us by a name that is not ours."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]):
        self._app = app

        def names_us(given: str) -> bool:
            return is_ours(host_name(given), hosts)

        self._names_us = lru_cache_short_keys(names_us, MAX_CACHED_HEADERS, MAX_CACHED_CHARACTERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is for us."""
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
