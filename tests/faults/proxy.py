"""A proxy between PostgreSQL and its clients, which can cut connections in mid-message or drop traffic."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Literal, Self

from deploy.postgres import Connection
from tests.support.replication import HOST
from tracker.postgres.database import Target

Direction = Literal["asked", "answered"]


class Proxy:
    """A proxy that forwards traffic until it is cut."""

    def __init__(self, connection: Connection, directory: Path):
        self.target: Target = {**connection.kwargs(), "host": str(directory)}
        self.url = (
            f"postgresql://{connection.user}@/{connection.database}"
            f"?host={directory}&port={connection.port}"
        )
        self.cuts = 0
        self.connections = 0
        """Number of connections."""
        self._left: dict[Direction, int] = {}
        self._swallowing = False
        self._age = 0
        """Number of dropping phases; connections from before stay silent."""
        name = f".s.PGSQL.{connection.port}"
        self._here, self._there = directory / name, Path(connection.host) / name

    async def __aenter__(self) -> Self:
        """Listen."""
        self._listening = await asyncio.start_unix_server(self._connected, self._here)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop accepting connections."""
        self._listening.close()

    def cut(self, direction: Direction, after: int) -> None:
        """Cut the connection that transfers `after` more bytes in a direction, after these bytes."""
        self._left[direction] = after

    def swallow(self) -> None:
        """Drop all bytes of current and new connections, without closing them."""
        self._swallowing = True
        self._age += 1

    def heal(self) -> None:
        """Forward traffic of new connections."""
        self._swallowing = False
        self._age += 1

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_unix_connection(self._there)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        age = self._age
        answers, asks = await self._reach()
        passing = [
            asyncio.create_task(self._pass("asked", reader, asks, age)),
            asyncio.create_task(self._pass("answered", answers, writer, age)),
        ]
        with suppress(OSError):
            await asyncio.wait(passing, return_when=asyncio.FIRST_COMPLETED)
        for task in passing:
            task.cancel()
        asks.close()
        writer.close()

    async def _pass(
        self,
        direction: Direction,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        age: int,
    ) -> None:
        """Forward the bytes of a connection of a phase, up to a cut or the end."""
        with suppress(OSError):
            while data := await reader.read(65536):
                if self._swallowing or age != self._age:
                    continue
                left = self._left.get(direction, len(data) + 1)
                writer.write(data[:left])
                await writer.drain()
                if left <= len(data):
                    del self._left[direction]
                    self.cuts += 1
                    return
                if direction in self._left:
                    self._left[direction] -= len(data)


class PortProxy(Proxy):
    """A proxy for a server on a local port."""

    def __init__(self, port: int):
        super().__init__(Connection("", port, "", ""), Path())
        self.port = port
        """Listening port of the proxy."""
        self._port = port

    async def __aenter__(self) -> Self:
        """Listen."""
        listening = await asyncio.start_server(self._connected, HOST)
        self._listening, self.port = listening, listening.sockets[0].getsockname()[1]
        return self

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(HOST, self._port)
