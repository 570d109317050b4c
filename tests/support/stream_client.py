"""A client of GraphQL over HTTP for streamed responses."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from schema.http.response_format import MULTIPART
from tests.support.time_limits import within
from tracker.log.follower import Follower

APOLLO = f"{MULTIPART};boundary=graphql;subscriptionSpec=1.0,application/json"


@asynccontextmanager
async def client_of(address: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Open a client of a server."""
    async with httpx2.AsyncClient(base_url=f"http://{address}", timeout=within(10)) as client:
        yield client


class Pieces:
    """The parts of a stream: responses, None for silence, "complete" or "broken" at its end."""

    def __init__(self, response: httpx2.Response):
        self.response = response
        self.ids: list[str] = []
        self._chunks = response.aiter_bytes()
        self._read = b""
        self._multipart = response.headers["content-type"].startswith(MULTIPART)

    async def __aiter__(self) -> AsyncIterator[Any]:
        while (text := await self._piece()) is not None:
            yield self._part(text) if self._multipart else self._event(text)

    async def next(self) -> Any:
        """Return the next part that is not silence."""
        async with asyncio.timeout(within(10)):
            async for piece in self:
                if piece is not None:
                    return piece
        return "end"

    async def _piece(self) -> str | None:
        between = b"\r\n--graphql" if self._multipart else b"\n\n"
        while between not in self._read:
            try:
                self._read += await anext(self._chunks)
            except StopAsyncIteration:
                return self._read.decode() or None
        piece, _, self._read = self._read.partition(between)
        return piece.decode()

    def _event(self, text: str) -> Any:
        fields = dict(line.split(":", 1) for line in text.split("\n"))
        if set(fields) == {""}:
            return None
        if "id" in fields:
            self.ids.append(fields["id"].strip())
        return "complete" if fields["event"] == " complete" else json.loads(fields["data"])

    def _part(self, text: str) -> Any:
        if text in ("", "--\r\n"):
            self._read = b"" if text else self._read
            return "complete" if text else None
        head, _, body = text.partition("\r\n\r\n")
        assert head == "\r\nContent-Type: application/json"
        part = json.loads(body)
        return part if part and part["payload"] is None else part.get("payload")


@asynccontextmanager
async def asking(
    client: httpx2.AsyncClient,
    accept: str,
    query: str,
    *,
    get: bool = False,
    headers: dict[str, str] | None = None,
    **variables: Any,
) -> AsyncIterator[Pieces]:
    """Yield the parts of a response."""
    asked = {"query": query, "variables": variables}
    sent = {"params": {**asked, "variables": json.dumps(variables)}} if get else {"json": asked}
    async with client.stream(
        "GET" if get else "POST", "/graphql", headers={"Accept": accept, **(headers or {})}, **sent
    ) as response:
        assert response.status_code == 200, await response.aread()
        yield Pieces(response)


async def followers(follower: Follower, expected: int) -> None:
    """Wait until the number of followers is as expected."""
    async with asyncio.timeout(within(5)):
        while follower.followers != expected:
            await asyncio.sleep(0.01)
