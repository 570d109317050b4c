"""Clients that read slowly, or not at all, delay no others and use little memory."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import connect

from deploy.web import server as web
from deploy.web.server import Server
from schema.http import graphql_ws
from schema.http.response_format import SSE
from schema.services import Services
from tests.support.api import OPEN
from tests.support.fact_builders import announced
from tests.support.stream_client import APOLLO, followers
from tests.support.time_limits import within
from tests.support.web_server import serving
from tests.support.websocket_client import PROTOCOL, framed
from tracker.log.recorder import Recorder

HEAVY = "".join(f" d{n}: data" for n in range(40))
"""Fields that make a response of about 280 KB per event."""
POSITION = re.compile(rb'"position":"(\d+)"')
MOST = 1_000_000
"""Maximum of buffered bytes per client: asyncio's limit, and one response."""


def query(fields: str = "") -> str:
    """Return a subscription to the whole log."""
    return f'subscription {{ events(after: "0") {{ position{fields} }} }}'


def posted(document: str, accept: str) -> bytes:
    """Return the bytes of a request."""
    body = json.dumps({"query": document})
    return (
        f"POST /graphql HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


UPGRADE = (
    b"GET /graphql HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)


WAYS = ["websocket", SSE, APOLLO]


@asynccontextmanager
async def subscribed(
    address: str, way: str, fields: str = "", receives: int = 0
) -> AsyncIterator[asyncio.StreamReader]:
    """Yield the data of a client with minimal buffers."""
    host, port = address.split(":")
    sock = socket.socket()
    if receives:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, (host, int(port)))
    reader, writer = await asyncio.open_connection(sock=sock, limit=2**14)
    if way == "websocket":
        writer.write(UPGRADE)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            framed(type="connection_init")
            + framed(type="subscribe", id="1", payload={"query": query(fields)})
        )
    else:
        writer.write(posted(query(fields), way))
    try:
        yield reader
    finally:
        writer.transport.abort()


async def positions(reader: asyncio.StreamReader, until: int) -> list[int]:
    """Return the positions of events up to one."""
    read = b""
    async with asyncio.timeout(within(30)):
        while b'"position":"%d"' % until not in read[-(2**20) :]:
            chunk = await reader.read(2**20)
            assert chunk, "the connection ended"
            read += chunk
    return [int(found) for found in POSITION.findall(read)]


def waiting(server: Server) -> int:
    """Return the maximum of buffered bytes of a client in our memory."""
    return max(
        (
            connection.transport.get_write_buffer_size()
            for connection in server.server_state.connections
        ),
        default=0,
    )


async def record(services: Services) -> int:
    """Record a long event; its position."""
    head = await services.recorder.head()
    fact = announced(note="x" * 7000)
    return (await services.commands.record(f"export-control/n{head}", fact)).positions[-1]


@pytest.mark.parametrize("way", WAYS)
async def test_a_client_that_does_not_read_delays_no_one_and_takes_little_memory(
    services: Services, running: tuple[str, Server, asyncio.Task[None]], way: str
) -> None:
    address, server, _ = running
    async with subscribed(address, way, HEAVY, receives=4096) as slow:
        while waiting(server) <= 2**16:  # asyncio's mark, above which it makes writers wait
            assert await record(services) < 200
        for _ in range(5):
            last = await record(services)
        async with subscribed(address, way) as fast:
            assert await positions(fast, last) == list(range(1, last + 1))
        assert waiting(server) < MOST
        assert await positions(slow, last) == list(range(1, last + 1))


async def test_many_subscribers_are_served_by_one_reading_of_the_log(
    services: Services,
    running: tuple[str, Server, asyncio.Task[None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    each, reads = 30, 0
    read = Recorder.read

    async def counting(self: Recorder, *arguments: Any, **more: Any) -> Any:
        nonlocal reads
        reads += 1
        return await read(self, *arguments, **more)

    readers: list[asyncio.StreamReader] = []
    async with asyncio.TaskGroup() as clients:
        done = asyncio.Event()

        async def subscribe(way: str) -> None:
            async with subscribed(running[0], way) as reader:
                readers.append(reader)
                await done.wait()

        for way in WAYS * each:
            clients.create_task(subscribe(way))
        await followers(services.follower, each * len(WAYS))
        monkeypatch.setattr(Recorder, "read", counting)
        for _ in range(5):
            await record(services)
        found = await asyncio.gather(*(positions(reader, 5) for reader in readers))
        done.set()
    assert found == [[1, 2, 3, 4, 5]] * len(readers)
    assert reads < len(readers)


async def test_a_socket_that_never_begins_is_closed(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphql_ws, "INIT_TIMEOUT_SECONDS", 0.1)
    async with (
        serving(services, OPEN) as (address, *_),
        connect(f"ws://{address}/graphql", subprotocols=[PROTOCOL]) as silent,
    ):
        with pytest.raises(websockets.ConnectionClosedError, match="4408"):
            await asyncio.wait_for(silent.recv(), within(10))


async def test_a_socket_that_owes_a_pong_is_closed(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "PING_INTERVAL_SECONDS", 0.1)
    async with serving(services, OPEN) as (address, *_), subscribed(address, "websocket") as dead:
        read = await asyncio.wait_for(dead.read(), within(10))  # to the end; it never sends a pong
        assert b"keepalive ping timeout" in read
        await followers(services.follower, 0)


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the kernel is not Linux")
@pytest.mark.parametrize("way", WAYS)
async def test_a_client_that_never_reads_again_is_cut_off(
    services: Services, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(web, "SEND_TIMEOUT_SECONDS", 0.5)
    async with (
        serving(services, OPEN) as (address, server, _),
        subscribed(address, way, HEAVY, receives=4096) as stalled,
    ):
        await stalled.read(1)
        for _ in range(5):
            await record(services)  # more than the client's socket buffers
        async with asyncio.timeout(within(30)):
            while server.server_state.connections:
                await asyncio.sleep(0.05)
        await followers(services.follower, 0)
