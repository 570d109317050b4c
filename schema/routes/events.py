"""`/events`: the log as CloudEvents, as server-sent events or as JSON lines.

What is sent of an event is its entry, byte for byte as it is stored. Nothing is gathered for a
client: it is read a page at a time, as fast as the client takes it.
"""

from __future__ import annotations

import asyncio
import logging
import re
import zlib
from collections.abc import AsyncGenerator
from contextlib import ExitStack, aclosing
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from schema.base.scalars import Position
from schema.http.authentication import AccessControl
from schema.http.compression import accepted_words, takes_gzip
from schema.http.responses import errors_as_json
from schema.http.streaming import StreamedResponse, last_position, with_heartbeats
from schema.inputs.arguments import parse_position, parse_selection, parse_short_text
from schema.services import Services
from tracker.domain.registry import entity_type
from tracker.errors import InvalidInput
from tracker.log.entries import RecordedEvent
from tracker.log.selection import Selection, follow_selected, read_selected
from tracker.postgres.database import CONNECTION_ERRORS

RETRY_MILLISECONDS = 1000
"""Milliseconds after which a browser comes back when it is cut off."""
SSE = "text/event-stream"
JSON_LINES = "application/x-ndjson"
MEDIA_TYPES = {
    SSE: SSE,
    "*/*": SSE,
    "text/*": SSE,
    JSON_LINES: JSON_LINES,
    "application/*": JSON_LINES,
}
LIMIT = re.compile(r"[0-9]{1,18}")
LIST_PARAMETERS = ("types", "commodity", "place")
PARAMETERS = (*LIST_PARAMETERS, "entity", "after", "limit", "follow")

logger = logging.getLogger(__name__)


class EventRoute:
    """Answers requests for the log."""

    def __init__(self, services: Services, access_control: AccessControl, ending: asyncio.Event):
        self._services = services
        self._access_control = access_control
        self._ending = ending

    @errors_as_json
    async def respond(self, request: Request) -> Response:
        """The events after a position; and, unless `follow=false`, each new one as it comes. With
        `limit` the answer ends after so many."""
        client = await self._access_control.authenticate_request(request)
        media_type, wanted = negotiate_media_type(request), parse_parameters(request)
        following, limit = _parse_follow(request), _parse_limit(request)
        after, head = start_position(request), await self._services.recorder.head()
        held = ExitStack()
        if following:
            held.enter_context(self._access_control.operation_slot(client))
            pages = self._live(request, head if after is None else after, wanted)
        else:
            found = read_selected(self._services.recorder, after or 0, head, wanted)
            pages = (page async for page in found if page)
        if limit is not None:
            pages = first_events(pages, limit)
        chunks = encode_stream(pages, media_type)
        headers = {"Vary": "Accept, Accept-Encoding"}
        if takes_gzip(request.headers.get("accept-encoding", "")):
            headers["Content-Encoding"] = "gzip"
            chunks = compress_chunks(chunks)
        return StreamedResponse(chunks, held, media_type, headers)

    async def _live(
        self, request: Request, after: int, wanted: Selection
    ) -> AsyncGenerator[list[RecordedEvent] | None, None]:
        """Pages as they come, until the server stops or the client's token does."""
        following = follow_selected(self._services.recorder, self._services.follower, after, wanted)
        ends = (
            self._ending.wait,
            partial(self._access_control.watch, request.headers.get("authorization", "")),
        )
        try:
            async with aclosing(with_heartbeats(following, *ends)) as pages:
                async for page in pages:
                    yield page
        except CONNECTION_ERRORS as error:  # the client comes back, and goes on where it was
            logger.warning("a stream of events ends, since the log can't be read: %s", error)


async def first_events(
    pages: AsyncGenerator[list[RecordedEvent] | None, None], limit: int
) -> AsyncGenerator[list[RecordedEvent] | None, None]:
    """The first events of pages, at most `limit`; it ends with the last of them."""
    async with aclosing(pages):
        async for page in pages:
            yield page[:limit] if page else page
            limit -= len(page or ())
            if limit <= 0:
                return


async def encode_stream(
    pages: AsyncGenerator[list[RecordedEvent] | None, None], media_type: str
) -> AsyncGenerator[bytes, None]:
    """Pages of events as text of a media type; None as what clients pass over."""
    if media_type == SSE:
        yield (
            b"retry: %d\n" % RETRY_MILLISECONDS
        )  # no empty line after it: some take that for an event
    write, silence = (_encode_sse, b":\n") if media_type == SSE else (_encode_line, b"\n")
    async with aclosing(pages):
        async for page in pages:
            yield b"".join(map(write, page)) if page else silence


def _encode_sse(event: RecordedEvent) -> bytes:
    return b"id: %d\ndata: %s\n\n" % (event.position, event.entry)


def _encode_line(event: RecordedEvent) -> bytes:
    return event.entry + b"\n"


async def compress_chunks(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Chunks as gzip, each complete when it is sent.

    A window of 4 KiB: a stream then holds 32 KiB rather than 256, and entries repeat each other
    within it.
    """
    gzip = zlib.compressobj(wbits=16 + 12, memLevel=5)
    async with aclosing(chunks):
        async for chunk in chunks:
            yield gzip.compress(chunk) + gzip.flush(zlib.Z_SYNC_FLUSH)
    yield gzip.flush()


def parse_parameters(request: Request) -> Selection:
    """Parse the query parameters of `/events`. Raises InvalidInput."""
    for name in request.query_params:
        if name not in PARAMETERS:
            raise InvalidInput(
                f"{name[:50]!r} is no parameter: expected one of {', '.join(PARAMETERS)}",
                code="BAD_REQUEST",
                path=(name[:50],),
            )
    types, commodities, places = (_list_parameter(request, name) for name in LIST_PARAMETERS)
    entity = request.query_params.get("entity")
    if entity is not None:
        entity_type(parse_short_text(entity, "entity"))
    return parse_selection(types, commodities, places, entity, fields=("commodity", "place"))


def _list_parameter(request: Request, name: str) -> list[str] | None:
    """A parameter that may come several times, or have several words with commas."""
    given = request.query_params.getlist(name)
    return [word for text in given for word in text.split(",")] if given else None


def start_position(request: Request) -> int | None:
    """Where to go on. A browser that comes back says so in a header, whatever its address says."""
    last, after = last_position(request), request.query_params.get("after")
    return (
        parse_position(None if after is None else Position(after), "after")
        if last is None
        else last
    )


def _parse_follow(request: Request) -> bool:
    given = request.query_params.get("follow", "true")
    if given not in ("true", "false"):
        raise InvalidInput("expected true or false", path=("follow",))
    return given == "true"


def _parse_limit(request: Request) -> int | None:
    given = request.query_params.get("limit")
    if given is None:
        return None
    if not LIMIT.fullmatch(given) or int(given) == 0:
        raise InvalidInput(
            "expected a whole number from 1", code="INVALID_PAGE_SIZE", path=("limit",)
        )
    return int(given)


def negotiate_media_type(request: Request) -> str:
    """The media type to answer with: the first that the client names and we have."""
    for name in accepted_words(request.headers.get("accept") or "*/*"):
        if name in MEDIA_TYPES:
            return MEDIA_TYPES[name]
    raise InvalidInput(
        f"expected Accept to have {SSE} or {JSON_LINES}", code="NOT_ACCEPTABLE", path=("Accept",)
    )
