"""Test servers that parse requests and write raw responses."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple


class Request(NamedTuple):
    """A request: first line, headers by lowercase name, body."""

    line: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[[Request, asyncio.StreamWriter], Awaitable[bool]]
"""A function that responds to a request and returns whether the connection stays open."""


@asynccontextmanager
async def listening(
    answer: Answer,
    *,
    host: str = "127.0.0.1",
    tls: ssl.SSLContext | None = None,
    connected: Callable[[], None] = lambda: None,
) -> AsyncIterator[int]:
    """Run a server and yield its port; open connections are closed at the end.

    `connected` is called for each new connection.
    """
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        connected()
        try:
            await _serve(answer, reader, writer)
        except asyncio.CancelledError:  # the end of the test
            writer.transport.abort()
        finally:
            tasks.discard(task)

    server = await asyncio.start_server(accept, host, 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _serve(
    answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Respond to the requests of a connection until it ends."""
    with suppress(OSError, asyncio.IncompleteReadError):
        while await answer(await _read_request(reader), writer):
            await writer.drain()
    writer.close()


async def _read_request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in lines)}
    return Request(line, headers, await reader.readexactly(int(headers.get("content-length", 0))))
