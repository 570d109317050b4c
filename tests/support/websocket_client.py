"""A WebSocket client of the API, with the graphql-transport-ws protocol."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.support.time_limits import within

PROTOCOL = Subprotocol("graphql-transport-ws")
EVENTS = """subscription ($after: Position, $types: [String!]) {
    events(after: $after, types: $types) { position type entity eventId recordedAt data } }"""


def framed(**message: Any) -> bytes:
    """Return a framed message for raw sockets; a zero mask leaves it unchanged."""
    text = orjson.dumps(message)
    size = bytes([len(text) | 128]) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2, "big")
    return b"\x81" + size + bytes(4) + text


async def send(socket: ClientConnection, type: str, **more: Any) -> None:
    """Send a message of the protocol."""
    await socket.send(orjson.dumps({"type": type, **more}).decode())


async def receive(socket: ClientConnection, seconds: float = within(5)) -> Any:
    """Return the next message of the protocol, a text frame."""
    message = await asyncio.wait_for(socket.recv(), seconds)
    assert isinstance(message, str)
    return orjson.loads(message)


@asynccontextmanager
async def connected(
    url: str, headers: Mapping[str, str] | None = None, **init: Any
) -> AsyncIterator[ClientConnection]:
    """Open an acknowledged connection."""
    async with connect(url, subprotocols=[PROTOCOL], additional_headers=headers) as socket:
        await send(socket, "connection_init", payload=init)
        assert (await receive(socket))["type"] == "connection_ack"
        yield socket


async def subscribe(socket: ClientConnection, query: str = EVENTS, **variables: Any) -> None:
    """Start an operation."""
    await send(socket, "subscribe", id="1", payload={"query": query, "variables": variables})


async def events(socket: ClientConnection) -> AsyncIterator[dict[str, Any]]:
    """Yield the arriving events."""
    while True:
        message = await receive(socket)
        assert message["type"] == "next", message
        yield message["payload"]["data"]["events"]
