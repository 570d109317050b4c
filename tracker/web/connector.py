"""Connections to permitted addresses only, however an address was found.

A name is looked up here, what it stands for is checked, and the very address that is connected to is
checked once more: so a name whose addresses change between two look-ups leads nowhere else.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import ip_address
from typing import Any, TypeAlias

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_proto import ResponseHandler

from tracker.web.networks import Address, Networks
from tracker.web.response_handler import BoundedResponseHandler

LOOKUP_THREADS = 32
"""Names that are looked up at a time. They are threads of their own, so that a name server that does
not answer holds up nothing else of the tracker."""
NAME_CACHE_SECONDS = 10

AddressInfo: TypeAlias = tuple[int, int, int, str, tuple[Any, ...]]
Lookup: TypeAlias = Callable[..., Sequence[AddressInfo]]


class AddressRefused(OSError):
    """An address that may not be connected to. The text is the addresses."""


def checked_connector(
    networks: Networks,
    threads: ThreadPoolExecutor,
    *,
    encrypted: bool,
    tls: ssl.SSLContext | None = None,
    lookup: Lookup = socket.getaddrinfo,
    name_cache_seconds: int = NAME_CACHE_SECONDS,
) -> aiohttp.TCPConnector:
    """Connections to addresses that may be connected to; others raise AddressRefused as the
    `os_error` of a ClientConnectorError.

    `encrypted` says whether they are for TLS; `tls` whom to trust, the authorities of the system if
    it is None; `lookup` which addresses a name has.
    """
    permit = partial(networks.permit, encrypted=encrypted)
    return BoundedConnector(
        tls,
        resolver=_Resolver(permit, lookup, threads),
        ttl_dns_cache=name_cache_seconds,
        socket_factory=partial(_permitted_socket, permit),
    )


class BoundedConnector(aiohttp.TCPConnector):
    """Connections on which no server can keep the event loop busy."""

    def __init__(self, tls: ssl.SSLContext | None, **options: Any):
        super().__init__(limit=0, ssl=tls or True, **options)  # whoever sends has a limit
        handler: type[ResponseHandler] = BoundedResponseHandler
        self._factory = partial(handler, loop=self._loop)


class _Resolver(AbstractResolver):
    """The addresses of a name that may be connected to."""

    def __init__(
        self, permit: Callable[[Address], bool], lookup: Lookup, threads: ThreadPoolExecutor
    ):
        self._permit, self._lookup, self._threads = permit, lookup, threads

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises OSError, AddressRefused if the name has none but others."""
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, partial(self._lookup, host, port, family, socket.SOCK_STREAM)
        )
        refused: list[str] = []
        results: list[ResolveResult] = []
        for family_, _, protocol, _, address in found:
            if not self._permit(ip_address(address[0])):
                refused.append(address[0])
                continue
            results.append(
                ResolveResult(
                    hostname=host,
                    host=address[0],
                    port=port,
                    family=family_,
                    proto=protocol,
                    flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
                )
            )
        if not results:
            raise AddressRefused(", ".join(refused) or "no address")
        return results

    async def close(self) -> None:
        """Nothing is held."""


def _permitted_socket(permit: Callable[[Address], bool], info: AddressInfo) -> socket.socket:
    """A socket for the very address that is connected to next, however it was found."""
    family, kind, protocol, _, address = info
    if not permit(ip_address(address[0])):
        raise AddressRefused(address[0])
    return socket.socket(family, kind, protocol)
