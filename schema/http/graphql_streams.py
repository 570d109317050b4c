"""GraphQL over HTTP whose answers come as they are found: subscriptions, and any other operation.

Two protocols, chosen by the first type that the client would take:

- `text/event-stream`: GraphQL over Server-Sent Events in its "distinct connections mode"
  (github.com/enisdenjo/graphql-sse, PROTOCOL.md);
- `multipart/mixed;subscriptionSpec=1.0`: Apollo's multipart protocol for subscriptions.

Documents run as they do over a WebSocket, and under the same limits.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import ExitStack, aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import orjson
from starlette.requests import Request
from starlette.responses import Response

from schema.base.context import Context
from schema.base.errors import plain_error
from schema.execution.execute import ALL, QUERIES_AND_SUBSCRIPTIONS, stream
from schema.http.authentication import AccessControl, Client
from schema.http.streaming import StreamedResponse, last_position, with_heartbeats
from schema.services import Services

SSE = "text/event-stream"
MULTIPART = "multipart/mixed"
SPEC = "subscriptionspec"
BOUNDARY = b"\r\n--graphql"


class StreamFormat(Protocol):
    """How answers are written."""

    media_type: str
    begin: bytes
    """Sent at once, so that the client knows that it is connected."""
    silence: bytes
    """Sent when nothing has come for a while."""
    complete: bytes
    """Sent when the operation has said all."""
    broken: bytes
    """Sent when the server ends an operation that would have gone on: come back."""

    def next(self, answer: dict[str, Any], position: int | None) -> bytes:
        """An answer, and the position from which a client goes on after it, where it has one."""


class ServerSentEvents:
    """Events `next` and `complete`. A stream that is broken off ends without `complete`."""

    media_type = SSE
    begin = silence = b":\n\n"
    complete = b"event: complete\ndata:\n\n"  # browsers drop an event without data
    broken = b""

    def next(self, answer: dict[str, Any], position: int | None) -> bytes:
        """An event, with its position as the id that browsers come back with."""
        id = b"" if position is None else b"id: %d\n" % position
        return b"%sevent: next\ndata: %s\n\n" % (id, orjson.dumps(answer))


class Multipart:
    """A part for each answer. What follows a part is sent with it: clients wait for that."""

    media_type = f'{MULTIPART};boundary="graphql";subscriptionSpec=1.0'

    def next(self, answer: dict[str, Any], position: int | None) -> bytes:
        """A part with an answer in it."""
        return self._part({"payload": answer})

    @staticmethod
    def _part(content: dict[str, Any]) -> bytes:
        return b"\r\nContent-Type: application/json\r\n\r\n%s%s" % (orjson.dumps(content), BOUNDARY)

    silence = _part({})
    begin = BOUNDARY + silence
    complete = b"--\r\n"
    broken = (
        _part(
            {
                "payload": None,
                **plain_error("UNAVAILABLE", "The server ends this subscription; come back"),
            }
        )
        + complete
    )


STREAM_FORMATS: dict[str, StreamFormat] = {SSE: ServerSentEvents(), MULTIPART: Multipart()}


def negotiate_format(accept: str) -> StreamFormat | None:
    """The form that an Accept header asks for; None where it wants an answer in one piece.

    The first type decides: many clients name these two somewhere behind JSON, and can't read them
    as an answer to a query.
    """
    first, *options = accept.partition(",")[0].lower().split(";")
    name = first.strip()
    if name == MULTIPART and f"{SPEC}=1.0" not in map(_plain, options):
        return None
    return STREAM_FORMATS.get(name)


def _plain(option: str) -> str:
    return option.replace(" ", "").replace('"', "")


@dataclass(frozen=True, slots=True)
class GraphQLStreams:
    """Answers operations piece by piece."""

    services: Services
    access_control: AccessControl
    ending: asyncio.Event
    """Set when the server stops."""

    def respond(
        self,
        request: Request,
        form: StreamFormat,
        client: Client,
        document: str,
        variables: dict[str, Any] | None,
        operation: str | None,
    ) -> Response:
        """The answers to a document, until it has no more or the client goes.

        Raises InvalidInput for a Last-Event-ID that is no position, and TooLarge for one operation
        too many.
        """
        context = Context(
            self.services,
            self.access_control.access,
            client.caller,
            last_position=last_position(request),
            work_slot=partial(self.access_control.work_slot, client),
        )
        posted = request.method == "POST"
        answers = stream(
            context,
            document,
            variables,
            operation_name=operation,
            allowed=ALL if posted else QUERIES_AND_SUBSCRIPTIONS,
        )
        held = ExitStack()
        held.enter_context(self.access_control.operation_slot(client))
        chunks = self._chunks(
            form, encode_stream(form, context, answers), request.headers.get("authorization", "")
        )
        return StreamedResponse(chunks, held, form.media_type, {"Vary": "Accept"})

    async def _chunks(
        self, form: StreamFormat, pieces: AsyncGenerator[bytes, None], authorization: str
    ) -> AsyncGenerator[bytes, None]:
        """Pieces and heartbeats, until the server stops or the client's token ends."""
        yield form.begin
        ends = self.ending.wait, partial(self.access_control.watch, authorization)
        last: bytes | None = None
        async with aclosing(with_heartbeats(pieces, *ends)) as coming:
            async for last in coming:
                yield last or form.silence
        if last is not form.complete and form.broken:
            yield form.broken


async def encode_stream(
    form: StreamFormat, context: Context, answers: AsyncGenerator[dict[str, Any], None]
) -> AsyncGenerator[bytes, None]:
    """Answers as they are sent, and that there are no more."""
    async with aclosing(answers):
        async for answer in answers:
            yield form.next(answer, context.position)
    yield form.complete
