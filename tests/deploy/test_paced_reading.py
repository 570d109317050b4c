"""Clients with many tiny pieces delay no others, on any event loop."""

import asyncio
import gc
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import uvloop
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from deploy.bootstrap import running_tracker
from deploy.web.paced_reading import PacedTransport
from deploy.web.protocols import CountedConnection
from deploy.web.write_coalescing import CoalescingTransport
from tests.deploy.test_connections import HEALTHZ, POSTED, connected
from tests.schema.test_slow_clients import UPGRADE
from tests.support.api import OPEN
from tests.support.time_limits import within
from tests.support.web_server import serving
from tests.support.websocket_client import connected as connected_websocket
from tests.support.websocket_client import framed
from tracker.postgres.database import Target

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
FLOOD_BYTES = 3_000_000
PING = b"\x89\x80\0\0\0\0"
FIRST_FRAGMENT = b"\x01\x80\0\0\0\0"
FRAGMENT = b"\x00\x80\0\0\0\0"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
CHUNK = b"1\r\na\r\n"
POLICY_VIOLATION = 1008
CLOSE = 0x88
CLOSING = bytes([CLOSE]) + b"\x80\0\0\0\0"
Work = Callable[[str], Awaitable[None]]


@pytest.fixture(params=list(LOOPS))
def run(request: pytest.FixtureRequest, target: Target) -> Callable[[Work], None]:
    """Return a function that runs work beside a server on an event loop."""

    async def beside_server(work: Work) -> None:
        async with running_tracker(target) as services, serving(services, OPEN) as (address, *_):
            await work(address)

    def run_work(work: Work) -> None:
        with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
            runner.run(beside_server(work))

    return run_work


@asynccontextmanager
async def websocket(
    address: str,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a raw WebSocket after its handshake."""
    host, port = address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(UPGRADE)
        await reader.readuntil(b"\r\n\r\n")
        yield reader, writer
    finally:
        writer.transport.abort()


async def frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Return the first byte and content of the next frame."""
    first, size = await reader.readexactly(2)
    if size == 126:
        size = int.from_bytes(await reader.readexactly(2), "big")
    return first, await reader.readexactly(size)


async def close_code(reader: asyncio.StreamReader) -> int:
    """Return the server's close code."""
    async with asyncio.timeout(within(10)):
        while (received := await frame(reader))[0] != CLOSE:
            pass
    return int.from_bytes(received[1][:2], "big")


async def longest_wait(work: Awaitable[object]) -> float:
    """Return the longest event loop iteration during work, in seconds of the processor.

    A busy machine may leave the loop waiting for longer than its work takes.
    """
    longest = 0.0
    task = asyncio.ensure_future(work)
    while not task.done():
        begun = time.thread_time()
        await asyncio.sleep(0.005)
        longest = max(longest, time.thread_time() - begun)
    task.result()
    return longest


def send_all(address: str, head: bytes, flood: bytes) -> None:
    """Send a flood after a head, from a thread; the server may end the connection meanwhile."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=within(30)) as sending:
        sending.sendall(head)
        sending.recv(2**16)
        try:
            sending.sendall(flood)
            while sending.recv(2**16):
                pass
        except OSError:
            pass


JSON_PING = framed(type="ping")


@pytest.mark.parametrize(
    ("head", "piece", "size"),
    [
        (UPGRADE, PING, FLOOD_BYTES),
        (UPGRADE, FRAGMENT, FLOOD_BYTES),
        (UPGRADE, JSON_PING, FLOOD_BYTES // 8),
        (HEALTHZ[:-2] + CHUNKED, CHUNK, FLOOD_BYTES),
    ],
    ids=["ping frames", "empty fragments", "ping messages", "chunks"],
)
def test_a_flood_of_tiny_pieces_delays_no_one(
    run: Callable[[Work], None], head: bytes, piece: bytes, size: int
) -> None:
    first = FIRST_FRAGMENT if piece is FRAGMENT else b""
    flood = first + piece * (size // len(piece)) + CLOSING

    async def work(address: str) -> None:
        sending = asyncio.to_thread(send_all, address, head, flood)
        assert await longest_wait(sending) < within(0.25)

    run(work)


@pytest.mark.parametrize(
    "frames", [PING * 100, FIRST_FRAGMENT + FRAGMENT * 1500], ids=["ping frames", "fragments"]
)
def test_a_websocket_with_too_many_frames_is_closed_with_1008(
    run: Callable[[Work], None], frames: bytes
) -> None:
    async def work(address: str) -> None:
        async with websocket(address) as (reader, writer):
            writer.write(frames)
            assert await close_code(reader) == POLICY_VIOLATION

    run(work)


def test_a_message_in_many_slow_fragments_is_closed_with_1008(run: Callable[[Work], None]) -> None:
    async def work(address: str) -> None:
        async with websocket(address) as (reader, writer):
            closing = asyncio.create_task(close_code(reader))
            writer.write(FIRST_FRAGMENT)
            while not closing.done():
                writer.write(FRAGMENT * 100)
                await asyncio.sleep(0.2)
            assert await closing == POLICY_VIOLATION

    run(work)


def test_pings_at_a_usual_rate_are_answered(run: Callable[[Work], None]) -> None:
    async def work(address: str) -> None:
        async with websocket(address) as (reader, writer):
            for _ in range(20):
                writer.write(PING)
                async with asyncio.timeout(within(10)):
                    assert await frame(reader) == (0x8A, b"")

    run(work)


def test_a_large_query_in_one_frame_or_in_several_is_answered(run: Callable[[Work], None]) -> None:
    query = "{ head }" + " " * 90_000
    variables = {"filler": "x" * 300_000}
    message = json.dumps(
        {"type": "subscribe", "id": "1", "payload": {"query": query, "variables": variables}}
    )

    async def ask(address: str, size: int) -> None:
        async with connected_websocket(f"ws://{address}/graphql") as connection:
            parts = [message[at : at + size] for at in range(0, len(message), size)]
            await connection.send(parts[0] if len(parts) == 1 else parts)
            answer = json.loads(await asyncio.wait_for(connection.recv(), within(10)))
            assert answer["payload"]["data"] == {"head": "0"}

    async def work(address: str) -> None:
        for size in (len(message), 1000):
            await ask(address, size)

    run(work)


# --- bodies in chunks


def test_a_body_of_tiny_chunks_is_refused(run: Callable[[Work], None]) -> None:
    async def work(address: str) -> None:
        async with connected(address, "127.0.0.1") as client:
            assert await client.answer(POSTED + CHUNKED + CHUNK * 5000) == 400
            await client.ended()

    run(work)


def test_a_body_that_is_not_read_ends_the_connection_after_its_answer(
    run: Callable[[Work], None],
) -> None:
    async def work(address: str) -> None:
        async with connected(address, "127.0.0.1") as client:
            head = HEALTHZ[:-2] + b"Content-Length: 100000000\r\n\r\n"
            assert await client.answer(head + bytes(200_000)) == 200
            async with asyncio.timeout(within(10)):
                await client.reader.read()

    run(work)


def test_a_short_body_that_is_not_read_leaves_the_connection_open(
    run: Callable[[Work], None],
) -> None:
    async def work(address: str) -> None:
        async with connected(address, "127.0.0.1") as client:
            for body in (bytes(1000), b""):
                head = HEALTHZ[:-2] + b"Content-Length: %d\r\n\r\n" % len(body)
                assert await client.answer(head) == 200
                await client.reader.readuntil(b"}")
                client.writer.write(body)

    run(work)


def test_a_large_body_in_one_piece_comes_whole(run: Callable[[Work], None]) -> None:
    body = json.dumps({"query": "{ head }", "variables": {"x": "x" * 400_000}}).encode()

    async def work(address: str) -> None:
        async with connected(address, "127.0.0.1") as client:
            for _ in range(3):
                request = POSTED + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
                assert await client.answer(request) == 200
                await client.reader.readuntil(b"}}")

    run(work)


@pytest.mark.parametrize("end", ["close", "abort"])
def test_connections_leave_nothing_to_the_garbage_collector(
    run: Callable[[Work], None], end: str
) -> None:
    async def work(address: str) -> None:
        for head in (HEALTHZ, UPGRADE):
            for _ in range(3):
                async with connected(address) as client:
                    assert await client.answer(head) in (101, 200)
                    if end == "abort":
                        client.writer.transport.abort()
        for _ in range(100):
            await asyncio.sleep(0.05)
            if not (left := [one for one in connection_objects() if id(one) not in known]):
                break
        assert not left

    gc.collect()
    others = connection_objects()  # of tests before this one; they keep their ids in use
    known = {*map(id, others)}
    gc.disable()
    try:
        run(work)
    finally:
        gc.enable()


def connection_objects() -> list[object]:
    """Return the objects of connections."""
    classes = (CountedConnection, PacedTransport, CoalescingTransport, RequestResponseCycle)
    return [one for one in gc.get_objects() if isinstance(one, classes)]
