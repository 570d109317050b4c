"""Pages as data: the response as JSON, the table of a page, its drawing, its feeds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson
from starlette.responses import Response

from schema.execution.response_cache import Answer
from schema.pages.charts.renderer import IMAGE_TYPES, ChartRenderer
from schema.pages.site.calendars import calendar
from schema.pages.site.feed_documents import atom, json_feed
from schema.pages.site.feeds import FEED_TYPES, feed_document, feed_name, feed_part
from schema.pages.site.html import GUARDS
from schema.pages.site.page_request import PageRequest
from schema.pages.site.question import PageQuestions, data_of
from schema.pages.site.rendered import RenderedPage
from schema.routes.tables import TableRoute
from schema.tables.formats import FORMATS
from tracker.errors import NotFound

VARY = "Accept, Accept-Encoding, Authorization, Cookie"
MEDIA_TYPES: dict[str, str] = {
    "json": "application/json",
    **{ending: format.media_type for ending, format in FORMATS.items() if ending != "json"},
    **IMAGE_TYPES,
    **FEED_TYPES,
}
"""Media types by the endings of addresses."""


class PageData:
    """Handler of requests for a page with an ending."""

    def __init__(self, questions: PageQuestions, tables: TableRoute, charts: ChartRenderer):
        self._questions = questions
        self._tables = tables
        self._charts = charts

    async def respond(self, asked: PageRequest, ending: str) -> Response:
        """Return the page as data. Raises NotFound if it has no such format."""
        if ending == "json":
            return await self._json(asked)
        if ending in IMAGE_TYPES:
            return await self._image(asked, ending)
        if ending in FEED_TYPES:
            return await self._feed(asked, ending)
        return await self._table(asked, ending)

    async def _json(self, asked: PageRequest) -> Response:
        answer = await self._questions.answer(asked)
        body = answer.body if isinstance(answer, Answer) else orjson.dumps(answer)
        return self._response(asked, body, "application/json; charset=utf-8")

    async def _table(self, asked: PageRequest, ending: str) -> Response:
        table = asked.page.table
        if table is None:
            raise NotFound(f"expected .json: this page has no table for .{ending}")
        asked.page.variables(asked.address)  # refuse for the table what the page refuses
        chosen = {**asked.page.defaults(asked.address), **asked.address.parameters}
        given = {**table.parameters(chosen), **asked.address.moment}
        return await self._tables.respond(asked.request, asked.client, table.name, ending, given)

    async def _feed(self, asked: PageRequest, ending: str) -> Response:
        """Return a feed or calendar of a page."""
        feed = asked.page.feed
        if feed is None or ending not in feed.endings:
            raise NotFound(f"this page has no feed for .{ending}")
        address = asked.address
        variables = {**feed.variables(ending, address), **address.variables}
        if ending == "ics":
            days = [one async for one in self._days_to_come(asked, variables)]
            body = await asyncio.to_thread(calendar, days, address, asked.origin)
        else:
            found = (await self._ask(asked, ending, variables))["events"]
            part = feed_part(found, archive="before" in address.parameters)
            body = (atom if ending == "atom" else json_feed)(part, address, asked.origin)
        return self._response(asked, body, FEED_TYPES[ending], compressible=True)

    async def _days_to_come(
        self, asked: PageRequest, variables: Mapping[str, Any]
    ) -> AsyncIterator[Mapping[str, Any]]:
        after = None
        while True:
            found = (await self._ask(asked, "ics", {**variables, "after": after}))["scheduled"]
            for node in found["nodes"]:
                yield node
            if not found["pageInfo"]["hasNextPage"]:
                return
            after = found["pageInfo"]["endCursor"]

    async def _ask(
        self, asked: PageRequest, ending: str, variables: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return the data of a feed, at the moment of the page."""
        document, operation = feed_document(ending), feed_name(ending)
        found = data_of(await self._questions.ask(asked, document, operation, variables))["asOf"]
        assert isinstance(found, Mapping)
        return found

    async def _image(self, asked: PageRequest, ending: str) -> Response:
        """Return the drawing of a page, as a file."""
        answer = await self._questions.answer(asked)
        async with self._questions.turn(asked):
            shown = asked.page.view(data_of(answer), asked.address)
            if "image" not in shown:
                raise NotFound(f"this page has no image for .{ending}")
            body = await self._charts.image(shown["image"], ending)
        return self._response(asked, body, IMAGE_TYPES[ending])

    def _response(
        self, asked: PageRequest, body: bytes, media_type: str, compressible: bool = False
    ) -> Response:
        headers = {**GUARDS, "Cache-Control": self._questions.cache_control(asked), "Vary": VARY}
        return RenderedPage(body).response(asked.request, headers, media_type, compressible)
