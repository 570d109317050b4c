"""Answers that come piece by piece: heartbeats in silence, and an end at once when the client goes.

Nothing is gathered for a client. What is sent to it waits until it has taken what was sent before,
so one that reads slowly holds a piece, and its socket's buffers, and holds up nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AbstractContextManager, aclosing
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from schema.base.scalars import Position
from schema.inputs.arguments import parse_position
from tracker.postgres.database import CONNECTION_ERRORS

T = TypeVar("T")
HEARTBEAT_SECONDS = 15.0
"""Seconds of silence after which something is sent that says nothing."""
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""Proxies should neither keep a stream nor gather it."""


class StreamedResponse(StreamingResponse):
    """Chunks as they come, for as long as the client stays. Then their source is closed at once,
    and what is held for the client is given back."""

    def __init__(
        self,
        chunks: AsyncGenerator[bytes, None],
        held: AbstractContextManager[Any],
        media_type: str,
        headers: dict[str, str],
    ):
        super().__init__(chunks, headers={**HEADERS, **headers, "Content-Type": media_type})
        self._chunks = chunks
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the chunks."""
        with self._held:
            async with aclosing(self._chunks):
                await super().__call__(scope, receive, send)


def last_position(request: Request) -> int | None:
    """The last position that a client saw, as browsers say it when they come back."""
    last = request.headers.get("last-event-id")
    return parse_position(Position(last), "Last-Event-ID") if last else None


async def with_heartbeats(
    items: AsyncGenerator[T, None], *ends: Callable[[], Coroutine[Any, Any, Any]]
) -> AsyncGenerator[T | None, None]:
    """The items, and None whenever none has come for a while; until one of `ends` is done."""
    ending = [asyncio.ensure_future(end()) for end in ends]
    coming = asyncio.ensure_future(_next(items))
    try:
        while True:
            await asyncio.wait(
                {coming, *ending}, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if any(end.done() for end in ending):
                return
            if not coming.done():
                yield None
                continue
            for item in coming.result():
                yield item
            if not coming.result():
                return
            coming = asyncio.ensure_future(_next(items))
    finally:
        for task in (*ending, coming):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError, *CONNECTION_ERRORS):
            await coming
        await items.aclose()


async def _next(items: AsyncGenerator[T, None]) -> list[T]:
    """The next item, if there is one."""
    async for item in items:
        return [item]
    return []
