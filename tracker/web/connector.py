"""Connections to permitted addresses only.

A name is resolved here and its addresses are checked. The address of each connection is checked again. So a
name whose addresses change between two lookups cannot lead to another address.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import ip_address
from typing import Any, TypeAlias

import aiohttp
from aiohttp import StreamReader
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import RawResponseMessage

from tracker.web.networks import Address, Networks

MAX_INTERIM_RESPONSES = 10
MAX_HEAD_BYTES = 1 << 16
"""Maximum bytes before the body of a response: its head and interim responses."""
PIECE_BYTES = 1 << 12

Head: TypeAlias = tuple[RawResponseMessage, StreamReader]


class BoundedResponseHandler(ResponseHandler):
    """Reads the responses of one connection, with a limited number of bytes before each body."""

    _interim_responses = _head_bytes = 0
    _has_response = False

    def set_response_params(self, **params: Any) -> None:
        """Begin to read the response to another request."""
        self._interim_responses = self._head_bytes = 0
        self._has_response = False
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        """Read the next bytes, in small pieces until the response has begun.

        aiohttp calls this without bytes to continue with its buffer.
        """
        while data and not self._has_response and self._exception is None:
            piece, data = data[:PIECE_BYTES], data[PIECE_BYTES:]
            self._head_bytes += len(piece)
            super().data_received(piece)
            if not self._has_response:
                self._check_limits()
            if not data:
                return
        if self._exception is None:
            super().data_received(data)

    def feed_data(self, data: Head, size: int = 0) -> None:
        """Process the head of a response. An unrequested response ends the connection."""
        if self._has_response:
            self._abort()
            return
        is_interim = data[0].code in range(100, 200) and data[0].code != 101
        self._interim_responses += is_interim
        self._has_response = not is_interim
        super().feed_data(data, size)

    def _check_limits(self) -> None:
        """End the connection, with an error for its reader, if a limit is exceeded."""
        if self._interim_responses > MAX_INTERIM_RESPONSES:
            problem = f"more than {MAX_INTERIM_RESPONSES} interim responses (1xx)"
        elif self._head_bytes > MAX_HEAD_BYTES:
            problem = f"more than {MAX_HEAD_BYTES:,} bytes before the body of the response"
        else:
            return
        self._buffer.clear()
        self._abort()
        self.set_exception(HttpProcessingError(message=problem))

    def _abort(self) -> None:
        self.force_close()
        if self.transport is not None:
            self.transport.abort()


LOOKUP_THREADS = 32
"""Number of concurrent name lookups. They have separate threads, so that a silent name server blocks
nothing else of the tracker."""
NAME_CACHE_SECONDS = 10

AddressInfo: TypeAlias = tuple[int, int, int, str, tuple[Any, ...]]
Lookup: TypeAlias = Callable[..., Sequence[AddressInfo]]


class AddressRefused(OSError):
    """An address to which connections are not permitted. The message is the addresses."""


def checked_connector(
    networks: Networks,
    threads: ThreadPoolExecutor,
    *,
    encrypted: bool,
    tls: ssl.SSLContext | None = None,
    lookup: Lookup = socket.getaddrinfo,
    name_cache_seconds: int = NAME_CACHE_SECONDS,
) -> aiohttp.TCPConnector:
    """Return a connector for permitted addresses; others raise AddressRefused as the `os_error` of a
    ClientConnectorError.

    `encrypted` is true for TLS. `tls` has the trusted authorities (None: those of the system). `lookup`
    resolves names to addresses.
    """
    permit = partial(networks.permit, encrypted=encrypted)
    return BoundedConnector(
        tls,
        resolver=_Resolver(permit, lookup, threads),
        ttl_dns_cache=name_cache_seconds,
        socket_factory=partial(_permitted_socket, permit),
    )


class BoundedConnector(aiohttp.TCPConnector):
    """A connector on which no server can keep the event loop busy."""

    def __init__(self, tls: ssl.SSLContext | None, **options: Any):
        super().__init__(limit=0, ssl=tls or True, **options)  # the sender has a limit
        handler: type[ResponseHandler] = BoundedResponseHandler
        self._factory = partial(handler, loop=self._loop)


class _Resolver(AbstractResolver):
    """Resolves a name to its permitted addresses."""

    def __init__(
        self, permit: Callable[[Address], bool], lookup: Lookup, threads: ThreadPoolExecutor
    ):
        self._permit, self._lookup, self._threads = permit, lookup, threads

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Resolve a name. Raises OSError, and AddressRefused if none of its addresses is permitted."""
        addresses = await asyncio.get_running_loop().run_in_executor(
            self._threads, partial(self._lookup, host, port, family, socket.SOCK_STREAM)
        )
        refused: list[str] = []
        results: list[ResolveResult] = []
        for family_, _, protocol, _, address in addresses:
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
        """Do nothing: there are no resources."""


def _permitted_socket(permit: Callable[[Address], bool], info: AddressInfo) -> socket.socket:
    """Return a socket for the address of the next connection, after checking it."""
    family, kind, protocol, _, address = info
    if not permit(ip_address(address[0])):
        raise AddressRefused(address[0])
    return socket.socket(family, kind, protocol)
