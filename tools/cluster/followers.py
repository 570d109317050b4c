"""External observers of a tracker that keep all their data: followers and an auditor."""

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
"""Seconds before a broken connection is opened again."""
SILENCE_SECONDS = 20
"""Seconds of silence after which a follower reconnects; heartbeats come every 15."""
FETCH_SECONDS = 0.25
PASSING = {"UNAVAILABLE", "TIMEOUT"}
"""Error codes after which a follower reconnects without changes."""
ELSEWHERE = {"POSITION_BEYOND_HEAD", "LOG_DIVERGED"}
"""Error codes for a different log, after which a follower searches for the common part."""

Where = Callable[[], str]
"""Address of a tracker, which changes with each start."""


class Follower:
    """A follower of a tracker's log, which resumes from its last position."""

    def __init__(self, name: str, where: Where):
        self.name = name
        self.where = where
        self.seen: list[tuple[int, str]] = []
        self.tokens: list[str] = []
        """Resume tokens, one per received event."""
        self.refusals: list[tuple[str, int]] = []
        """Codes of other errors, and the number of events before each."""
        self._step = 1

    async def follow(self) -> None:
        """Follow until cancelled."""
        while True:
            with suppress(OSError, WebSocketException, TimeoutError, httpx2.HTTPError):
                await self.follow_once()
            await asyncio.sleep(AGAIN_SECONDS)

    async def follow_once(self) -> None:
        """Follow until the connection breaks."""
        raise NotImplementedError

    def got(self, position: int, id: str, token: str) -> None:
        """Store an event."""
        self.seen.append((position, id))
        self.tokens.append(token)
        self._step = 1

    def refused(self, errors: Any) -> None:
        """Store errors about a different log, and use an older token next time."""
        codes = {error.get("extensions", {}).get("code") for error in errors} - PASSING
        self.refusals += [(str(code), len(self.seen)) for code in sorted(codes, key=str)]
        if codes & ELSEWHERE:
            del self.seen[-self._step :], self.tokens[-self._step :]
            self._step *= 2

    @property
    def token(self) -> str:
        """Return the resume token."""
        return self.tokens[-1] if self.tokens else "0"


class Subscriber(Follower):
    """A GraphQL subscriber over a WebSocket."""

    async def follow_once(self) -> None:
        """Subscribe from the last position."""
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
    """A reader of server-sent events."""

    async def follow_once(self) -> None:
        """Read from the last id."""
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
    """Yield the server-sent events with data."""
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
    """An auditor that repeatedly fetches the newest checkpoint of a tracker."""

    def __init__(self, where: Where, http: httpx2.AsyncClient):
        self.where = where
        self.notes: dict[str, None] = {}
        """All received checkpoints, in order."""
        self._http = http

    async def fetch(self) -> None:
        """Fetch until cancelled."""
        while True:
            with suppress(httpx2.HTTPError):
                answer = await self._http.get(f"{self.where()}/log/checkpoint")
                if answer.status_code == 200:
                    self.notes[answer.text] = None
            await asyncio.sleep(FETCH_SECONDS)
