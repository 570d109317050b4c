"""Those who watch a tracker from outside, and keep all that they saw: followers and an auditor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import httpx2
import orjson
from websockets import WebSocketException

from tests.support.websocket_client import connected, receive, subscribe

EVENTS = (
    "subscription ($after: Position) { events(after: $after) { position eventId resumeToken } }"
)
AGAIN_SECONDS = 0.1
"""Seconds after which a broken connection is made again."""
SILENCE_SECONDS = 20
"""Seconds after which a follower makes a connection anew that says nothing: heartbeats come every 15."""
FETCH_SECONDS = 0.25
PASSING = {"UNAVAILABLE", "TIMEOUT"}
"""Codes of errors after which a follower comes back as it is."""
ELSEWHERE = {"POSITION_BEYOND_HEAD", "LOG_DIVERGED"}
"""Codes that tell it that the log is not the one it has seen: it looks for the common part."""

Where = Callable[[], str]
"""The address of a tracker, which has another one after each start."""


class Follower:
    """Follows the log of a tracker; after a break, from the last position seen."""

    def __init__(self, name: str, where: Where):
        self.name = name
        self.where = where
        self.seen: list[tuple[int, str]] = []
        self.tokens: list[str] = []
        """What it can come back with: one for each that it has seen."""
        self.refusals: list[tuple[str, int]] = []
        """Codes of errors other than that it should come back, and after how many events."""
        self._step = 1

    async def follow(self) -> None:
        """Follow for ever."""
        while True:
            with suppress(OSError, WebSocketException, TimeoutError, httpx2.HTTPError):
                await self.follow_once()
            await asyncio.sleep(AGAIN_SECONDS)

    async def follow_once(self) -> None:
        """Follow until the connection breaks."""
        raise NotImplementedError

    def got(self, position: int, id: str, token: str) -> None:
        """Keep an event."""
        self.seen.append((position, id))
        self.tokens.append(token)
        self._step = 1

    def refused(self, errors: Any) -> None:
        """Keep errors that tell of another log, and try an older token next time."""
        codes = {error.get("extensions", {}).get("code") for error in errors} - PASSING
        self.refusals += [(str(code), len(self.seen)) for code in sorted(codes, key=str)]
        if codes & ELSEWHERE:
            del self.seen[-self._step :], self.tokens[-self._step :]
            self._step *= 2

    @property
    def token(self) -> str:
        """What it comes back with."""
        return self.tokens[-1] if self.tokens else "0"


class Subscriber(Follower):
    """Subscribes by GraphQL, over a WebSocket."""

    async def follow_once(self) -> None:
        """Subscribe from the last position on."""
        address = f"{self.where().replace('http', 'ws', 1)}/graphql"
        async with connected(address) as socket:
            await subscribe(socket, EVENTS, after=self.token)
            while True:
                payload = (await receive(socket, SILENCE_SECONDS)).get("payload") or {}
                if isinstance(payload, list) or "errors" in payload:
                    self.refused(payload if isinstance(payload, list) else payload["errors"])
                    return
                if data := payload.get("data"):
                    event = data["events"]
                    self.got(int(event["position"]), event["eventId"], event["resumeToken"])


class Reader(Follower):
    """Reads server-sent events."""

    async def follow_once(self) -> None:
        """Read from the last id on."""
        headers = {"Accept": "text/event-stream", "Last-Event-ID": self.token}
        timeout = httpx2.Timeout(10, read=SILENCE_SECONDS)
        async with (
            httpx2.AsyncClient(timeout=timeout) as http,
            http.stream("GET", f"{self.where()}/events", headers=headers) as answer,
        ):
            if answer.status_code != 200:
                self.refused(orjson.loads(await answer.aread()).get("errors", []))
                return
            async for fields in messages(answer.aiter_lines()):
                entry = orjson.loads(fields["data"])
                if fields.get("event") == "failed":
                    self.refused(entry["errors"])
                    return
                self.got(int(entry["position"]), entry["id"], fields["id"])


async def messages(lines: AsyncIterator[str]) -> AsyncIterator[dict[str, str]]:
    """The messages of a stream of server-sent events: those with data."""
    fields: dict[str, str] = {}
    async for line in lines:
        name, _, value = line.partition(":")
        if name:
            fields[name] = value.removeprefix(" ")
        elif not line:
            if "data" in fields:
                yield fields
            fields = {}


class Auditor:
    """Fetches the newest checkpoint of a tracker, over and over."""

    def __init__(self, where: Where, http: httpx2.AsyncClient):
        self.where = where
        self.notes: dict[str, None] = {}
        """All that it was ever given, in order."""
        self._http = http

    async def fetch(self) -> None:
        """Fetch for ever."""
        while True:
            with suppress(httpx2.HTTPError):
                answer = await self._http.get(f"{self.where()}/log/checkpoint")
                if answer.status_code == 200:
                    self.notes[answer.text] = None
            await asyncio.sleep(FETCH_SECONDS)
