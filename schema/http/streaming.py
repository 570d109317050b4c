"""Answers that come piece by piece: something in silence, and an end at once when the client goes.

Nothing is gathered for a client. What is sent to it waits until it has taken what was sent before,
so one that reads slowly holds a piece, and its socket's buffers, and holds up nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, aclosing, contextmanager
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from schema.http.authentication import AccessControl
from schema.inputs.arguments import parse_token
from tracker.auth.scopes import parse_bearer
from tracker.log.resume_token import ResumeToken

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


class Ends:
    """What ends answers that would go on: the server stops, or the token of a client does not work
    any more."""

    def __init__(self, access_control: AccessControl):
        self._access_control = access_control
        self._calls: dict[Callable[[], None], None] = {}
        self._server_stops = False

    def stop(self) -> None:
        """The server stops."""
        self._server_stops = True
        for call in list(self._calls):
            call()

    @contextmanager
    def calling(self, call: Callable[[], None], authorization: str) -> Iterator[None]:
        """Within a block, call something at the end of whoever has an Authorization header."""
        watching = None
        if parse_bearer(authorization):
            watching = asyncio.create_task(self._access_control.watch(authorization))
            watching.add_done_callback(lambda task: None if task.cancelled() else call())
        self._calls[call] = None
        if self._server_stops:
            call()
        try:
            yield
        finally:
            del self._calls[call]
            if watching:
                watching.cancel()


class LiveResponse(Response):
    """Chunks as they come, of an answer that goes on until the client leaves, or has to.

    In silence it says so every `HEARTBEAT_SECONDS`. When it has to end, `broken` is what it says last.
    """

    def __init__(
        self,
        chunks: AsyncGenerator[bytes, None],
        held: AbstractContextManager[Any],
        media_type: str,
        headers: dict[str, str],
        *,
        ends: Ends,
        authorization: str,
        silence: Callable[[], bytes],
        broken: Callable[[], bytes],
    ):
        super().__init__(headers={**HEADERS, **headers, "Content-Type": media_type})
        del self.headers["content-length"]
        self._chunks = chunks
        self._held = held
        self._ends = ends
        self._authorization = authorization
        self._silence = silence
        self._broken = broken
        self._begun = self._sending = self._gone = self._ended = False
        self._interrupt: Callable[[], None] = _do_nothing
        self._last_sent = 0.0
        self._heartbeat: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the chunks; and what comes last, where the client is still there."""
        self._send = send
        with self._held:
            leaving = asyncio.create_task(self._wait_for_client_to_leave(receive))
            try:
                with self._ends.calling(self._end, self._authorization):
                    if not self._ended:
                        await self._until_interrupted(self._send_chunks())
                if not self._gone:
                    await self._until_interrupted(self._send_last())
            finally:
                leaving.cancel()

    async def _until_interrupted(self, work: Coroutine[Any, Any, None]) -> None:
        """Do some work, unless the client leaves or has to."""
        task = asyncio.current_task()
        assert task is not None
        self._interrupt = partial(_cancel, task)
        try:
            await work
        except asyncio.CancelledError:
            if not (self._gone or self._ended) or task.uncancel():
                raise
        finally:
            self._interrupt = _do_nothing

    async def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            await self._send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )

    async def _send_last(self) -> None:
        await self._begin()
        await self._send_body(self._broken() if self._ended else b"", more=False)

    async def _send_chunks(self) -> None:
        await self._begin()
        self._timer = asyncio.get_running_loop().call_later(HEARTBEAT_SECONDS, self._beat)
        try:
            async with aclosing(self._chunks):
                async for chunk in self._chunks:
                    if self._heartbeat:
                        await self._heartbeat
                    await self._send_body(chunk)
        finally:
            self._timer.cancel()
            if self._heartbeat:
                self._heartbeat.cancel()

    async def _send_body(self, body: bytes, more: bool = True) -> None:
        self._sending = True
        await self._send({"type": "http.response.body", "body": body, "more_body": more})
        self._sending = False
        self._last_sent = asyncio.get_running_loop().time()

    def _beat(self) -> None:
        """Say something, unless something has been said, or waits for the client to take it."""
        loop = asyncio.get_running_loop()
        left = self._last_sent + HEARTBEAT_SECONDS - loop.time()
        if left <= 0 and not self._sending:
            self._heartbeat = loop.create_task(self._send_silence())
        self._timer = loop.call_later(left if left > 0 else HEARTBEAT_SECONDS, self._beat)

    async def _send_silence(self) -> None:
        await self._send_body(self._silence())
        self._heartbeat = None

    async def _wait_for_client_to_leave(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        self._interrupt()

    def _end(self) -> None:
        if not self._gone:
            self._ended = True
            self._interrupt()


def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()


def _do_nothing() -> None:
    """What there is to interrupt when all has been sent."""


def last_seen(request: Request) -> ResumeToken | None:
    """What a client saw last, as browsers say it when they come back."""
    return parse_token(request.headers.get("last-event-id") or None, "Last-Event-ID")
