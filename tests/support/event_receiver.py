"""Receivers of deliveries that keep what they accept, and behave as a test tells them to."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from aiohttp import web

SECONDS = 30
"""How long a test waits for what has to come."""


@dataclass(frozen=True)
class Delivered:
    """A request that a receiver got: to which of its paths, under which id, with which events."""

    name: str
    id: str
    events: list[dict[str, Any]]
    origin: str
    """The name of who sent it."""
    signatures: list[str]
    """The versions of its signatures."""

    @property
    def positions(self) -> list[int]:
        """Where its events are in the log."""
        return [int(event["position"]) for event in self.events]

    @property
    def links(self) -> list[tuple[int, int]]:
        """The position before each event, and that of the event."""
        return [(int(e["previousposition"]), int(e["position"])) for e in self.events]


Behaviour: TypeAlias = Callable[[Delivered], Awaitable[int | web.Response]]


async def accept(_: Delivered) -> int:
    """Take everything."""
    return 204


@dataclass
class EventReceiver:
    """Endpoints below one address, by the names of their paths."""

    behave: Behaviour = accept
    url: str = ""
    got: list[Delivered] = field(default_factory=list)
    """Every request, also those that were refused."""
    accepted: dict[str, list[Delivered]] = field(default_factory=lambda: defaultdict(list))
    """The requests that were accepted, by name."""
    asked: list[dict[str, str]] = field(default_factory=list)
    """The headers of questions before the first delivery."""
    agree: Callable[[], web.Response] = lambda: web.Response(status=405)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def positions(self, name: str) -> list[int]:
        """The positions that were accepted, in the order in which they came, with those that came
        again."""
        return [position for one in self.accepted[name] for position in one.positions]

    def links(self, name: str) -> list[tuple[int, int]]:
        """The same with the positions before."""
        return [link for one in self.accepted[name] for link in one.links]

    async def wait_for(self, true: Callable[[], bool], seconds: float = SECONDS) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(seconds), self.changed:
            await self.changed.wait_for(true)

    async def wait_until(self, name: str, position: int, seconds: float = SECONDS) -> None:
        """Wait until a position was accepted."""
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
    """A receiver on a port of this machine for the length of a block."""
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
