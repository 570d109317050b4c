"""Handler of requests for pages: authentication, moment, query and template.

The query of a page is executed like those of API clients: limits, slots, caches, metrics and log lines. A
page is cached as bytes as long as its response is the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from schema.base.errors import DATABASE_ERRORS, internal_error
from schema.execution.response_cache import Answer, ResponseCache
from schema.http.authentication import AccessControl
from schema.http.messages import error_response, observe
from schema.http.push_priority import PushPriority
from schema.pages.charts.picture_process import is_installed
from schema.pages.charts.renderer import ChartRenderer
from schema.pages.site.address import Address
from schema.pages.site.frame import ask_link, frame
from schema.pages.site.html import GUARDS, HTML, around, problem_response, session
from schema.pages.site.page import Page
from schema.pages.site.page_data import MEDIA_TYPES, VARY, PageData
from schema.pages.site.page_request import PageRequest, read_address
from schema.pages.site.plain import may_sign_in, sign_in_first
from schema.pages.site.question import PageQuestions, data_of
from schema.pages.site.rendered import MAX_CACHE_BYTES, Key, RenderedPage, RenderedPages
from schema.pages.site.templates import environment
from schema.routes.tables import TableRoute
from schema.telemetry.observer import Observer
from schema.telemetry.operation import current_operation
from tracker.errors import TrackerError, Unauthenticated, Unavailable


class PageRoute:
    """Handler of requests for pages, as HTML or as data."""

    def __init__(
        self,
        access_control: AccessControl,
        answers: ResponseCache,
        tables: TableRoute,
        observer: Observer,
        pacing: PushPriority,
    ):
        self._access_control = access_control
        self._observer = observer
        self._pacing = pacing
        self._questions = PageQuestions(access_control, answers)
        self._data = PageData(self._questions, tables, ChartRenderer())
        self.rendered = RenderedPages(MAX_CACHE_BYTES)

    async def respond(self, page: Page, request: Request, ending: str | None = None) -> Response:
        """Return the page of a request, or the same as data; errors are pages too."""
        answer = self._respond(page, request, ending)
        return await observe(self._observer, self._pacing, "page", request, answer)

    async def _respond(self, page: Page, request: Request, ending: str | None) -> Response:
        address = Address(request.url.path)
        try:
            address = read_address(page, request, ending)
            client = await self._access_control.authenticate_request(request)
            current_operation().actor = client.caller.name
            asked = PageRequest(request, client, page, address, session(client))
            return await (self._data.respond(asked, ending) if ending else self._page(asked))
        except TrackerError as error:
            if isinstance(error, Unauthenticated) and not ending and may_sign_in(request):
                return sign_in_first(request)
            problem = error
        except DATABASE_ERRORS:
            problem = Unavailable("The database does not answer; try again")
        except Exception as error:
            problem = internal_error(error)
        current_operation().note_error(problem.code)
        if ending:
            return error_response(problem)
        return problem_response(problem, address, section=page.section, ask=_ask(page, address))

    async def _page(self, asked: PageRequest) -> Response:
        answer = await self._questions.answer(asked)
        kept = isinstance(answer, Answer)
        key: Key = (
            asked.page.name,
            str(asked.address),
            asked.origin,
            asked.session,
            answer.tag if isinstance(answer, Answer) else None,
        )
        page = self.rendered.get(key) if kept else None
        if page is None:
            async with self._questions.turn(asked):
                html = await asyncio.to_thread(self._render, asked, data_of(answer))
            page = self.rendered.keep(key, html) if kept else RenderedPage(html.encode())
        current_operation().outcome = "ok"
        return self._response(asked, page)

    def _response(self, asked: PageRequest, page: RenderedPage) -> Response:
        headers = {**GUARDS, "Cache-Control": self._questions.cache_control(asked), "Vary": VARY}
        return page.response(asked.request, headers, HTML)

    def _render(self, asked: PageRequest, data: Mapping[str, Any]) -> str:
        """Return the HTML of a page for the data of its response. Raises NotFound."""
        shown = asked.page.view(data, asked.address)
        kept = {name: value for name, value in shown.items() if name != "image" or is_installed()}
        return render(asked, data, kept)


def render(asked: PageRequest, data: Mapping[str, Any], shown: Mapping[str, Any]) -> str:
    """Return the HTML of a page for the data of its response and the result of its view."""
    framed = frame(asked.page, asked.address, data, shown, asked.origin)
    return (
        environment()
        .get_template(asked.page.template)
        .render(
            **{
                "data": data,
                "frame": framed,
                "media_types": MEDIA_TYPES,
                **around(asked.address, asked.page.section, asked.session),
                **shown,
            }
        )
    )


def _ask(page: Page, address: Address) -> str | None:
    try:
        return ask_link(page, address)
    except TrackerError:
        return None
