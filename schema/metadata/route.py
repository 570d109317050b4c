"""Routes for catalogues, search engines and browsers."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schema.http.authentication import AccessControl, Client
from schema.http.messages import SHORTER, check_parameters, errors_as_json
from schema.metadata.catalogue import catalogue
from schema.metadata.croissant import croissant
from schema.metadata.data_package import data_package
from schema.metadata.facts import Site
from schema.metadata.plain_files import llms, open_search, robots, security
from schema.metadata.sitemap import PagePaths, Sitemaps
from schema.services import Access, Services
from schema.tables.rows import TableReader
from tracker.clock import now
from tracker.errors import NotFound

LINKED_DATA = "application/ld+json"
TEXT = "text/plain; charset=utf-8"
XML = "application/xml; charset=utf-8"
SITEMAP_SECONDS = 600
"""Seconds for which sitemaps are cached, because they read the last event of every entity."""
MAX_CACHED_DOCUMENTS = 64


class MetadataRoute:
    """Handler of requests for descriptions of the data."""

    def __init__(
        self,
        services: Services,
        access: Access,
        access_control: AccessControl,
        paths: PagePaths,
        restricted: Sequence[str],
    ):
        """Create the routes; `paths` are those of pages, `restricted` those of forms."""
        self._services = services
        self._access = access
        self._access_control = access_control
        self._restricted = restricted
        self._sitemaps = Sitemaps(services.as_of.last_events, paths)
        self._documents: dict[tuple[str, str], tuple[float, str]] = {}
        self._lock = asyncio.Lock()

    @property
    def routes(self) -> list[Route]:
        """Return the routes."""
        answers = {
            "/catalog.jsonld": self.catalogue,
            "/croissant.json": self.croissant,
            "/datapackage.json": self.data_package,
            "/sitemap.xml": self.sitemap_index,
            "/sitemaps/{part}": self.sitemap,
            "/robots.txt": self.robots,
            "/llms.txt": self.llms,
            "/.well-known/security.txt": self.security,
            "/opensearch.xml": self.open_search,
        }
        return [Route(path, answer, middleware=[SHORTER]) for path, answer in answers.items()]

    async def site(self, request: Request, client: Client) -> Site:
        """Return the site of a request, with the present moment of its data."""
        reader = TableReader(
            self._services,
            self._access,
            client.caller,
            lambda: self._access_control.work_slot(client),
        )
        moment = await reader.moment(None, None, None)
        return Site(
            origin_of(request),
            moment.valid_at,
            moment.position,
            moment.known_at,
            self._access.read_open,
        )

    @errors_as_json
    async def catalogue(self, request: Request) -> Response:
        """Return the catalogue of the tables by DCAT-AP."""
        return await self._linked_data(request, catalogue)

    @errors_as_json
    async def croissant(self, request: Request) -> Response:
        """Return the description of the tables by Croissant."""
        return await self._linked_data(request, croissant)

    @errors_as_json
    async def data_package(self, request: Request) -> Response:
        """Return the description of the tables as a data package."""
        return await self._linked_data(request, data_package, "application/json")

    async def _linked_data(
        self,
        request: Request,
        describe: Callable[[Site], dict[str, object]],
        media_type: str = LINKED_DATA,
    ) -> Response:
        check_parameters(request, ())
        client = await self._access_control.authenticate_request(request)
        described = describe(await self.site(request, client))
        return Response(orjson.dumps(described), 200, self._headers(request), media_type)

    @errors_as_json
    async def sitemap_index(self, request: Request) -> Response:
        """Return the index of the sitemaps."""
        return await self._sitemap(request, "", self._sitemaps.index)

    @errors_as_json
    async def sitemap(self, request: Request) -> Response:
        """Return a part of the sitemaps."""
        part = request.path_params["part"]
        return await self._sitemap(request, part, lambda origin: self._sitemaps.part(origin, part))

    async def _sitemap(
        self, request: Request, part: str, make: Callable[[str], Awaitable[str]]
    ) -> Response:
        """Return a sitemap from the cache, or make it: one at a time."""
        check_parameters(request, ())
        client = await self._access_control.authenticate_request(request)
        key = (origin_of(request), part)
        async with self._access_control.work_slot(client), self._lock:
            expires, text = self._documents.get(key, (0.0, ""))
            if expires <= time.monotonic():
                text = await make(key[0])
                while len(self._documents) >= MAX_CACHED_DOCUMENTS:
                    del self._documents[next(iter(self._documents))]
                self._documents[key] = (time.monotonic() + SITEMAP_SECONDS, text)
        return Response(text, 200, self._headers(request), XML)

    @errors_as_json
    async def robots(self, request: Request) -> Response:
        """Return the rules for crawlers."""
        text = robots(origin_of(request), self._restricted, public=self._access.read_open)
        return Response(text, media_type=TEXT)

    @errors_as_json
    async def llms(self, request: Request) -> Response:
        """Return the guide for language models."""
        return Response(llms(origin_of(request)), media_type=TEXT)

    @errors_as_json
    async def security(self, request: Request) -> Response:
        """Return the contact for reports of vulnerabilities. Raises NotFound."""
        if not (contact := self._access.security_contact):
            raise NotFound("this server states no contact (TRACKER_SECURITY_CONTACT)")
        return Response(security(origin_of(request), contact, now()), media_type=TEXT)

    @errors_as_json
    async def open_search(self, request: Request) -> Response:
        """Return the description of the search for browsers."""
        type = "application/opensearchdescription+xml; charset=utf-8"
        return Response(open_search(origin_of(request)), media_type=type)

    def _headers(self, request: Request) -> dict[str, str]:
        shared = "public" if self._access_control.is_shared(request) else "private"
        return {"Cache-Control": f"{shared}, max-age=600", "Vary": "Authorization, Cookie"}


def origin_of(request: Request) -> str:
    """Return the scheme and host of a request."""
    return str(request.base_url).rstrip("/")
