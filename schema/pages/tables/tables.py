"""`/tables` for browsers: every table with its columns and files."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from schema.http.authentication import Client
from schema.metadata.facts import Site, title
from schema.metadata.linked_data import script, whole_catalog
from schema.pages.site.address import Address
from schema.pages.site.html import around, html_response, session
from schema.pages.site.plain import query_parameters
from schema.tables.formats import FORMATS
from schema.tables.table import tables
from tracker.auth.scopes import Scope

PATH = "/tables"


class TablesPage:
    """The page of the tables, with the catalogue for search engines."""

    def __init__(self, site: Callable[[Request, Client], Awaitable[Site]]):
        self._site = site

    async def respond(self, request: Request, client: Client) -> Response:
        """Return the page, for callers who may read."""
        client.caller.require(Scope.READ)
        query_parameters(request, ())
        site = await self._site(request, client)
        shown = {
            **around(Address(PATH), None, session(client)),
            "title": "Tables",
            "description": "All tables as CSV, JSON, XLSX and Parquet, with their columns.",
            "tables": tables().values(),
            "title_of": title,
            "file_url": site.file_url,
            "formats": [*FORMATS],
            "linked_data": script(whole_catalog(site)),
        }
        return html_response("tables/tables.html", shown, headers={"Vary": "Accept"})
