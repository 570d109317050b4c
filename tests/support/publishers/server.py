"""A server on a real socket that simulates publishers, selected by host name."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus

from tests.support.connections import Request, listening
from tests.support.publishers.publisher import Asked, Page, Publisher, headers_of

CHUNK_BYTES = 1_000


class PublisherServer:
    """A server on 127.0.0.1 for several publishers, by host name; the first is the default."""

    def __init__(self, publishers: Mapping[str, Publisher]):
        self._publishers = publishers
        self.port = 0
        self.connections = 0
        self.most_at_once: dict[str, int] = {}
        """Maximum of concurrent requests, by host."""
        self._at_once: dict[str, int] = {}

    @property
    def url(self) -> str:
        """Return its address without a path."""
        return f"http://127.0.0.1:{self.port}"

    def url_of(self, host: str) -> str:
        """Return the address of a publisher, whose name resolves to this machine (see `names_here`)."""
        return f"http://{host}:{self.port}"

    def count_connection(self) -> None:
        """Count a new connection."""
        self.connections += 1

    async def answer(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        """Respond to one request, and return whether the connection stays open."""
        line, headers, body = request
        method, target, _ = line.split(" ")
        host = headers.get("host", "")
        if target.startswith(("http://", "https://")):  # as in a request to a proxy
            target = "/" + target.split("://", 1)[1].partition("/")[2]
        asked = Asked(target, method, headers, body, f"http://{host}", time.monotonic())
        name = host.partition(":")[0]
        publisher = self._publishers.get(name) or next(iter(self._publishers.values()))
        self._at_once[name] = self._at_once.get(name, 0) + 1
        self.most_at_once[name] = max(self.most_at_once.get(name, 0), self._at_once[name])
        try:
            return await _send(publisher.answer(asked), writer)
        finally:
            self._at_once[name] -= 1


async def _send(page: Page, writer: asyncio.StreamWriter) -> bool:
    await asyncio.sleep(page.wait_seconds)
    if page.raw is not None:
        writer.write(page.raw)
        await writer.drain()
        return False
    headers = headers_of(page)
    length = len(page.content) if page.content_length is None else page.content_length
    if length >= 0:
        headers["content-length"] = str(length)
    if length != len(page.content):
        headers["connection"] = "close"
    phrase = HTTPStatus(page.status).phrase
    lines = [f"HTTP/1.1 {page.status} {phrase}", *(f"{k}: {v}" for k, v in headers.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
    if page.drip_seconds:
        for start in range(0, len(page.content), CHUNK_BYTES):
            writer.write(page.content[start : start + CHUNK_BYTES])
            await writer.drain()
            await asyncio.sleep(page.drip_seconds)
    else:
        writer.write(page.content)
    await writer.drain()
    return headers.get("connection") != "close"


@asynccontextmanager
async def playing(
    *publishers: Publisher, hosts: Mapping[str, Publisher] | None = None
) -> AsyncIterator[PublisherServer]:
    """Run a server for publishers, optionally by host name."""
    by_host = {str(number): each for number, each in enumerate(publishers)} | dict(hosts or {})
    played = PublisherServer(by_host)
    async with listening(played.answer, connected=played.count_connection) as played.port:
        yield played
