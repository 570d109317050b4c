"""`/events`: the log as CloudEvents, as server-sent events or as JSON lines.

Each event is sent as its entry, byte for byte as it is stored. No data is accumulated for a client: the log
is read a page at a time, as fast as the client takes it. New events are read and encoded once for all
clients with the same selection.
"""

import logging
import re
import zlib
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import ExitStack, aclosing
from dataclasses import dataclass
from functools import cached_property, partial

import orjson
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from schema.base.errors import plain_error
from schema.http.authentication import FOR_EVER, AccessControl, Client
from schema.http.broadcast import Broadcast, Broadcasts, Part
from schema.http.limits import PushPriority
from schema.http.messages import (
    accepted_words,
    check_parameters,
    errors_as_json,
    has_tag,
    takes_gzip,
)
from schema.http.streaming import Ends, LiveResponse, StreamedResponse, last_seen
from schema.inputs.arguments import parse_selection, parse_short_text, parse_token, parse_wait
from schema.inputs.moment import wait_for_replica
from schema.routes.event_pages import NextPage
from schema.services import Services
from tracker.domain.events.registry import entity_type
from tracker.errors import InvalidInput, LogSetBack, TrackerError
from tracker.log.entries import RecordedEvent
from tracker.log.resume_token import ResumeToken
from tracker.log.resumption import check_in_log
from tracker.log.selection import Selection, follow_selected, read_selected
from tracker.postgres.database import CONNECTION_ERRORS

RETRY_MILLISECONDS = 1000
"""Delay in milliseconds before a browser reconnects."""
SSE = "text/event-stream"
JSON_LINES = "application/x-ndjson"
MEDIA_TYPES = {
    SSE: SSE,
    "*/*": SSE,
    "text/*": SSE,
    JSON_LINES: JSON_LINES,
    "application/*": JSON_LINES,
}
NUMBER = re.compile(r"[0-9]{1,18}")
GZIP_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
"""Deflate, no name, no time, no system (RFC 1952, 2.3)."""
LIST_PARAMETERS = ("types", "commodity", "place")
PARAMETERS = (*LIST_PARAMETERS, "entity", "after", "limit", "follow", "wait", "cursor")
NO_STORE = {"Cache-Control": "no-store"}

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Chunk:
    """A chunk of a body, also compressed separately, without a dependency on earlier chunks."""

    plain: bytes

    @cached_property
    def deflated(self) -> bytes:
        """Return blocks of deflate (RFC 1951) that end on a byte."""
        deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS, memLevel=5)
        return deflate.compress(self.plain) + deflate.flush(zlib.Z_SYNC_FLUSH)


class EventFormat(Struct, frozen=True):
    """The encoding of events."""

    media_type: str
    begin: bytes
    silence: Chunk
    """Heartbeat, which clients ignore."""
    write: Callable[[RecordedEvent], bytes]
    fail: Callable[[TrackerError], Chunk]
    """Function that encodes the error at the end of a stream; empty in formats without errors."""

    def page(self, events: Sequence[RecordedEvent]) -> Chunk:
        """Return events as a chunk of a body."""
        return Chunk(b"".join(map(self.write, events)))


class PlainBody:
    """A body of unchanged chunks."""

    encoding: str | None = None

    def write(self, chunks: Sequence[Chunk]) -> bytes:
        """Return the next bytes of the body."""
        return chunks[0].plain if len(chunks) == 1 else b"".join([each.plain for each in chunks])

    def end(self) -> bytes:
        """Return the last bytes of the body."""
        return b""


class GzipBody:
    """A body of chunks as gzip (RFC 1952), each complete when it is sent. The chunks compress themselves,
    so that followers share the work, and a follower holds only 8 bytes."""

    encoding: str | None = "gzip"

    def __init__(self) -> None:
        self._checksum = self._size = 0
        self._head = GZIP_HEAD

    def write(self, chunks: Sequence[Chunk]) -> bytes:
        """Return the next bytes of the body."""
        for chunk in chunks:
            self._checksum = zlib.crc32(chunk.plain, self._checksum)
            self._size += len(chunk.plain)
        head, self._head = self._head, b""
        return head + b"".join([chunk.deflated for chunk in chunks])

    def end(self) -> bytes:
        """Return the last bytes of the body: an empty last block, the checksum and the size."""
        size = self._size & 0xFFFFFFFF
        return (
            self._head
            + b"\x03\x00"
            + self._checksum.to_bytes(4, "little")
            + size.to_bytes(4, "little")
        )


class EventRoute:
    """Handler of requests for the log."""

    def __init__(
        self, services: Services, access_control: AccessControl, ends: Ends, pacing: PushPriority
    ):
        self._services = services
        self._access_control = access_control
        self._ends = ends
        self._broadcasts = Broadcasts[Chunk](services.follower, pacing)

    @errors_as_json
    async def respond(self, request: Request) -> Response:
        """Return the events after a position and, unless `follow=false`, new events as they are recorded.

        With `limit` the response ends after that number of events. With `wait` it is a page for caches.
        """
        client = await self._access_control.authenticate_request(request)
        form, selection = negotiate_format(request), parse_parameters(request)
        following, limit = (
            _parse_follow(request),
            _parse_number(request, "limit", "INVALID_PAGE_SIZE"),
        )
        recorder, token = self._services.recorder, start_token(request)
        after = token.position if token else None
        named = "after" if last_seen(request) is None else "Last-Event-ID"
        await wait_for_replica(self._services, after or 0, named)
        head = await recorder.head()
        if token:
            await check_in_log(recorder, token, head, named)
        body = GzipBody() if takes_gzip(request.headers.get("accept-encoding", "")) else PlainBody()
        headers = {"Vary": "Accept, Accept-Encoding"}
        if body.encoding:
            headers["Content-Encoding"] = body.encoding
        if seconds := parse_wait(request.query_params.get("wait")):
            page = NextPage(
                request,
                selection,
                token or ResumeToken(head),
                limit,
                _parse_number(request, "cursor"),
            )
            await self._ends.wait(page.read(self._services), seconds, client)
            shared = token is not None and last_seen(request) is None
            headers |= self._access_control.cached(page.caching) if shared else NO_STORE
            headers |= page.headers
            tag = headers.get("ETag", "").removeprefix("W/")
            if tag and has_tag(request.headers.get("if-none-match", ""), tag):
                return Response(status_code=304, headers=headers)
            content = body.write([Chunk(form.begin), form.page(page.events)]) + body.end()
            return Response(content, headers={**headers, "Content-Type": form.media_type})
        read = partial(self._read, form, selection, limit is not None)
        held = ExitStack()
        if not following:
            is_full = limit and (after or 0) + limit <= head  # positions have no gaps
            if is_full and selection == Selection() and last_seen(request) is None:
                headers |= {"X-Accel-Buffering": "yes", **self._access_control.cached(FOR_EVER)}
            chunks = (([chunk]) async for chunk in read(after or 0, head))
            whole = _body(form, body, chunks, limit)
            return StreamedResponse(whole, held, form.media_type, headers)
        held.enter_context(self._access_control.operation_slot(client))
        live = self._follow(form, selection, head if after is None else after, client, read)
        return LiveResponse(
            _body(form, body, live, limit),
            held,
            form.media_type,
            headers,
            ends=self._ends,
            authorization=client.authorization,
            silence=lambda: body.write([form.silence]),
            broken=body.end,
        )

    async def _read(
        self, form: EventFormat, selection: Selection, one_by_one: bool, after: int, until: int
    ) -> AsyncGenerator[Chunk, None]:
        """Yield the events between two positions, by pages or one by one."""
        async for page in read_selected(self._services.recorder, after, until, selection):
            for events in [[event] for event in page] if one_by_one else [page]:
                if events:
                    yield form.page(events)

    async def _follow(
        self,
        form: EventFormat,
        selection: Selection,
        after: int,
        client: Client,
        read: Callable[[int, int], AsyncGenerator[Chunk, None]],
    ) -> AsyncGenerator[Sequence[Chunk], None]:
        """Yield the events after a position, and new events as they are recorded."""
        following = self._broadcasts.follow(
            (form.media_type, selection.key),
            after,
            client,
            partial(self._source, form, selection),
            head=self._services.recorder.head,
            read=read,
        )
        try:
            async with aclosing(following) as stream:
                async for chunks in stream:
                    yield chunks
        except LogSetBack:
            pass
        except CONNECTION_ERRORS as error:
            logger.warning("a stream of events ends, since the log can't be read: %s", error)
        if set_back := self._services.recorder.durability.set_back:
            yield [form.fail(LogSetBack(set_back))]

    async def _source(
        self, form: EventFormat, selection: Selection, broadcast: Broadcast[Chunk]
    ) -> AsyncGenerator[Part[Chunk], None]:
        """Yield new events for all clients with the same selection."""
        following = follow_selected(
            self._services.recorder, self._services.follower, broadcast.after[0], selection
        )
        try:
            async with aclosing(following) as pages:
                async for page in pages:
                    for event in page:
                        chunk = form.page([event])
                        yield Part((event.position, 0), chunk, len(chunk.plain))
        except LogSetBack:
            pass  # each of them logs it
        except CONNECTION_ERRORS as error:  # clients reconnect and resume
            logger.warning("streams of events end, since the log can't be read: %s", error)


async def _body(
    form: EventFormat,
    body: PlainBody | GzipBody,
    stream: AsyncGenerator[Sequence[Chunk], None],
    limit: int | None,
) -> AsyncGenerator[bytes, None]:
    """Yield the bytes of the body.

    With a limit it ends after that number of events, which are then sent one by one.
    """
    yield body.write([Chunk(form.begin)])
    async with aclosing(stream):
        async for chunks in stream:
            if limit is not None:
                chunks = chunks[:limit]
                limit -= len(chunks)
            yield body.write(chunks)
            if limit == 0:
                break
    yield body.end()


def _encode_sse(event: RecordedEvent) -> bytes:
    return b"id: %s\ndata: %s\n\n" % (str(event.resume_token).encode(), event.entry)


def _encode_line(event: RecordedEvent) -> bytes:
    return event.entry + b"\n"


def _fail_sse(error: TrackerError) -> Chunk:
    """Return an error as an event with its own name, without an id."""
    problem = orjson.dumps(plain_error(error.code, error.message, error.path))
    return Chunk(b"event: failed\ndata: %s\n\n" % problem)


FORMATS = {
    SSE: EventFormat(
        SSE,
        b"retry: %d\n"
        % RETRY_MILLISECONDS,  # no empty line after it, because some clients read that as an event
        Chunk(b":\n"),
        _encode_sse,
        _fail_sse,
    ),
    JSON_LINES: EventFormat(JSON_LINES, b"", Chunk(b"\n"), _encode_line, lambda _: Chunk(b"")),
}


def parse_parameters(request: Request) -> Selection:
    """Parse the query parameters of `/events`. Raises InvalidInput."""
    check_parameters(request, PARAMETERS, LIST_PARAMETERS)
    types, commodities, places = (_list_parameter(request, name) for name in LIST_PARAMETERS)
    entity = request.query_params.get("entity")
    if entity is not None:
        entity_type(parse_short_text(entity, "entity"))
    return parse_selection(types, commodities, places, entity, fields=("commodity", "place"))


def _list_parameter(request: Request, name: str) -> list[str] | None:
    """Return a parameter that may be repeated, or have several words with commas."""
    values = request.query_params.getlist(name)
    return [word for text in values for word in text.split(",")] if values else None


def start_token(request: Request) -> ResumeToken | None:
    """Return the position to resume from.

    A browser that reconnects sends it in a header, which takes precedence over the address.
    """
    return last_seen(request) or parse_token(request.query_params.get("after"), "after")


def _parse_follow(request: Request) -> bool:
    text = request.query_params.get("follow", "true")
    if text not in ("true", "false"):
        raise InvalidInput("expected true or false", path=("follow",))
    return text == "true"


def _parse_number(request: Request, name: str, code: str = "INVALID_INPUT") -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    if not NUMBER.fullmatch(text) or int(text) == 0:
        raise InvalidInput("expected a whole number from 1", code=code, path=(name,))
    return int(text)


def negotiate_format(request: Request) -> EventFormat:
    """Return the format of the response: the first supported one that the client names."""
    for name in accepted_words(request.headers.get("accept") or "*/*"):
        if name in MEDIA_TYPES:
            return FORMATS[MEDIA_TYPES[name]]
    raise InvalidInput(
        f"expected Accept to have {SSE} or {JSON_LINES}", code="NOT_ACCEPTABLE", path=("Accept",)
    )
