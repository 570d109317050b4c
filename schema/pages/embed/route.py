"""`/embed/PART/PAGE`: a part of a page in frames of other sites; `/oembed`: its description for them.

These are the only responses that other sites may frame. They use no cookies, so a frame never shows what
only a signed-in reader may see.
"""

import asyncio
import re
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schema.base.errors import tracker_error
from schema.execution.response_cache import ResponseCache
from schema.http import messages
from schema.http.authentication import AccessControl
from schema.http.limits import PushPriority
from schema.http.rendered import RenderedPages
from schema.pages.registry import page_at
from schema.pages.site.citation import PRODUCT
from schema.pages.site.embedding import (
    OEMBED,
    PREFIX,
    WIDTH_PX,
    framed_path,
    height_px,
    iframe,
    parts_of,
    small,
)
from schema.pages.site.frame import Session, frame
from schema.pages.site.html import HTML
from schema.pages.site.page_data import VARY
from schema.pages.site.page_queries import PageQueries, data_of
from schema.pages.site.page_request import PageRequest, address_of
from schema.pages.site.templates import environment
from schema.tables.formats import LICENCE_URL
from schema.telemetry.observer import Observer
from schema.telemetry.operation import current_operation
from tracker.errors import InvalidInput, NotFound

CACHE_SECONDS = 3600
MAX_PIXELS = 100_000
PIXELS = re.compile(r"[1-9][0-9]{0,4}")


def max_pixels(parameters: Mapping[str, str], name: str) -> int:
    """Return a limit of a frame in pixels: `maxwidth` or `maxheight`. Raises InvalidInput."""
    text = parameters.get(name)
    if text is None:
        return MAX_PIXELS
    if PIXELS.fullmatch(text):
        return int(text)
    raise InvalidInput(f"expected a number of pixels below {MAX_PIXELS}", path=(name,))


def describe(
    page_request: PageRequest, part: str, shown: Mapping[str, Any], max_width: int, max_height: int
) -> dict[str, Any]:
    """Return the description of a part of a page."""
    origin, address = page_request.origin, page_request.address
    height = min(max_height, height_px(part, shown))
    return {
        "version": "1.0",
        "type": "rich",
        "title": shown["title"],
        "author_name": PRODUCT,
        "author_url": f"{origin}/about",
        "provider_name": PRODUCT,
        "provider_url": f"{origin}/",
        "cache_age": CACHE_SECONDS,
        "html": iframe(origin, address, part, shown["title"], height),
        "width": min(max_width, WIDTH_PX),
        "height": height,
    }


FRAMED_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors *"
)
FRAMED = {"Content-Security-Policy": FRAMED_POLICY, "Referrer-Policy": "same-origin"}
MAX_CACHE_BYTES = 8 * 1024 * 1024
MAX_URL_CHARACTERS = 4000


class EmbedRoute:
    """Handler of requests for parts of pages, without cookies."""

    def __init__(
        self,
        access_control: AccessControl,
        answers: ResponseCache,
        observer: Observer,
        pacing: PushPriority,
    ):
        self._access_control = access_control
        self._queries = PageQueries(access_control, answers)
        self._observer = observer
        self._pacing = pacing
        self.rendered = RenderedPages(MAX_CACHE_BYTES)

    @property
    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(f"{PREFIX}/{{part}}/{{page:path}}", self.respond),
            Route(OEMBED, self.describe),
        ]

    async def respond(self, request: Request) -> Response:
        """Return a part of a page; errors are documents that may be framed too."""
        answer = self._respond(without_cookies(request))
        return await messages.observe(self._observer, self._pacing, "page", request, answer)

    async def _respond(self, request: Request) -> Response:
        try:
            part, path = request.path_params["part"], f"/{request.path_params['page']}"
            page_request = await self._page_request(
                request, path, request.query_params.multi_items()
            )
            return await self._part(page_request, part)
        except Exception as error:
            problem = tracker_error(error)
        current_operation().note_error(problem.code)
        html = environment().get_template("embed/problem.html").render(problem=problem)
        headers = {**FRAMED, "Cache-Control": "no-store", **messages.advice(problem)}
        return Response(html, messages.STATUS.get(problem.code, 400), headers, HTML)

    async def _page_request(
        self, request: Request, path: str, pairs: list[tuple[str, str]]
    ) -> PageRequest:
        """Return the request for the page at a path, for the caller of this one."""
        client = await self._access_control.authenticate_request(request)
        current_operation().actor = client.caller.name
        page, in_path = page_at(path)
        address = small(address_of(page, path, in_path, pairs))
        address.require_record("a frame")
        return PageRequest(request, client, page, address, Session())

    async def _part(self, page_request: PageRequest, part: str) -> Response:
        key = (part, page_request.page.name, str(page_request.address), page_request.origin)
        page = await self._queries.rendered(
            page_request, self.rendered, key, partial(render, page_request, part)
        )
        current_operation().outcome = "ok"
        cached = self._queries.cache_control(page_request)
        return page.response(
            page_request.request, {**FRAMED, "Cache-Control": cached, "Vary": VARY}, HTML
        )

    @messages.errors_as_json
    async def describe(self, request: Request) -> Response:
        """Return the description of the page or of the part at an address of this site."""
        request = without_cookies(request)
        messages.check_parameters(request, ("url", "format", "maxwidth", "maxheight"))
        if request.query_params.get("format", "json") != "json":
            raise InvalidInput("expected json", code="FORMAT_NOT_OFFERED", path=("format",))
        limits = [max_pixels(request.query_params, name) for name in ("maxwidth", "maxheight")]
        origin = str(request.base_url).rstrip("/")
        part, path, pairs = read_url(request.query_params.get("url", ""), origin)
        page_request = await self._page_request(request, path, pairs)
        data = data_of(await self._queries.answer(page_request))
        async with self._queries.query_slot(page_request):
            shown = await asyncio.to_thread(page_request.page.view, data, page_request.address)
        part = chosen_part(part, shown)
        return messages.json_response(
            describe(page_request, part, shown, *limits),
            Cache_Control=self._queries.cache_control(page_request),
            Vary=VARY,
        )


def without_cookies(request: Request) -> Request:
    """Return a request without its cookies."""
    headers = [(name, value) for name, value in request.scope["headers"] if name != b"cookie"]
    return Request({**request.scope, "headers": headers}, request.receive)


def read_url(url: str, origin: str) -> tuple[str | None, str, list[tuple[str, str]]]:
    """Return the part, if any, the path and the parameters of an address of this site.

    Raises InvalidInput and NotFound.
    """
    if not url or len(url) > MAX_URL_CHARACTERS:
        raise InvalidInput(
            f"expected the address of a page, of at most {MAX_URL_CHARACTERS} characters",
            path=("url",),
        )
    try:
        split = urlsplit(url)
        host = f"{split.scheme}://{split.netloc}"
    except ValueError:
        host = ""
    if host != origin:
        raise NotFound(f"expected an address of {origin}", path=("url",))
    part, path = framed_path(unquote(split.path) or "/")
    return part, path, parse_qsl(split.query, keep_blank_values=True)


def chosen_part(part: str | None, shown: Mapping[str, Any]) -> str:
    """Return a part that a page has. Raises NotFound for others."""
    parts = parts_of(shown)
    if (chosen := part or next(iter(parts), "")) in parts:
        return chosen
    if not parts:
        raise NotFound(
            "expected a page with an answer or a chart: this page has none", path=("part",)
        )
    raise NotFound(f"no part {part!r}: expected one of {', '.join(parts)}", path=("part",))


def render(page_request: PageRequest, part: str, data: Mapping[str, Any]) -> str:
    """Return the HTML of a part of a page. Raises NotFound."""
    page, address = page_request.page, page_request.address
    shown = page.view(data, address)
    chosen_part(part, shown)
    template = environment().get_template("embed/embed.html")
    return template.render(
        frame=frame(page, address, data, shown, page_request.origin),
        origin=page_request.origin,
        part=part,
        shown=shown,
        product=PRODUCT,
        licence=LICENCE_URL,
        address=address,
    )
