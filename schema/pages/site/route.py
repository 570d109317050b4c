"""Handler of requests for pages: authentication, moment, query and template.

The query of a page is executed like those of API clients: limits, slots, caches, metrics and log lines. A
page is cached as bytes as long as its response is the same.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from schema.base.errors import tracker_error
from schema.execution.response_cache import ResponseCache
from schema.execution.scenarios import IN_SCENARIO, as_hypothetical
from schema.execution.url_parameters import SCENARIO
from schema.execution.work_slots import WorkSlots
from schema.http.authentication import AccessControl
from schema.http.limits import PushPriority
from schema.http.messages import error_response, observe
from schema.http.receipt_files import ReceiptFiles
from schema.http.rendered import MAX_CACHE_BYTES, RenderedPage, RenderedPages
from schema.pages.charts.picture_process import is_installed
from schema.pages.charts.renderer import ChartRenderer
from schema.pages.site.address import Address
from schema.pages.site.frame import RECEIPT_CHECKS, frame, graphiql_link
from schema.pages.site.html import (
    GUARDS,
    HTML,
    around,
    corrected_value,
    problem_response,
    see_other,
    session,
)
from schema.pages.site.page import Page
from schema.pages.site.page_data import CATALOGUE, LINKSET, MEDIA_TYPES, VARY, PageData
from schema.pages.site.page_queries import PageQueries, data_of
from schema.pages.site.page_request import PageRequest, read_address
from schema.pages.site.plain import may_sign_in, sign_in_first
from schema.pages.site.templates import environment
from schema.routes.tables import TableRoute
from schema.services import Services
from schema.tables.formats import LICENCE_URL
from schema.telemetry.observer import Observer
from schema.telemetry.operation import current_operation
from tracker.errors import InvalidInput, TrackerError, Unauthenticated

LINKS = (
    f'<{CATALOGUE}>; rel="describedby"; type="application/ld+json", <{LICENCE_URL}>; rel="license"'
)
"""Links of every page with a moment (RFC 8288)."""
DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d{1,2}(?!\d))")
"""A comma before one or two digits; before three digits it may separate thousands."""


class Problem(Struct, frozen=True):
    """A bad parameter of a page with a form."""

    field: str
    message: str
    suggestion: str = ""
    """The value that was probably meant; empty without one."""
    corrected: str = ""
    """Link to the page with the suggestion."""


class PageRoute:
    """Handler of requests for pages, as HTML or as data."""

    def __init__(
        self,
        services: Services,
        access_control: AccessControl,
        answers: ResponseCache,
        tables: TableRoute,
        receipts: ReceiptFiles,
        observer: Observer,
        pacing: PushPriority,
    ):
        self._access_control = access_control
        self._shipped_size = services.shipped_size
        self._observer = observer
        self._pacing = pacing
        self._queries = PageQueries(access_control, answers)
        self._data = PageData(self._queries, tables, receipts, ChartRenderer())
        self.rendered = RenderedPages(MAX_CACHE_BYTES)
        self._turns = WorkSlots(1)

    async def respond(self, page: Page, request: Request, ending: str | None = None) -> Response:
        """Return the page of a request, or the same as data; errors are pages too."""
        answer = self._respond(page, request, ending)
        return await observe(self._observer, self._pacing, "page", request, answer)

    async def _respond(self, page: Page, request: Request, ending: str | None) -> Response:
        address = Address(request.url.path)
        try:
            client = await self._access_control.authenticate_request(request)
            current_operation().actor = client.caller.name
            address = read_address(page, request, ending)
            page_request = PageRequest(request, client, page, address, session(client))
            if ending:
                return await self._data.respond(page_request, ending)
            if not all(map(str.strip, request.query_params.values())) and str(address) != page.path:
                return see_other(str(address))  # a short address is easier to share
            if page.form_needs:
                return await self._form(page_request)
            return await self._page(page_request)
        except Exception as error:
            if isinstance(error, Unauthenticated) and not ending and may_sign_in(request):
                return sign_in_first(request)
            problem = tracker_error(error)
        current_operation().note_error(problem.code)
        if ending:
            return error_response(problem)
        async with self._turns.hold(current_operation().client):  # rendering takes milliseconds
            return problem_response(
                problem, address, section=page.section, query_url=_graphiql_link(page, address)
            )

    async def _page(self, page_request: PageRequest) -> Response:
        key = (
            page_request.page.name,
            str(page_request.address),
            page_request.origin,
            page_request.session,
        )
        page = await self._queries.rendered(
            page_request, self.rendered, key, partial(self._render, page_request)
        )
        current_operation().outcome = "ok"
        return self._response(page_request, page)

    async def _form(self, page_request: PageRequest) -> Response:
        """Return a page with a form; a bad parameter is shown beside its field, without an answer."""
        page, address = page_request.page, page_request.address
        try:
            if page.form_needs and page_request.request.query_params and str(address) == page.path:
                field, expected = page.form_needs
                raise InvalidInput(expected, path=(field,))
            return await self._page(page_request)
        except InvalidInput as error:
            if (wrong := page.field_of(error)) is None:
                raise
            typed_value = address.parameters.get(wrong, "")
            value, message = corrected_value(typed_value, wrong, error), error.message
            suggestion = error.suggestion
            if (point := DECIMAL_COMMA.sub(".", typed_value)) != typed_value and not value:
                value = suggestion = point
                message = f"{typed_value[:50]!r}: write decimals with a point, as in {point[:50]!r}"
            corrected = address.narrowed(**{wrong: value}) if value else ""
            problem = Problem(wrong, message, suggestion, corrected)
            current_operation().note_error(error.code)
        typed = address.parameters
        empty = replace(page_request, address=replace(page_request.address, parameters={}))
        data = data_of(await self._queries.answer(empty))
        async with self._queries.query_slot(empty):
            shown = {**page.view(data, empty.address), "problem": problem, "values": typed}
            shown["shipped_size"] = self._shipped_size
            html = await asyncio.to_thread(render, empty, data, shown)
        return Response(html, 400, {"Cache-Control": "no-store", **GUARDS}, HTML)

    def _response(self, page_request: PageRequest, page: RenderedPage) -> Response:
        headers = {
            **GUARDS,
            "Cache-Control": self._queries.cache_control(page_request),
            "Vary": VARY,
        }
        if page.permanent_url:
            own = f'<{page.permanent_url}>; rel="cite-as", {LINKS}'
            linkset = f'<{page_request.address.as_form(LINKSET)}>; rel="linkset"'
            headers["Link"] = f'{own}, {linkset}; type="{MEDIA_TYPES[LINKSET]}"'
        return page.response(page_request.request, headers, HTML)

    def _render(self, page_request: PageRequest, data: Mapping[str, Any]) -> str:
        """Return the HTML of a page for the data of its response. Raises NotFound."""
        shown = page_request.page.view(data, page_request.address)
        if SCENARIO in data:
            shown = {**shown, "title": f"{IN_SCENARIO}: {shown['title']}"}
        context = {
            name: value for name, value in shown.items() if name != "charts" or is_installed()
        } | {"shipped_size": self._shipped_size}
        html = render(page_request, data, context)
        return as_hypothetical(html) if SCENARIO in data else html


def render(page_request: PageRequest, data: Mapping[str, Any], shown: Mapping[str, Any]) -> str:
    """Return the HTML of a page for the data of its response and the result of its view."""
    framed = frame(page_request.page, page_request.address, data, shown, page_request.origin)
    return (
        environment()
        .get_template(page_request.page.template)
        .render(
            **{
                "data": data,
                "frame": framed,
                "media_types": MEDIA_TYPES,
                "receipt_checks": RECEIPT_CHECKS,
                **around(page_request.address, page_request.page.section, page_request.session),
                **shown,
            }
        )
    )


def _graphiql_link(page: Page, address: Address) -> str | None:
    try:
        return graphiql_link(page, address)
    except TrackerError:
        return None
