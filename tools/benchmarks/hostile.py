"""A client that tries to delay others, for some seconds, from its own address.

    python -m tools.benchmarks.hostile LOAD PORT SECONDS ADDRESS

It connects only to this machine (Linux has all of 127.0.0.0/8), ends after its seconds, and never has more
than 150 connections or 64 MB in transit.
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

from tests.support.websocket_client import framed

TOKEN = "benchmark"
ENTITY = "figure/rare_earths/CN/production/mine/2023"
"""An entity with many events."""
UPGRADE = (
    b"GET /graphql HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)
SOURCE = {"publisher": "usgs", "name": "a load", "publishedOn": "2024-01-31"}


@dataclass
class Client:
    """The server's port and the client's address."""

    port: int
    address: str
    until: float
    numbers: itertools.count[int] = field(
        default_factory=lambda: itertools.count(random.randrange(10**9))
    )

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection."""
        return await asyncio.open_connection("127.0.0.1", self.port, local_addr=(self.address, 0))

    async def send(self, sent: bytes, seconds: float = 30, then: float = 0) -> bytes:
        """Send data on a new connection, and return the response within some seconds."""
        reader, writer = await self.connect()
        try:
            async with asyncio.timeout(seconds):
                for at in range(0, len(sent), 2**16):
                    writer.write(sent[at : at + 2**16])
                    await writer.drain()
                await asyncio.sleep(then)
                return await reader.read(2**20)
        finally:
            writer.transport.abort()

    async def post(self, document: str, token: str = "", **variables: object) -> bytes:
        """Send a GraphQL query."""
        return await self.send(posted({"query": document, "variables": variables}, token))


def posted(payload: object, token: str = "") -> bytes:
    """Return a POST request to GraphQL."""
    body = json.dumps(payload).encode()
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    return (
        f"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"{authorization}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode() + body


def got(path: str, more: bytes = b"") -> bytes:
    """Return a GET request."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n".encode() + more + b"\r\n"


async def introspection(client: Client) -> None:
    """F2: query the whole schema under many names."""
    fields = "types{name fields{name args{name type{name}} type{name ofType{name}}}}"
    for many in (300, 50, 1):
        await client.post("{" + " ".join(f"a{n}:__schema{{{fields}}}" for n in range(many)) + "}")


async def negative_page(client: Client) -> None:
    """F7: request a page of negative size, which offsets the cost of others."""
    await client.post(
        "{ e: events(first: -2000000000) @include(if: false) { nodes { position } } "
        + " ".join(
            f'a{n}: events(first: 200, after: "{n}") {{ nodes {{ position data }} }}'
            for n in range(40)
        )
        + "}"
    )


async def endless_head(client: Client) -> None:
    """F8: send 100 MB of headers."""
    _, writer = await client.connect()
    try:
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        for n in range(1600):
            writer.write(b"X-%d: " % n + b"x" * 65_000 + b"\r\n")
            await writer.drain()
    finally:
        writer.transport.abort()


async def trickle(client: Client) -> None:
    """F9: send a head one byte at a time."""
    reader, writer = await client.connect()
    try:
        writer.write(b"GET / HTTP/1.1\r\nX: ")
        while not reader.at_eof() and not writer.is_closing() and time.monotonic() < client.until:
            writer.write(b"x")
            with suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await reader.read(1000)
    finally:
        writer.transport.abort()


async def idle(client: Client) -> None:
    """F9: keep idle connections."""
    reader, writer = await client.connect()
    try:
        await reader.read(1000)
    finally:
        writer.transport.abort()


async def history(client: Client) -> None:
    """F10: query all versions of an entity with many events."""
    fields = "validFrom knownFrom state { __typename ... on Figure { claims { edition value } } }"
    answer = await client.post(f'{{ history(entity: "{ENTITY}") {{ {fields} }} }}')
    if b"GRAPHQL_VALIDATION_FAILED" in answer:
        await client.post(
            f'{{ history(entity: "{ENTITY}", first: 200) {{ nodes {{ {fields} }} }} }}'
        )


async def writing(client: Client) -> None:
    """F10: record events of one entity, a hundred at a time, some on past days."""
    await client.post(
        "mutation ($c: [CommandInput!]!) { record(commands: $c) { position } }",
        TOKEN,
        c=[claimed(next(client.numbers)) for _ in range(100)],
    )


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


async def huge_variables(client: Client) -> None:
    """F11: send 16 MB of commands without a token."""
    await client.post(
        "mutation ($c: [CommandInput!]!) { record(commands: $c) { position } }",
        c=[claimed(n) for n in range(45_000)],
    )


async def many_documents(client: Client) -> None:
    """F15: send only distinct documents."""
    number = next(client.numbers)
    names = " ".join(f"a{number}x{n}: head" for n in range(45))
    pages = " ".join(
        f"f{n} {{ position recordedAt type entity data id: position }}".replace(f"f{n}", "nodes")
        for n in range(200)
    )
    await client.post(f"query N{number} {{ {names} events(first: 1) {{ {pages} }} }}")


async def slow_reading(client: Client) -> None:
    """Read large responses one kilobyte at a time."""
    reader, writer = await client.connect()
    try:
        after = next(client.numbers) % 5000
        writer.write(
            posted(
                {
                    "query": f'{{ events(first: 200, after: "{after}")'
                    " { nodes { position data } } }"
                }
            )
        )
        while time.monotonic() < client.until and await reader.read(1000):
            await asyncio.sleep(0.2)
    finally:
        writer.transport.abort()


async def many_moments(client: Client) -> None:
    """Query the maximum number of moments, with expensive fields at each."""
    start = 2000 + next(client.numbers) % 20
    figures = " ".join(
        f'f{year}: production(commodity: "rare_earths", year: {year}) {{ figures {{ share }} }}'
        for year in range(2021, 2025)
    )
    await client.post(
        f'{{ over(from: "{start}-01-01", step: WEEK, first: 400, to: "{start + 7}-01-01") {{ {figures} }} }}'
    )


async def costly(client: Client) -> None:
    """Send queries of maximum cost that are not cached."""
    number = next(client.numbers)
    day = f"20{10 + number % 15}-{1 + number // 15 % 12:02}-{1 + number // 180 % 28:02}"
    await client.post(
        random.choice(
            [
                f'{{ asOf(validAt: "{day}") {{ claims(first: 200) {{ nodes {{ value unit edition'
                " series { commodity { key name } place { code name } period } source { name } } } } }",
                f'{{ asOf(validAt: "{day}") {{ digest }} }}',
                f'{{ asOf(validAt: "{day}") {{ exposure(destination: "US") {{ year world {{ value }}'
                " places { place { name } share } } } }",
                f'{{ changes(from: {{validAt: "2000-01-01"}}, to: {{validAt: "{day}"}}, first: 200) {{'
                " totalCount nodes { entity change fields { path before after } } } }",
            ]
        )
    )


async def sockets(client: Client) -> None:
    """Open WebSockets with the maximum number of subscriptions, and leave them."""
    reader, writer = await client.connect()
    try:
        writer.write(UPGRADE)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(framed(type="connection_init"))
        for n in range(20):
            writer.write(
                framed(
                    type="subscribe",
                    id=str(n),
                    payload={"query": 'subscription { events(after: "0") { position type data } }'},
                )
            )
        while time.monotonic() < client.until and await reader.read(1000):
            await asyncio.sleep(1)
    finally:
        writer.transport.abort()


async def bad_requests(client: Client) -> None:
    """Send malformed requests without pause."""
    for sent in (
        b"\0\x16\x03 nonsense\r\n\r\n",
        posted("{"),
        posted({"query": "{ nothing }"}),
        posted({"query": "{" * 3000}),
        got("/graphql?query={head", b"X: \x01\r\n"),
        posted({"query": "{ head }"}, "wrong"),
        got("/nothing"),
        b"OPTIONS /graphql HTTP/1.1\r\nHost: localhost\r\nOrigin: https://x.example\r\n"
        b"Access-Control-Request-Method: POST\r\n\r\n",
        posted({"query": "{ head }"}).replace(b"Host", b"Content-Encoding: gzip\r\nHost"),
    ):
        await client.send(sent, 5)


async def long_lines(client: Client) -> None:
    """Send addresses of the maximum length, and longer ones."""
    for size in (60_000, 200_000):
        await client.send(got(f"/graphql?query={{head}}&x{next(client.numbers)}={'x' * size}"))


async def pipelining(client: Client) -> None:
    """Send two thousand requests at once on a connection."""
    for many in (2000, 16):
        await client.send(got("/graphql?query={events(first:100){nodes{data}}}") * many, then=0.2)


async def held_bodies(client: Client) -> None:
    """Send nearly all of a body of 15 MB, and then nothing."""
    reader, writer = await client.connect()
    try:
        writer.write(
            b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json"
            b"\r\nContent-Length: 15000000\r\n\r\n"
        )
        for _ in range(225):
            writer.write(b" " * 65_536)
            await writer.drain()
        while time.monotonic() < client.until and not reader.at_eof():
            writer.write(b" ")
            await asyncio.sleep(0.5)
    finally:
        writer.transport.abort()


async def log_reading(client: Client) -> None:
    """Read the whole log repeatedly, as fast as it arrives."""
    reader, writer = await client.connect()
    try:
        writer.write(got("/events?follow=false&after=0", b"Accept-Encoding: gzip\r\n"))
        while time.monotonic() < client.until and await reader.read(2**16):
            pass
    finally:
        writer.transport.abort()


PAGES = (
    "/",
    "/controls?rows=clause",
    "/controls/cn-mofcom-2024-46",
    "/commodities/rare_earths",
    "/figures",
    "/changes?from=2006-01-01",
    "/figures/rare_earths/CN/production/mine/2023.png",
    "/announcements.xlsx",
)


async def pages(client: Client) -> None:
    """Request the most expensive pages, uncached."""
    number = next(client.numbers)
    path = PAGES[number % len(PAGES)]
    day = f"20{10 + number % 16}-{1 + number // 16 % 12:02}-{1 + number // 192 % 28:02}"
    moment = f"valid={day}&position={5000 + number % 5000}"
    await client.send(got(f"{path}{'&' if '?' in path else '?'}{moment}"))


LOADS: dict[str, tuple[Callable[[Client], Awaitable[None]], int]] = {
    "introspection": (introspection, 4),
    "negative-page": (negative_page, 4),
    "endless-head": (endless_head, 2),
    "trickle": (trickle, 150),
    "idle": (idle, 150),
    "history": (history, 8),
    "writing": (writing, 1),
    "huge-variables": (huge_variables, 1),
    "many-documents": (many_documents, 4),
    "slow-reading": (slow_reading, 60),
    "costly": (costly, 8),
    "many-moments": (many_moments, 4),
    "pages": (pages, 30),
    "sockets": (sockets, 100),
    "bad-requests": (bad_requests, 4),
    "long-lines": (long_lines, 4),
    "pipelining": (pipelining, 4),
    "held-bodies": (held_bodies, 4),
    "log-reading": (log_reading, 4),
}
"""Loads by name, with their number of concurrent connections."""


async def hold(load: Callable[[Client], Awaitable[None]], client: Client) -> None:
    """Repeat a load until cancelled."""
    while time.monotonic() < client.until:
        with suppress(OSError, RuntimeError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(max(0.1, client.until - time.monotonic())):
                await load(client)
        await asyncio.sleep(0.01)


async def main(name: str, port: str, seconds: str, address: str) -> None:
    """Run one client to the end."""
    load, connections = LOADS[name]
    client = Client(int(port), address, time.monotonic() + float(seconds))
    await asyncio.gather(*(hold(load, client) for _ in range(connections)))


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
