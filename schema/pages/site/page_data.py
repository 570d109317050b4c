"""Pages as data: the response as JSON, the table of a page, its drawing, its feeds."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import orjson
from starlette.responses import Response

from schema.execution.response_cache import Answer
from schema.http.receipt_files import RECEIPT, RECEIPT_TYPE, ReceiptFiles
from schema.http.rendered import RenderedPage
from schema.pages.charts.credit import picture_facts, with_credit
from schema.pages.charts.picture_metadata import with_metadata
from schema.pages.charts.renderer import IMAGE_TYPES, ChartRenderer
from schema.pages.site.address import Address
from schema.pages.site.calendars import calendar
from schema.pages.site.citation import PRODUCT
from schema.pages.site.feed_documents import atom, json_feed
from schema.pages.site.feeds import FEED_TYPES, feed_document, feed_name, feed_part
from schema.pages.site.frame import data_forms
from schema.pages.site.html import GUARDS
from schema.pages.site.images import CHART
from schema.pages.site.page_queries import PageQueries, data_of
from schema.pages.site.page_request import PageRequest
from schema.routes.tables import TableRoute
from schema.tables.formats import FORMATS, LICENCE_URL
from tracker.errors import NotFound

LINKSET = "linkset"
"""The ending of the address of the links of a page (RFC 9264)."""
VARY = "Accept, Accept-Encoding, Authorization, Cookie"
MEDIA_TYPES: dict[str, str] = {
    "json": "application/json",
    **{ending: format.media_type for ending, format in FORMATS.items() if ending != "json"},
    **IMAGE_TYPES,
    **FEED_TYPES,
    RECEIPT: RECEIPT_TYPE,
    LINKSET: "application/linkset+json",
}
"""Media types by the endings of addresses."""
CATALOGUE = "/catalog.jsonld"
"""The description of all data."""
MAX_NAME_CHARACTERS = 80


def page_file_name(page: str, address: Address) -> str:
    """Return the name of a file with the answer of a page, without its ending."""
    key = "-".join(text for name, text in address.parameters.items() if name in address.path_names)
    words = "-".join(re.findall(r"[A-Za-z0-9_]+", f"{page} {key}"))[:MAX_NAME_CHARACTERS]
    return f"{words}-{address.valid}-{address.position}"


class PageData:
    """Handler of requests for a page with an ending."""

    def __init__(
        self,
        queries: PageQueries,
        tables: TableRoute,
        receipts: ReceiptFiles,
        charts: ChartRenderer,
    ):
        self._queries = queries
        self._tables = tables
        self._receipts = receipts
        self._charts = charts

    async def respond(self, page_request: PageRequest, ending: str) -> Response:
        """Return the page as data. Raises NotFound if it has no such format."""
        if ending == "json":
            return await self._json(page_request)
        page_request.address.require_record(f"a file of type .{ending}")
        if ending == RECEIPT:
            return await self._receipt(page_request)
        if ending == LINKSET:
            return await self._links(page_request)
        if ending in IMAGE_TYPES:
            return await self._image(page_request, ending)
        if ending in FEED_TYPES:
            return await self._feed(page_request, ending)
        return await self._table(page_request, ending)

    async def _json(self, page_request: PageRequest) -> Response:
        answer = await self._queries.answer(page_request)
        body = answer.body if isinstance(answer, Answer) else orjson.dumps(answer)
        return self._response(page_request, body, "application/json; charset=utf-8")

    async def _receipt(self, page_request: PageRequest) -> Response:
        """Return the receipt of the answer on a page. A missing date or position is the present one."""
        address = await self._pinned(page_request)
        pinned = replace(page_request, address=address)
        answer = await self._queries.answer(pinned)
        name = page_file_name(page_request.page.name, address)
        return await self._receipts.respond(
            page_request.client, self._queries.query(pinned), answer, name
        )

    async def _pinned(self, page_request: PageRequest) -> Address:
        """Return the address of a page with the date and position of its answer."""
        address = page_request.address
        if address.pinned:
            return address
        state = data_of(await self._queries.answer(page_request))["asOf"]
        return address.pin(state["validAt"], state["position"])

    async def _links(self, page_request: PageRequest) -> Response:
        """Return the permanent address of a page, its description, its licence, and its files."""
        origin, pinned = page_request.origin, await self._pinned(page_request)
        files = [
            *data_forms(page_request.page, pinned),
            (RECEIPT, RECEIPT, pinned.as_form(RECEIPT)),
        ]
        links = {
            "anchor": f"{origin}{page_request.address}",
            "cite-as": [{"href": f"{origin}{pinned}"}],
            "describedby": [{"href": f"{origin}{CATALOGUE}", "type": "application/ld+json"}],
            "license": [{"href": LICENCE_URL}],
            "item": [
                {"href": f"{origin}{link}", "type": MEDIA_TYPES[form]} for form, _, link in files
            ],
        }
        return self._response(
            page_request, orjson.dumps({"linkset": [links]}), MEDIA_TYPES[LINKSET]
        )

    async def _table(self, page_request: PageRequest, ending: str) -> Response:
        table = page_request.page.table
        if table is None:
            raise NotFound(f"expected .json: this page has no table for .{ending}")
        page_request.page.variables(
            page_request.address
        )  # refuse for the table what the page refuses
        chosen = {
            **page_request.page.defaults(page_request.address),
            **page_request.address.parameters,
        }
        parameters = {**table.parameters(chosen), **page_request.address.moment}
        return await self._tables.respond(
            page_request.request, page_request.client, table.name, ending, parameters
        )

    async def _feed(self, page_request: PageRequest, ending: str) -> Response:
        feed = page_request.page.feed
        if feed is None or ending not in feed.endings:
            raise NotFound(f"this page has no feed for .{ending}")
        address = page_request.address
        variables = {**feed.variables(ending, address), **address.variables}
        if ending == "ics":
            days = [one async for one in self._days_to_come(page_request, variables)]
            body = await asyncio.to_thread(calendar, days, address, page_request.origin)
        else:
            events = (await self._state_of_feed(page_request, ending, variables))["events"]
            part = feed_part(events, archive="before" in address.parameters)
            body = (atom if ending == "atom" else json_feed)(part, address, page_request.origin)
        return self._response(page_request, body, FEED_TYPES[ending], compressible=True)

    async def _days_to_come(
        self, page_request: PageRequest, variables: Mapping[str, Any]
    ) -> AsyncIterator[Mapping[str, Any]]:
        after = None
        while True:
            scheduled = (
                await self._state_of_feed(page_request, "ics", {**variables, "after": after})
            )["scheduled"]
            for node in scheduled["nodes"]:
                yield node
            if not scheduled["pageInfo"]["hasNextPage"]:
                return
            after = scheduled["pageInfo"]["endCursor"]

    async def _state_of_feed(
        self, page_request: PageRequest, ending: str, variables: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        document, operation = feed_document(ending), feed_name(ending)
        state = data_of(await self._queries.execute(page_request, document, operation, variables))[
            "asOf"
        ]
        assert isinstance(state, Mapping)
        return state

    async def _image(self, page_request: PageRequest, ending: str) -> Response:
        """Return the drawing of a page, as a file."""
        answer = await self._queries.answer(page_request)
        async with self._queries.query_slot(page_request):
            data = data_of(answer)
            shown = page_request.page.view(data, page_request.address)
            image = shown.get("charts", {}).get(CHART)
            if image is None:
                raise NotFound(f"this page has no image for .{ending}")
            pinned = page_request.address.pin(data["asOf"]["validAt"], data["asOf"]["position"])
            where = f"{PRODUCT}, {page_request.origin}{pinned}"
            sources = shown.get("chart_sources", shown.get("sources", ()))
            svg = image.svg()
            picture = await self._charts.image(with_credit(svg, sources, where), ending)
            facts = picture_facts(svg, sources, where)
            body = with_metadata(picture, ending, facts)
        return self._response(page_request, body, IMAGE_TYPES[ending])

    def _response(
        self, page_request: PageRequest, body: bytes, media_type: str, compressible: bool = False
    ) -> Response:
        headers = {
            **GUARDS,
            "Cache-Control": self._queries.cache_control(page_request),
            "Vary": VARY,
        }
        return RenderedPage(body).response(page_request.request, headers, media_type, compressible)
