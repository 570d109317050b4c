"""GraphQL over HTTP whose answers come as they are found: subscriptions, and any other operation.

Two protocols, chosen by the first type that the client would take:

- `text/event-stream`: GraphQL over Server-Sent Events in its "distinct connections mode"
  (github.com/enisdenjo/graphql-sse, PROTOCOL.md);
- `multipart/mixed;subscriptionSpec=1.0`: Apollo's multipart protocol for subscriptions.

Documents run as they do over a WebSocket, and under the same limits.
"""

from __future__ import annotations

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
from schema.http.shared_subscriptions import EncodedAnswer, SharedSubscriptions, encode
from schema.http.streaming import Ends, LiveResponse, last_seen
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

    def next(self, answer: EncodedAnswer) -> bytes:
        """An answer, with the resume token from which a client goes on after it, where it has one."""


class ServerSentEvents:
    """Events `next` and `complete`. A stream that is broken off ends without `complete`."""

    media_type = SSE
    begin = silence = b":\n\n"
    complete = b"event: complete\ndata:\n\n"  # browsers drop an event without data
    broken = b""

    def next(self, answer: EncodedAnswer) -> bytes:
        """An event, with its resume token as the id that browsers come back with."""
        token = answer.resume_token
        id = b"" if token is None else b"id: %s\n" % str(token).encode()
        return b"%sevent: next\ndata: %s\n\n" % (id, answer.json)


class Multipart:
    """A part for each answer. What follows a part is sent with it: clients wait for that."""

    media_type = f'{MULTIPART};boundary="graphql";subscriptionSpec=1.0'

    def next(self, answer: EncodedAnswer) -> bytes:
        """A part with an answer in it."""
        return self._part(b'{"payload":%s}' % answer.json)

    @staticmethod
    def _part(content: bytes) -> bytes:
        return b"\r\nContent-Type: application/json\r\n\r\n%s%s" % (content, BOUNDARY)

    silence = _part(b"{}")
    begin = BOUNDARY + silence
    complete = b"--\r\n"
    broken = (
        _part(
            orjson.dumps(
                {
                    "payload": None,
                    **plain_error("UNAVAILABLE", "The server ends this subscription; come back"),
                }
            )
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
        """The answers to a document, until it has no more or the client goes.

        Raises InvalidInput for a Last-Event-ID that is no position, and TooLarge for one operation
        too many.
        """
        context = Context(
            self.services,
            self.access_control.access,
            client.caller,
            last_seen=last_seen(request),
            work_slot=partial(self.access_control.work_slot, client),
        )
        held = ExitStack()
        held.enter_context(self.access_control.operation_slot(client))
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
        """Answers as they are sent, and that there are no more."""
        yield form.begin
        shared = await self.subscriptions.request(context, client, document, variables, operation)
        if shared:
            async with aclosing(self.subscriptions.answers(shared)) as found:
                async for several in found:
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
    """An answer as it is sent, written once."""
    frame = answer.frames.get(form)
    if frame is None:
        frame = answer.frames[form] = form.next(answer)
    return frame
