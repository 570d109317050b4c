"""Clients that try to delay others, for some seconds, from addresses of their own.

    python -m tools.benchmarks.attacks LOAD PORT SECONDS

They connect only to this machine (Linux has all of 127.0.0.0/8), end after their seconds, and have at most
200 connections an address.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

import uvloop

from deploy.web.descriptors import raise_limit
from tests.support.websocket_client import framed

TOKEN = "benchmark"
ENTITY = "figure/rare_earths/CN/production/mine/2023"
"""An entity with many events."""
SOURCE = {"publisher": "usgs", "name": "a load", "publishedOn": "2024-01-31"}
RECORD = "mutation ($c: [CommandInput!]!) { record(commands: $c) { position } }"
UPGRADE = (
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n"
)
MOMENT_PAGES = (
    "/",
    "/controls?rows=clause",
    "/controls/cn-mofcom-2024-46",
    "/commodities/rare_earths",
    "/figures",
    "/changes?from=2006-01-01",
    "/figures/rare_earths/CN/production/mine/2023.png",
    "/announcements.xlsx",
)
ALL_TYPES = (
    "types { name fields { name args { name type { name } } type { name ofType { name } } } }"
)
UNKNOWN = " ".join(f"exportControl{number}" for number in range(23))
DEEP = (
    "nodes { key title issuer { code name } because { position } clauses {"
    " key status commodities { key name } destinations { code name } items { name code } } }"
)


@dataclass
class Client:
    """A client: the server's port, its own address, and the end of its time."""

    port: int
    address: str
    until: float
    numbers: itertools.count[int] = field(
        default_factory=lambda: itertools.count(random.randrange(10**9))
    )

    @property
    def has_time(self) -> bool:
        """Whether its time is not over."""
        return time.monotonic() < self.until

    def day(self, first_year: int = 2010) -> str:
        """Return another day than in the last requests."""
        number = next(self.numbers)
        return f"{first_year + number % 15}-{1 + number // 15 % 12:02}-{1 + number // 180 % 28:02}"

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection."""
        return await asyncio.open_connection("127.0.0.1", self.port, local_addr=(self.address, 0))

    async def send(self, sent: bytes, seconds: float = 60, then: float = 0) -> bytes:
        """Send a request on a new connection, and return the response within some seconds."""
        reader, writer = await self.connect()
        try:
            async with asyncio.timeout(seconds):
                for at in range(0, len(sent), 2**16):
                    writer.write(sent[at : at + 2**16])
                    await writer.drain()
                await asyncio.sleep(then)
                return await reader.read()
        finally:
            writer.transport.abort()

    async def hold(self, sent: bytes, read_bytes: int = 1000, pause: float = 0.2) -> None:
        """Send data on a new connection, and read slowly what comes."""
        reader, writer = await self.connect()
        try:
            writer.write(sent)
            while self.has_time and await reader.read(read_bytes):
                await asyncio.sleep(pause)
        finally:
            writer.transport.abort()

    async def post(self, document: str, token: str = "", **variables: object) -> bytes:
        """Send a GraphQL query."""
        return await self.send(posted({"query": document, "variables": variables}, token))

    async def post_new(self, selections: str) -> None:
        """Send a query under a new name, so that no cache has it."""
        await self.post(f"query N{next(self.numbers)} {{ {selections} }}")


def posted(payload: object, token: str = "", path: str = "/graphql") -> bytes:
    """Return a POST request."""
    body = json.dumps(payload).encode()
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Accept: application/json, text/event-stream;q=0.1\r\n"
        f"{authorization}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode() + body


def got(path: str, more: bytes = b"Connection: close\r\n") -> bytes:
    """Return a GET request."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n".encode() + more + b"\r\n"


def claimed(number: int) -> dict[str, object]:
    """Return a command with one more claim on a figure."""
    return {
        "recordFigure": {
            "series": {
                "commodity": "rare_earths",
                "place": "CN",
                "statistic": "PRODUCTION",
                "stage": "MINE",
                "period": 2023,
            },
            "edition": f"E{number}",
            "quantity": {"value": str(number), "unit": "t", "basis": "REO"},
            "source": {**SOURCE, "publishedOn": f"2024-0{1 + number % 9}-01"},
        }
    }


async def introspection(client: Client) -> None:
    """Query the whole schema, under a new name each time."""
    await client.post_new(f"__schema {{ {ALL_TYPES} }}")


async def refused(client: Client) -> None:
    """Send 370 bytes with unknown fields that resemble others."""
    await client.post_new(UNKNOWN)


async def unknown_fields(client: Client) -> None:
    """Send 165 unknown fields."""
    await client.post_new(" ".join(f"u{number}x" for number in range(165)))


async def many_documents(client: Client) -> None:
    """Send distinct documents with many fields."""
    nodes = "nodes { position recordedAt type entity data id: position } "
    names = " ".join(f"a{number}: head" for number in range(45))
    await client.post_new(f"{names} events(first: 1) {{ {nodes * 100} }}")


async def socket_documents(client: Client) -> None:
    """Send documents of 39 kB over one WebSocket."""
    reader, writer = await client.connect()
    try:
        writer.write(got("/graphql", UPGRADE))
        await reader.readuntil(b"\r\n\r\n")
        writer.write(framed(type="connection_init"))
        fields = " ".join(f"exportControl{number}" for number in range(1900))
        while client.has_time and not reader.at_eof():
            number = next(client.numbers)
            query = f"query N{number} {{ asOf {{ {fields} }} }}"
            writer.write(framed(type="subscribe", id=str(number), payload={"query": query}))
            await reader.read(2**16)
    finally:
        writer.transport.abort()


async def list_tools(client: Client) -> None:
    """List the tools of assistants."""
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    await client.send(posted(call, path="/mcp"))


async def deep_lists(client: Client) -> None:
    """Query six lists of 200 controls with their clauses."""
    lists = " ".join(f"a{n}: exportControls(first: 200) {{ {DEEP} }}" for n in range(6))
    await client.post(f'{{ asOf(validAt: "{client.day()}") {{ {lists} }} }}')


async def history(client: Client) -> None:
    """Query all versions of an entity with many events."""
    fields = "validFrom knownFrom state { __typename ... on Figure { claims { edition value } } }"
    await client.post(f'{{ history(entity: "{ENTITY}", first: 200) {{ nodes {{ {fields} }} }} }}')


async def many_moments(client: Client) -> None:
    """Query the maximum number of moments, with expensive fields at each."""
    start = 2000 + next(client.numbers) % 20
    figures = " ".join(
        f'f{year}: production(commodity: "rare_earths", year: {year}) {{ figures {{ share }} }}'
        for year in range(2021, 2025)
    )
    await client.post(
        f'{{ over(from: "{start}-01-01", step: WEEK, first: 400, to: "{start + 7}-01-01")'
        f" {{ {figures} }} }}"
    )


async def costly(client: Client) -> None:
    """Send queries of maximum cost that are not cached."""
    claims = "value unit edition series { commodity { key name } place { code name } period }"
    world = "year world { value } places { place { name } share }"
    changed = "totalCount nodes { entity change fields { path before after } }"
    day = client.day()
    query = random.choice(
        [
            f'asOf(validAt: "{day}") {{ claims(first: 200) {{ nodes {{ {claims} }} }} }}',
            f'asOf(validAt: "{day}") {{ digest }}',
            f'asOf(validAt: "{day}") {{ exposure(destination: "US") {{ {world} }} }}',
            f'changes(from: {{validAt: "2000-01-01"}}, to: {{validAt: "{day}"}}, first: 200) {{ {changed} }}',
        ]
    )
    await client.post(f"{{ {query} }}")


async def pages(client: Client) -> None:
    """Request the most expensive pages, uncached."""
    path = MOMENT_PAGES[next(client.numbers) % len(MOMENT_PAGES)]
    moment = f"valid={client.day()}&position={5000 + next(client.numbers) % 5000}"
    await client.send(got(f"{path}{'&' if '?' in path else '?'}{moment}"))


async def parquet(client: Client) -> None:
    """Request tables as Parquet."""
    await client.send(got(f"/tables/claims.parquet?valid={client.day()}"))


async def writing(client: Client) -> None:
    """Record events of one entity, a hundred at a time, some on past days."""
    commands = [claimed(next(client.numbers)) for _ in range(100)]
    await client.post(RECORD, TOKEN, c=commands)


async def uploads(client: Client) -> None:
    """Send bodies of 400 kB, at most a reader's limit."""
    variables = {"text": "x" * 400_000}
    await client.send(posted({"query": "{ head }", "variables": variables}))


async def held_bodies(client: Client) -> None:
    """Send nearly all of a body of 15 MB, and then nothing."""
    head = b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    await client.hold(head + b"Content-Length: 15000000\r\n\r\n" + b" " * 14_000_000)


async def kept_alive(client: Client) -> None:
    """Send a query every five seconds over a connection that stays open."""
    reader, writer = await client.connect()
    try:
        while client.has_time and not reader.at_eof():
            writer.write(got("/graphql?query={head}", b""))
            await reader.read(2**16)
            await asyncio.sleep(5)
    finally:
        writer.transport.abort()


async def schema_readers(client: Client) -> None:
    """Read the schema one kilobyte at a time."""
    await client.hold(got("/schema.graphql", b"Accept-Encoding: gzip\r\n"))


async def slow_streams(client: Client) -> None:
    """Read the events since the first as a stream, one kilobyte at a time."""
    await client.hold(got("/events?after=0", b"Accept: text/event-stream\r\n"))


async def log_reading(client: Client) -> None:
    """Read the whole log repeatedly, as fast as it arrives."""
    head = b"Accept-Encoding: gzip\r\n"
    await client.hold(got("/events?follow=false&after=0", head), 2**16, 0)


async def sockets(client: Client) -> None:
    """Open WebSockets with the maximum number of subscriptions, and leave them."""
    query = {"query": 'subscription { events(after: "0") { position type data } }'}
    asked = [framed(type="subscribe", id=str(n), payload=query) for n in range(20)]
    await client.hold(b"".join([got("/graphql", UPGRADE), framed(type="connection_init"), *asked]))


async def trickle(client: Client) -> None:
    """Send a head one byte at a time."""
    reader, writer = await client.connect()
    try:
        writer.write(b"GET / HTTP/1.1\r\nX: ")
        while not reader.at_eof() and not writer.is_closing() and client.has_time:
            writer.write(b"x")
            with suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await reader.read(1000)
    finally:
        writer.transport.abort()


async def long_lines(client: Client) -> None:
    """Send addresses of the maximum length, and longer ones."""
    for size in (60_000, 200_000):
        await client.send(got(f"/graphql?query={{head}}&x{next(client.numbers)}={'x' * size}"))


async def pipelining(client: Client) -> None:
    """Send two thousand requests at once on a connection."""
    await client.send(got("/graphql?query={events(first:100){nodes{data}}}", b"") * 2000, then=0.2)


async def bad_requests(client: Client) -> None:
    """Send malformed requests without pause."""
    for sent in (
        b"\0\x16\x03 nonsense\r\n\r\n",
        posted("{"),
        posted({"query": "{" * 3000}),
        got("/graphql?query={head", b"X: \x01\r\n"),
        posted({"query": "{ head }"}, "wrong"),
        posted({"query": "{ head }"}).replace(b"Host", b"Content-Encoding: gzip\r\nHost"),
    ):
        await client.send(sent, 5)


async def documents(client: Client) -> None:
    """Search in the documentation, also for texts that are too long."""
    words = "+".join(f"position{next(client.numbers)}" for _ in range(30))
    await client.send(got(f"/docs?q={words[: random.choice((150, 300))]}"))


LOADS: dict[str, tuple[Callable[[Client], Awaitable[None]], int, int]] = {
    "introspection": (introspection, 1, 190),
    "refused": (refused, 1, 100),
    "unknown-fields": (unknown_fields, 1, 100),
    "many-documents": (many_documents, 3, 4),
    "socket-documents": (socket_documents, 1, 1),
    "list-tools": (list_tools, 1, 60),
    "deep-lists": (deep_lists, 1, 8),
    "history": (history, 3, 8),
    "many-moments": (many_moments, 3, 4),
    "costly": (costly, 3, 8),
    "pages": (pages, 3, 30),
    "parquet": (parquet, 1, 20),
    "writing": (writing, 3, 1),
    "uploads": (uploads, 5, 200),
    "held-bodies": (held_bodies, 3, 4),
    "kept-alive": (kept_alive, 25, 200),
    "schema-readers": (schema_readers, 5, 200),
    "slow-streams": (slow_streams, 5, 200),
    "log-reading": (log_reading, 3, 4),
    "sockets": (sockets, 3, 100),
    "trickle": (trickle, 3, 150),
    "long-lines": (long_lines, 3, 4),
    "pipelining": (pipelining, 3, 4),
    "bad-requests": (bad_requests, 3, 4),
    "documents": (documents, 1, 60),
}
"""Loads by name, with their number of addresses, and of connections of each."""


async def repeat(load: Callable[[Client], Awaitable[None]], client: Client) -> int:
    """Repeat a load until its time is over; return the number of times."""
    for number in itertools.count():
        if not client.has_time:
            return number
        with suppress(OSError, RuntimeError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(max(0.1, client.until - time.monotonic())):
                await load(client)
        await asyncio.sleep(0.01)
    raise AssertionError


async def main(name: str, port: str, seconds: str) -> None:
    """Run all clients of a load to the end; print `begun`, and how often they repeated it."""
    raise_limit()
    print("begun", flush=True)
    load, addresses, connections = LOADS[name]
    until = time.monotonic() + float(seconds)
    clients = [Client(int(port), f"127.0.0.{2 + number}", until) for number in range(addresses)]
    repeating = (repeat(load, client) for client in clients for _ in range(connections))
    print(sum(await asyncio.gather(*repeating)), flush=True)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
