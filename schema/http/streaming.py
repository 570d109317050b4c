"""Streamed responses, with a heartbeat and an immediate end when the client disconnects.

No data is accumulated for a client. Each chunk waits until the client has taken the previous one. So a slow
client holds one chunk and its socket buffers, and delays no other client.

Subscriptions run as over a WebSocket, and under the same limits.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, ExitStack, aclosing, contextmanager
from functools import partial
from typing import Any

import orjson
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from schema.base.context import Context
from schema.execution.execute import (
    ALL,
    QUERIES,
    QUERIES_AND_MUTATIONS,
    QUERIES_AND_SUBSCRIPTIONS,
    parts,
    stream,
)
from schema.http.authentication import AccessControl, Client
from schema.http.response_format import (
    BOUNDARY,
    DEFER_MEDIA_TYPE,
    PART_HEAD,
    PARTS_END,
    StreamFormat,
)
from schema.http.shared_subscriptions import EncodedAnswer, SharedSubscriptions, encode
from schema.inputs.arguments import parse_token
from schema.services import Services
from tracker.auth.scopes import parse_bearer
from tracker.log.resume_token import ResumeToken

HEARTBEAT_SECONDS = 15.0
"""Seconds of silence before a heartbeat."""
MAX_UNSENT_BYTES = 32 * 1024 * 1024
"""Total size of unsent parts in bytes; above it, responses are sent complete."""
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""Headers that tell proxies not to cache or buffer a stream."""


class StreamedResponse(StreamingResponse):
    """A response of chunks while the client is connected. At the end its source is closed at once, and its
    resources are released."""

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
    """Reasons to end open responses: the server stops, or the token of a client is no longer valid."""

    def __init__(self, access_control: AccessControl):
        self._access_control = access_control
        self._calls: dict[Callable[[], object], None] = {}
        self._server_stops = False

    def stop(self) -> None:
        """Stop all responses, because the server stops."""
        self._server_stops = True
        for call in list(self._calls):
            call()

    @contextmanager
    def calling(self, call: Callable[[], object], authorization: str) -> Iterator[None]:
        """Register a call for the end of a caller, for the length of a block."""
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

    async def wait(self, work: Coroutine[Any, Any, None], seconds: float, client: Client) -> None:
        """Wait until work is done, a number of seconds have passed, or the server stops."""
        with self._access_control.operation_slot(client):
            task = asyncio.ensure_future(work)
            with self.calling(task.cancel, client.authorization):
                await asyncio.wait([task], timeout=seconds)
        if not task.cancel() and not task.cancelled():
            task.result()


class LiveResponse(Response):
    """A response of chunks that goes on until the client disconnects or is disconnected.

    It sends a heartbeat after `HEARTBEAT_SECONDS` of silence. On interruption, `broken` is the last chunk.
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
        """Send the chunks, and the last one if the client is still connected."""
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
        """Do some work, until the client disconnects or is disconnected."""
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
        """Send a heartbeat, unless something was sent or is waiting for the client."""
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
    """Do nothing, as the work to interrupt after everything was sent."""


def last_seen(request: Request) -> ResumeToken | None:
    """Return the last resume token that a client received, as browsers send it on reconnection."""
    return parse_token(request.headers.get("last-event-id") or None, "Last-Event-ID")


def _hold_operation_slot(access_control: AccessControl, client: Client) -> ExitStack:
    """Take an operation slot, which the response releases. Raises TooLarge."""
    held = ExitStack()
    held.enter_context(access_control.operation_slot(client))
    return held


class GraphQLStreams(Struct, frozen=True):
    """Executor of operations with streamed responses."""

    services: Services
    access_control: AccessControl
    ends: Ends
    subscriptions: SharedSubscriptions

    def respond(
        self,
        request: Request,
        form: StreamFormat,
        client: Client,
        document: str,
        variables: dict[str, Any] | None,
        operation: str | None,
    ) -> Response:
        """Return the responses to a document, until it has no more or the client disconnects.

        Raises InvalidInput for an invalid Last-Event-ID, and TooLarge above the limit of operations.
        """
        context = Context(
            self.services,
            self.access_control.access,
            client.caller,
            last_seen=last_seen(request),
            work_slot=partial(self.access_control.work_slot, client),
        )
        held = _hold_operation_slot(self.access_control, client)
        posted = request.method == "POST"
        return LiveResponse(
            self._chunks(form, context, client, document, variables, operation, posted),
            held,
            form.media_type,
            {"Vary": "Accept"},
            ends=self.ends,
            authorization=client.authorization,
            silence=lambda: form.silence,
            broken=lambda: form.broken,
        )

    async def _chunks(
        self,
        form: StreamFormat,
        context: Context,
        client: Client,
        document: str,
        variables: dict[str, Any] | None,
        operation: str | None,
        posted: bool,
    ) -> AsyncGenerator[bytes, None]:
        """Yield the encoded responses, and the end of the operation."""
        yield form.begin
        shared = await self.subscriptions.request(context, client, document, variables, operation)
        if shared:
            async with aclosing(self.subscriptions.answers(shared)) as responses:
                async for several in responses:
                    yield b"".join([_frame(form, answer) for answer in several])
        else:
            allowed = ALL if posted else QUERIES_AND_SUBSCRIPTIONS
            answers = stream(
                context, document, variables, operation_name=operation, allowed=allowed
            )
            async with aclosing(answers):
                async for answer in answers:
                    yield form.next(encode(answer, context, context.offset))
        yield form.complete


def _frame(form: StreamFormat, answer: EncodedAnswer) -> bytes:
    """Return an encoded response, cached after first use."""
    frame = answer.frames.get(form)
    if frame is None:
        frame = answer.frames[form] = form.next(answer)
    return frame


class AnswersInParts:
    """Executor of operations with responses in parts."""

    def __init__(self, services: Services, access_control: AccessControl):
        self._services = services
        self._access_control = access_control
        self._unsent_bytes = 0

    @property
    def has_room(self) -> bool:
        """Return whether another response may be sent in parts, which wait in memory for their client.

        Otherwise it is sent complete.
        """
        return self._unsent_bytes < MAX_UNSENT_BYTES

    def respond(
        self,
        request: Request,
        client: Client,
        document: str,
        variables: dict[str, Any] | None,
        operation: str | None,
    ) -> Response:
        """Return the parts of a response as they are produced. Raises TooLarge above the limit of
        operations."""
        context = Context(
            self._services,
            self._access_control.access,
            client.caller,
            work_slot=partial(self._access_control.work_slot, client),
        )
        allowed = QUERIES_AND_MUTATIONS if request.method == "POST" else QUERIES
        held = _hold_operation_slot(self._access_control, client)
        make = partial(parts, context, document, variables, operation, allowed)
        return StreamedResponse(self._chunks(make), held, DEFER_MEDIA_TYPE, {"Vary": "Accept"})

    async def _chunks(
        self, make: Callable[[Callable[[dict[str, Any]], bytes]], AsyncGenerator[bytes, None]]
    ) -> AsyncGenerator[bytes, None]:
        """Yield the encoded parts. The boundary after a part is sent with it, because clients wait for
        it."""
        unsent_bytes = 0

        def note(more: int) -> None:
            nonlocal unsent_bytes
            unsent_bytes += more
            self._unsent_bytes += more

        def encode(part: dict[str, Any]) -> bytes:
            chunk = b"".join([PART_HEAD, orjson.dumps(part), BOUNDARY])
            note(len(chunk))
            return chunk

        try:
            yield BOUNDARY
            async with aclosing(make(encode)) as parts:
                async for chunk in parts:
                    yield chunk
                    note(-len(chunk))
            yield PARTS_END
        finally:
            note(-unsent_bytes)
