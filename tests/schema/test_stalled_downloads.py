"""Stalled downloads use little memory, and do not block others."""

import asyncio
import os
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx2
import psutil  # type: ignore[import-untyped]
import pytest

from schema.services import Access, Services
from tests.support.fact_builders import announced
from tests.support.snapshots import keep
from tests.support.time_limits import within
from tests.support.waiting import until
from tests.support.web_server import serving
from tracker.postgres.database import Target

LARGE_BYTES = 12_000_000
"""More than the buffers of two sockets hold."""
LONG_NOTE = "\N{GRINNING FACE}" * 8000
CLIENT_DOWNLOADS = 16
DOWNLOADS = 64
MAX_GROWTH_BYTES = 100_000_000
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems lack 127.0.0.2")


@asynccontextmanager
async def stalled(address: str, path: str, local: str) -> AsyncIterator[int]:
    """Return the status of a download whose body is not read."""
    host, port = address.split(":")
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    sock.bind((local, 0))
    await asyncio.get_running_loop().sock_connect(sock, (host, int(port)))
    reader, writer = await asyncio.open_connection(sock=sock, limit=2**10)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        async with asyncio.timeout(within(20)):
            yield int((await reader.readline()).split()[1])
    finally:
        writer.transport.abort()


async def large_snapshot(services: Services, target: Target) -> str:
    """Create a large snapshot and return its path."""
    return f"/snapshots/{await keep(target, os.urandom(LARGE_BYTES))}"


async def large_annexes(services: Services, target: Target) -> str:
    """Create large annexes and return their path."""
    for number in range(LARGE_BYTES // len(LONG_NOTE.encode())):
        await services.commands.record(f"export-control/n{number}", announced(note=LONG_NOTE))
    return "/annexes"


@pytest.mark.parametrize("large", [large_snapshot, large_annexes])
async def test_stalled_downloads_are_few_and_take_little_memory(
    services: Services, target: Target, large: object
) -> None:
    assert callable(large)
    path = await large(services, target)
    process = psutil.Process()
    statuses = {}
    async with serving(services, Access()) as (address, server, _):
        before = process.memory_info().rss
        async with AsyncExitStack() as stack:
            for client in range(2, 8):
                statuses[client] = Counter(
                    [
                        await stack.enter_async_context(stalled(address, path, f"127.0.0.{client}"))
                        for _ in range(CLIENT_DOWNLOADS + 4)
                    ]
                )
            assert process.memory_info().rss - before < MAX_GROWTH_BYTES
        assert statuses[2] == {200: CLIENT_DOWNLOADS, 429: 4}
        assert sum(each[200] for each in statuses.values()) == DOWNLOADS
        assert statuses[7] == {503: CLIENT_DOWNLOADS + 4}
        await until(lambda: not len(server.server_state))
        async with httpx2.AsyncClient(base_url=f"http://{address}", timeout=within(60)) as client:
            found = await client.get(path)
        assert (found.status_code, len(found.content) >= LARGE_BYTES) == (200, True)
