"""Answers requests for pages: who asks, what, and when; then the question, and the template.

The question of a page goes the very way that those of API clients go: limits, turns, kept answers,
counts and lines in the log. A page is kept as bytes as long as the answer that it shows is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from schema.base.errors import DATABASE_ERRORS
from schema.execution.execute import QUERIES, refusal
from schema.execution.response_cache import Answer, Question, ResponseCache
from schema.execution.url_parameters import MOMENT
from schema.http.authentication import AccessControl, Client
from schema.http.compression import takes_gzip
from schema.http.graphql_http import cache_control
from schema.http.pacing import Pacing
from schema.http.responses import error_response
from schema.pages.charts.picture_process import is_installed
from schema.pages.charts.renderer import IMAGE_TYPES, ChartRenderer
from schema.pages.site.address import Address
from schema.pages.site.citation import PRODUCT
from schema.pages.site.feeds import FEED_TYPES, calendar, feed_document, feed_name
from schema.pages.site.frame import Session, ask_link, frame
from schema.pages.site.html import GUARDS, HTML, around, problem_response, session
from schema.pages.site.page import Page
from schema.pages.site.plain import may_sign_in, sign_in_first
from schema.pages.site.rendered import MAX_CACHE_BYTES, Key, RenderedPage, RenderedPages
from schema.pages.site.templates import environment
from schema.routes.tables import TableRoute
from schema.tables.formats import FORMATS
from schema.telemetry.observer import Observer, request_id
from schema.telemetry.operation import current_operation
from tracker.errors import InvalidInput, NotFound, TrackerError, Unauthenticated, Unavailable

VARY = "Accept, Accept-Encoding, Authorization, Cookie"
MEDIA_TYPES: dict[str, str] = {
    "json": "application/json",
    **{ending: format.media_type for ending, format in FORMATS.items() if ending != "json"},
    **IMAGE_TYPES,
    **FEED_TYPES,
}
MAX_QUERY_PARAMETERS = 50


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A request for a page, understood."""

    request: Request
    client: Client
    page: Page
    address: Address
    session: Session

    @property
    def origin(self) -> str:
        """Scheme and host by which we were reached."""
        return str(self.request.base_url).rstrip("/")


class PageRoute:
    """Answers requests for pages, as HTML or as data."""

    def __init__(
        self,
        access_control: AccessControl,
        answers: ResponseCache,
        tables: TableRoute,
        observer: Observer,
        pacing: Pacing,
    ):
        self._access_control = access_control
        self._answers = answers
        self._tables = tables
        self._observer = observer
        self._pacing = pacing
        self._charts = ChartRenderer()
        self.rendered = RenderedPages(MAX_CACHE_BYTES)

    async def respond(self, page: Page, request: Request, ending: str | None = None) -> Response:
        """The page of a request, or the same as data; whatever goes wrong is a page too."""
        id = request_id(request.headers.get("x-request-id", ""))
        with self._observer.operation(id, "page", request.headers) as operation:
            with self._pacing.answering():
                response = await self._respond(page, request, ending)
            operation.status = response.status_code
        response.headers["X-Request-ID"] = id
        return response

    async def _respond(self, page: Page, request: Request, ending: str | None) -> Response:
        address = Address(request.url.path)
        try:
            address = read_address(page, request, ending)
            client = await self._access_control.authenticate_request(request)
            current_operation().actor = client.caller.name
            asked = PageRequest(request, client, page, address, session(client))
            return await (self._data(asked, ending) if ending else self._page(asked))
        except TrackerError as error:
            if isinstance(error, Unauthenticated) and not ending and may_sign_in(request):
                return sign_in_first(request)
            problem = error
        except DATABASE_ERRORS:
            problem = Unavailable("The database does not answer; try again")
        current_operation().note_error(problem.code)
        if ending:
            return error_response(problem)
        return problem_response(problem, address, section=page.section, ask=_ask(page, address))

    async def _page(self, asked: PageRequest) -> Response:
        answer = await self._answer(asked)
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
            html = await self._render(asked, _data_of(answer))
            page = self.rendered.keep(key, html) if kept else RenderedPage(html.encode())
        current_operation().outcome = "ok"
        return self._response(asked, page)

    def _response(self, asked: PageRequest, page: RenderedPage) -> Response:
        request = asked.request
        short = takes_gzip(request.headers.get("accept-encoding", ""))
        headers = {
            **GUARDS,
            "Cache-Control": self._cache_control(asked),
            "ETag": page.tag(short),
            "Vary": VARY,
        }
        if page.digest in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if short:
            headers["Content-Encoding"] = "gzip"
        body = page.gzipped if short else page.body
        return Response(body, headers=headers, media_type=HTML)

    async def _data(self, asked: PageRequest, ending: str) -> Response:
        """The same as data: JSON is the answer to the question, all else the table of the page."""
        if ending == "json":
            answer = await self._answer(asked)
            body = answer.body if isinstance(answer, Answer) else orjson.dumps(answer)
            headers = {"Cache-Control": self._cache_control(asked), "Vary": VARY}
            return Response(body, headers=headers, media_type="application/json; charset=utf-8")
        if ending in IMAGE_TYPES:
            return await self._image(asked, ending)
        if ending in FEED_TYPES:
            return await self._feed(asked, ending)
        table = asked.page.table
        if table is None:
            raise NotFound(f"expected .json: this page has no table for .{ending}")
        asked.page.variables(asked.address)  # what the page refuses its table must not take
        chosen = {**asked.page.defaults(asked.address), **asked.address.parameters}
        given = {**table.parameters(chosen), **asked.address.moment}
        return await self._tables.respond(asked.request, asked.client, table.name, ending, given)

    async def _feed(self, asked: PageRequest, ending: str) -> Response:
        """What is new, or to come, of what a page is about."""
        feed = asked.page.feed
        if feed is None or ending not in feed.endings:
            raise NotFound(f"this page has no feed for .{ending}")
        answer = await self._ask(
            asked,
            feed_document(ending),
            feed_name(ending),
            {**feed.variables(ending, asked.address), **asked.address.variables},
        )
        data, title = _data_of(answer), f"{PRODUCT}: {asked.address}"
        if ending == "ics":
            body = calendar(data, title, asked.origin)
        else:
            body = atom(data, title, asked.address, asked.origin).encode()
        headers = {"Cache-Control": self._cache_control(asked), "Vary": VARY}
        return Response(body, headers=headers, media_type=FEED_TYPES[ending])

    async def _image(self, asked: PageRequest, ending: str) -> Response:
        """What a page draws, as a file."""
        shown = asked.page.view(_data_of(await self._answer(asked)), asked.address)
        if "image" not in shown:
            raise NotFound(f"this page has no image for .{ending}")
        headers = {**GUARDS, "Cache-Control": self._cache_control(asked), "Vary": VARY}
        body = await self._charts.image(shown["image"], ending)
        return Response(body, headers=headers, media_type=IMAGE_TYPES[ending])

    async def _render(self, asked: PageRequest, data: Mapping[str, Any]) -> str:
        """The HTML of a page for the data of its answer. Raises NotFound, and Unavailable when too
        many charts are drawn."""
        shown = asked.page.view(data, asked.address)
        charts = shown.get("charts", {})
        drawn = {name: await self._charts.inline(chart) for name, chart in charts.items()}
        kept = {name: value for name, value in shown.items() if name != "image" or is_installed()}
        return render(asked, data, {**kept, "drawn": drawn})

    def _cache_control(self, asked: PageRequest) -> str:
        return cache_control(self._access_control.is_shared(asked.request), asked.address.pinned)

    async def _answer(self, asked: PageRequest) -> Answer | dict[str, Any]:
        """The answer to the question of a page, without errors. Raises what it was refused with."""
        page = asked.page
        return await self._ask(asked, page.document, page.operation, page.variables(asked.address))

    async def _ask(
        self, asked: PageRequest, document: str, operation: str, variables: Mapping[str, Any]
    ) -> Answer | dict[str, Any]:
        answer = await self._answers.answer(
            Question(document, variables, operation, asked.client.caller),
            QUERIES,
            self._access_control.work_slot(asked.client),
        )
        if not isinstance(answer, Answer):
            for error in answer.get("errors", ()):
                raise refusal(error)
        return answer


def read_address(page: Page, request: Request, ending: str | None) -> Address:
    """The address of a request. A parameter that is given more than once is a list; one that is
    empty, as forms send them, is not given. Raises InvalidInput."""
    given: dict[str, str] = {}
    pairs = request.query_params.multi_items()
    if len(pairs) > MAX_QUERY_PARAMETERS:
        raise InvalidInput(f"expected at most {MAX_QUERY_PARAMETERS} parameters", code="TOO_LARGE")
    for name, value in pairs:
        if value:
            given[name] = f"{given[name]},{value}" if name in given else value
    in_path = {name: str(value) for name, value in request.path_params.items()}
    for name in in_path:
        if name in given:
            raise InvalidInput("stands in the path of this address already", path=(name,))
    moment = {name: given.pop(name, None) for name in MOMENT}
    path = request.url.path
    if ending:
        path = path.removesuffix(f".{ending}")
    return Address(path, parameters={**in_path, **given}, path_names=frozenset(in_path), **moment)


def render(asked: PageRequest, data: Mapping[str, Any], shown: Mapping[str, Any]) -> str:
    """The HTML of a page for the data of its answer and what its view made of them."""
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


def _data_of(answer: Answer | dict[str, Any]) -> Mapping[str, Any]:
    found = orjson.loads(answer.body) if isinstance(answer, Answer) else answer
    data: Mapping[str, Any] = found["data"]
    return data


def _ask(page: Page, address: Address) -> str | None:
    try:
        return ask_link(page, address)
    except TrackerError:
        return None


def atom(data: Mapping[str, Any], title: str, address: Address, origin: str) -> str:
    """The newest events of what a page is about, the newest first."""
    moment = data["asOf"]
    return (
        environment()
        .get_template("site/feed.xml")
        .render(
            title=title,
            product=PRODUCT,
            origin=origin,
            feed_path=address.as_form("atom"),
            page_path=str(address),
            updated=moment["knownAt"] or "1970-01-01T00:00:00Z",
            events=list(reversed(moment["events"]["nodes"])),
        )
    )
