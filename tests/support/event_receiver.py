"""Receivers of deliveries that store accepted requests, with scripted behaviour."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from aiohttp import web

SECONDS = 30
"""Default timeout of tests in seconds."""


@dataclass(frozen=True)
class Delivered:
    """A received request: its path, id and events."""

    name: str
    id: str
    events: list[dict[str, Any]]
    origin: str
    """Name of the sender."""
    signatures: list[str]
    """Versions of its signatures."""
    media_type: str

    @property
    def positions(self) -> list[int]:
        """Return the positions of its events."""
        return [int(event["position"]) for event in self.events]

    @property
    def links(self) -> list[tuple[int, int]]:
        """Return the previous position and the position of each event."""
        return [(int(e["previousposition"]), int(e["position"])) for e in self.events]


Behaviour: TypeAlias = Callable[[Delivered], Awaitable[int | web.Response]]


async def accept(_: Delivered) -> int:
    """Accept everything."""
    return 204


@dataclass
class EventReceiver:
    """Endpoints at one address, by the names of their paths."""

    behave: Behaviour = accept
    url: str = ""
    got: list[Delivered] = field(default_factory=list)
    """All requests, including refused ones."""
    accepted: dict[str, list[Delivered]] = field(default_factory=lambda: defaultdict(list))
    """Accepted requests by name."""
    asked: list[dict[str, str]] = field(default_factory=list)
    """Headers of handshakes before the first delivery."""
    agree: Callable[[], web.Response] = lambda: web.Response(status=405)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def positions(self, name: str) -> list[int]:
        """Return the accepted positions in order of arrival, with repetitions."""
        return [position for one in self.accepted[name] for position in one.positions]

    def links(self, name: str) -> list[tuple[int, int]]:
        """Return the accepted positions with their previous positions."""
        return [link for one in self.accepted[name] for link in one.links]

    async def wait_for(self, true: Callable[[], bool], seconds: float = SECONDS) -> None:
        """Wait until a condition is true."""
        async with asyncio.timeout(seconds), self.changed:
            await self.changed.wait_for(true)

    async def wait_until(self, name: str, position: int, seconds: float = SECONDS) -> None:
        """Wait until a position is accepted."""
        await self.wait_for(lambda: position in self.positions(name)[-1000:], seconds)

    async def _receive(self, request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        events = body if isinstance(body, list) else [body]
        one = Delivered(
            request.match_info["name"],
            request.headers["webhook-id"],
            events,
            request.headers["webhook-request-origin"],
            [each.partition(",")[0] for each in request.headers["webhook-signature"].split()],
            request.content_type,
        )
        self.got.append(one)
        await self._tell()
        answer = await self.behave(one)
        response = answer if isinstance(answer, web.Response) else web.Response(status=answer)
        if 200 <= response.status < 300:
            self.accepted[one.name].append(one)
            await self._tell()
        return response

    async def _agree(self, request: web.Request) -> web.Response:
        self.asked.append({name.lower(): value for name, value in request.headers.items()})
        return self.agree()

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()


@asynccontextmanager
async def receiving_events(behave: Behaviour = accept) -> AsyncIterator[EventReceiver]:
    """Run a receiver on a local port for the duration of a block."""
    receiver = EventReceiver(behave)
    app = web.Application(client_max_size=64 * 1024**2)
    app.add_routes(
        [web.post("/{name}", receiver._receive), web.options("/{name}", receiver._agree)]
    )
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield receiver
    finally:
        await runner.cleanup()
