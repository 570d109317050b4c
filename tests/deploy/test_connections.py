"""Clients with idle connections delay no others, and use little memory."""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import psutil  # type: ignore[import-untyped]
import pytest

from deploy.web import connections
from deploy.web.connections import Limits
from deploy.web.server import Server
from schema.http.response_format import SSE
from schema.services import Services
from tests.schema.test_slow_clients import HEAVY, UPGRADE, subscribed
from tests.support.api import OPEN
from tests.support.fact_builders import announced
from tests.support.time_limits import within
from tests.support.web_server import serving
from tests.support.websocket_client import framed

ANOTHER = "127.0.0.2"
"""An address of this machine that is not a proxy."""
HEALTHZ = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Filler: "
POSTED = b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
QUICK = Limits(head_seconds=0.3)
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems lack 127.0.0.2")


class Client:
    """A client of a socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.reader = reader
        self.writer = writer

    async def answer(self, sent: bytes = b"") -> int:
        """Send data, and return the status, or 0 if the connection is closed."""
        try:
            self.writer.write(sent)
            async with asyncio.timeout(within(20)):
                head = await self.reader.readuntil(b"\r\n\r\n")
        except (OSError, asyncio.IncompleteReadError):
            return 0
        return int(head.split()[1])

    async def ended(self) -> None:
        """Wait until the server has ended the connection."""
        async with asyncio.timeout(within(20)):
            try:
                while await self.reader.read(2**16):
                    pass
            except OSError:
                pass

    async def trickle(self, pieces: bytes, seconds: float) -> None:
        """Send bytes one at a time, until the server ends the connection."""
        ending = asyncio.create_task(self.ended())
        for piece in pieces:
            if ending.done():
                break
            self.writer.write(bytes([piece]))
            await asyncio.sleep(seconds)
        await ending


@asynccontextmanager
async def connected(address: str, local: str = ANOTHER, receives: int = 0) -> AsyncIterator[Client]:
    """Connect from an address, with a receive buffer of a size."""
    host, port = address.split(":")
    sock = socket.socket()
    if receives:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
    sock.setblocking(False)
    sock.bind((local, 0))
    await asyncio.get_running_loop().sock_connect(sock, (host, int(port)))
    reader, writer = await asyncio.open_connection(sock=sock)
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()


@asynccontextmanager
async def many(
    address: str, count: int, sent: bytes, local: str = ANOTHER
) -> AsyncIterator[list[Client]]:
    """Open connections that have sent some data."""
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(connected(address, local)) for _ in range(count)]
        for client in clients:
            client.writer.write(sent)
        yield clients


async def until(server: Server, count: int) -> None:
    """Wait until the server has a number of connections."""
    async with asyncio.timeout(within(20)):
        while len(server.server_state) != count:
            await asyncio.sleep(0.02)


# --- heads


@pytest.mark.parametrize("end", [b"\r\n\r\n", b""], ids=["complete", "unfinished"])
@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 70_000,
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"X: 123456789\r\n" * 6_000,
        b"GET /healthz?" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: localhost",
    ],
    ids=["one header", "many headers", "address"],
)
async def test_a_head_that_is_too_large_is_refused(
    services: Services, head: bytes, end: bytes
) -> None:
    async with serving(services, OPEN) as (address, server, _):
        async with connected(address) as client:
            assert await client.answer(head.rstrip(b"\r\n") + end) in (431, 0)
            await client.ended()
        await until(server, 0)


async def test_a_head_below_the_limit_and_a_long_body_behind_it_are_taken(
    services: Services,
) -> None:
    body = json.dumps({"query": "{ head }", "variables": {"x": "x" * 500_000}}).encode()
    filler = b"X: %s\r\n" % (b"x" * 60_000)
    request = POSTED + filler + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    chunk = 100
    pieces = b"".join(
        b"%x\r\n%s\r\n" % (len(body[at : at + chunk]), body[at : at + chunk])
        for at in range(0, len(body), chunk)
    )
    chunked = POSTED + b"Transfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n"
    async with serving(services, OPEN) as (address, *_):
        for sent in (request, chunked):
            async with connected(address) as client:
                assert await client.answer(sent) == 200


@pytest.mark.parametrize("trailer", [b"X: " + b"x" * 70_000, b"X: 123456789\r\n" * 6_000])
async def test_trailers_that_are_too_large_are_refused(services: Services, trailer: bytes) -> None:
    async with serving(services, OPEN) as (address, server, _), connected(address) as client:
        client.writer.write(POSTED + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n")
        client.writer.write(trailer)
        await client.ended()
        await until(server, 0)


async def test_floods_of_headers_take_no_memory(services: Services) -> None:
    process = psutil.Process()
    async with serving(services, OPEN) as (address, *_), connected(address) as client:
        before = process.memory_info().rss
        client.writer.write(HEAD)
        sent = 0
        while not client.reader.at_eof() and sent < 300 * 2**20:
            client.writer.write(b"x" * 2**20)
            sent += 2**20
            try:
                await client.writer.drain()
            except OSError:
                break
        assert process.memory_info().rss - before < 50 * 2**20
        assert sent < 50 * 2**20


@pytest.mark.parametrize(
    "pieces",
    [b"", HEAD + b"x" * 1000, b"\r\n" * 1000, UPGRADE[:-2] + b"X: " + b"x" * 1000],
    ids=["nothing", "a head", "empty lines", "a WebSocket"],
)
async def test_a_client_that_trickles_a_head_is_cut_off(services: Services, pieces: bytes) -> None:
    async with serving(services, OPEN, QUICK) as (address, server, _), connected(address) as client:
        await client.trickle(pieces, 0.02)
        await until(server, 0)


async def test_the_time_for_a_head_begins_anew_with_each_answer(services: Services) -> None:
    short = Limits(head_seconds=2)
    async with serving(services, OPEN, short) as (address, *_), connected(address) as client:
        for _ in range(5):
            assert await client.answer(HEALTHZ) == 200
            await client.reader.readuntil(b"}")
            await asyncio.sleep(0.5)


# --- bodies


@pytest.mark.parametrize("path", [b"/graphql", b"/healthz"])
async def test_a_client_that_trickles_a_body_is_cut_off_whether_or_not_it_has_its_answer(
    services: Services, monkeypatch: pytest.MonkeyPatch, path: bytes
) -> None:
    monkeypatch.setattr(connections, "BODY_CHECK_SECONDS", 0.5)
    head = b"GET %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n\r\n" % path
    async with (
        serving(services, OPEN, replace(QUICK, head_seconds=60)) as (address, server, _),
        connected(address) as client,
    ):
        client.writer.write(head)
        await client.trickle(b"x" * 1000, 0.02)
        await until(server, 0)


async def test_bodies_that_are_not_complete_take_bounded_memory_together(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MAX_RECEIVED_BYTES", 2_000_000)
    monkeypatch.setattr(connections, "BODY_CHECK_SECONDS", 600.0)  # none is cut for its rate
    part = POSTED + b"Content-Length: 10000000\r\n\r\n" + b" " * 700_000
    async with serving(services, OPEN) as (address, server, _), many(address, 8, part):
        async with asyncio.timeout(within(20)):
            while len(server.server_state) == 8:
                await asyncio.sleep(0.02)
        async with connected(address) as client:
            assert await client.answer(HEALTHZ) == 200


# --- room


async def test_clients_that_say_nothing_make_room_for_the_next(services: Services) -> None:
    few = Limits(connections=20)
    async with (
        serving(services, OPEN, few) as (address, server, _),
        many(address, 60, HEAD),
        many(address, 10, b"", "127.0.0.1"),
    ):
        for _ in range(5):
            async with connected(address) as client:
                assert await client.answer(HEALTHZ) == 200
        assert len(server.server_state) <= 20


async def test_clients_that_send_bodies_for_ever_make_room_for_the_next(services: Services) -> None:
    few = Limits(connections=20)
    async with (
        serving(services, OPEN, few) as (address, *_),
        many(address, 40, POSTED + b"Content-Length: 90\r\n\r\n{"),
        connected(address) as client,
    ):
        assert await client.answer(HEALTHZ) == 200


async def test_beyond_the_limit_the_health_can_still_be_asked_for(services: Services) -> None:
    few = Limits(connections=10)
    events = b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"
    async with (
        serving(services, OPEN, few) as (address, server, _),
        many(address, 10, events) as streams,
    ):
        for stream in streams:
            assert await stream.answer() == 200
        for sent, status in ((HEALTHZ, 200), (events, 503), (UPGRADE, 503)):
            async with connected(address) as client:
                assert await client.answer(sent) == status
            await until(server, 10)
        async with many(address, 60, HEAD), connected(address) as client:
            assert await client.answer(HEALTHZ) == 200


async def test_one_address_gets_so_many_connections_and_others_get_theirs(
    services: Services,
) -> None:
    few = Limits(client_connections=5)
    async with serving(services, OPEN, few) as (address, server, _), many(address, 5, b""):
        await until(server, 5)
        async with connected(address) as client:
            assert await client.answer(HEALTHZ) in (429, 0)
        async with connected(address, "127.0.0.3") as client:
            assert await client.answer(HEALTHZ) == 200
        async with many(address, 20, b"", "127.0.0.1"), connected(address, "127.0.0.1") as client:
            assert await client.answer(HEALTHZ) == 200  # the address may be a proxy's
    async with serving(services, OPEN, few) as (address, server, _):
        for _ in range(20):
            async with connected(address) as client:
                assert await client.answer(UPGRADE) == 101
            await until(server, 0)


async def test_requests_on_one_connection_wait_for_each_other_in_bounded_number(
    services: Services,
) -> None:
    async with serving(services, OPEN) as (address, server, _):
        async with connected(address) as client:
            client.writer.write(HEALTHZ * 10)
            for _ in range(10):
                assert await client.answer() == 200
        async with connected(address) as client:
            client.writer.write(HEALTHZ * 2000)
            await client.ended()
        await until(server, 0)


async def test_answers_that_are_not_read_are_cut_off_and_take_bounded_memory(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "ANSWER_CHECK_SECONDS", 0.5)
    asked = b"GET /schema.graphql HTTP/1.1\r\nHost: localhost\r\n\r\n"
    async with serving(services, OPEN) as (address, server, _), many(address, 3, asked * 16):
        await until(server, 0)


async def test_nonsense_and_clients_that_go_fill_no_log(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(5):
        await services.commands.record(f"export-control/n{number}", announced(note="x" * 7000))
    async with serving(services, OPEN) as (address, server, _):
        for sent in (
            b"\0\0 nonsense\r\n\r\n",
            HEALTHZ.replace(b"\r\n\r\n", b"\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"),
        ):
            async with connected(address) as client:
                await client.answer(sent)
        for way in ("websocket", SSE):
            async with subscribed(address, way, HEAVY, receives=4096) as reader:
                await reader.read(1)
        await until(server, 0)
    assert [record.getMessage() for record in caplog.records] == []


@pytest.mark.parametrize(
    ("most", "flood"),
    [(3, b""), (100, b""), (100, b"\x89\x80\0\0\0\0" * 100)],
    ids=["over the limit", "within the limit", "closed for too many pings"],
)
async def test_a_websocket_that_is_cut_amid_many_operations_fills_no_log(
    services: Services, caplog: pytest.LogCaptureFixture, most: int, flood: bytes
) -> None:
    await asyncio.gather(
        *(services.commands.record(f"export-control/n{n}", announced()) for n in range(100))
    )
    query = 'subscription {{ events(after: "0") {{ a{}: position{} }} }}'
    operations = b"".join(
        framed(type="subscribe", id=str(n), payload={"query": query.format(n, HEAVY)})
        for n in range(200)
    )
    async with serving(services, replace(OPEN, operations=most)) as (address, server, _):
        for milliseconds in range(0, 300, 20):
            async with connected(address, receives=4096) as client:
                assert await client.answer(UPGRADE) == 101
                client.writer.write(framed(type="connection_init") + operations)
                client.writer.transport.pause_reading()
                await asyncio.sleep(milliseconds / 1000)
                client.writer.write(flood)
                if flood:
                    client.writer.transport.resume_reading()
                    await client.ended()
        await until(server, 0)
    assert [record.getMessage() for record in caplog.records] == []
