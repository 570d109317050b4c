"""All pages, and their routes."""

from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from re import Pattern

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, compile_path

from schema.http.messages import accepted_words
from schema.pages.about import about
from schema.pages.alliances import alliance, alliances
from schema.pages.announcements import announcement, announcements
from schema.pages.changes import changes
from schema.pages.check import check
from schema.pages.commodities import commodities, commodity
from schema.pages.controls import control, controls
from schema.pages.coverage import coverage
from schema.pages.dependence import commodity_dependence, place_dependence
from schema.pages.events import event, events, facts
from schema.pages.figures import figure, figures
from schema.pages.obligations import obligations
from schema.pages.overview import overview
from schema.pages.places import place, places
from schema.pages.search import search
from schema.pages.site.page import Page
from schema.pages.site.page_data import MEDIA_TYPES
from schema.pages.site.route import PageRoute
from schema.pages.site.static_files import static_file
from schema.pages.sources import source, sources
from schema.pages.story import story
from schema.pages.tariffs import tariff_line
from schema.pages.upcoming import upcoming
from tracker.errors import NotFound

PAGES: tuple[Page, ...] = (
    about.PAGE,
    alliances.PAGE,
    alliance.PAGE,
    announcements.PAGE,
    announcement.PAGE,
    changes.PAGE,
    check.PAGE,
    commodities.PAGE,
    commodity.PAGE,
    commodity_dependence.PAGE,
    controls.PAGE,
    control.PAGE,
    coverage.PAGE,
    figures.PAGE,
    figure.PAGE,
    obligations.PAGE,
    overview.PAGE,
    places.PAGE,
    place.PAGE,
    place_dependence.PAGE,
    events.PAGE,
    event.PAGE,
    facts.PAGE,
    search.PAGE,
    sources.PAGE,
    source.PAGE,
    story.PAGE,
    tariff_line.PAGE,
    upcoming.PAGE,
)


def page_at(path: str) -> tuple[Page, dict[str, str]]:
    """Return the page at a path, with the parameters in the path. Raises NotFound."""
    for pattern, page in _patterns():
        if match := pattern.match(path):
            return page, match.groupdict()
    raise NotFound(f"no page at {path[:200]}", path=("page",))


@cache
def _patterns() -> list[tuple[Pattern[str], Page]]:
    return [(compile_path(page.path)[0], page) for page in PAGES]


class EndingConvertor(Convertor[str]):
    """Converter for the ending of an address at which a page is data."""

    regex = "|".join(MEDIA_TYPES)

    def convert(self, value: str) -> str:
        """Return the ending unchanged."""
        return value

    def to_string(self, value: str) -> str:
        """Return the ending unchanged."""
        return value


register_url_convertor("ending", EndingConvertor())


Endpoint = Callable[[Request], Awaitable[Response]]


def page_routes(pages: PageRoute, others: Mapping[str, Endpoint]) -> list[Route]:
    """Return the routes of all pages: as data, and as HTML.

    At some paths, clients that do not request HTML first get `others`.
    """
    routes = [Route("/static/{edition}/{name}", static_file)]
    for page in PAGES:
        data_path = f"{'/index' if page.path == '/' else page.path}.{{ending:ending}}"
        as_page = _as_page(pages, page)
        if other := others.get(page.path):
            as_page = for_browsers(as_page, other)
        routes.append(Route(data_path, _as_data(pages, page)))
        routes.append(Route(page.path, as_page))
    return routes


def wants_html(accept: str) -> bool:
    """Return whether a client names HTML first, as a browser does that opens a page."""
    return next(iter(accepted_words(accept)), "") in ("text/html", "application/xhtml+xml")


def for_browsers(as_page: Endpoint, other: Endpoint) -> Endpoint:
    """Return a route that answers browsers with a page, and programs otherwise."""

    async def answer(request: Request) -> Response:
        respond = as_page if wants_html(request.headers.get("accept", "")) else other
        return await respond(request)

    return answer


def _as_page(pages: PageRoute, page: Page) -> Endpoint:
    async def answer(request: Request) -> Response:
        return await pages.respond(page, request)

    return answer


def _as_data(pages: PageRoute, page: Page) -> Endpoint:
    async def answer(request: Request) -> Response:
        return await pages.respond(page, request, request.path_params.pop("ending"))

    return answer
