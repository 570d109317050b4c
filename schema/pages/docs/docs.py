"""`/docs`: all documents, with a search; `/docs/NAME`: one document."""

import asyncio
import re
from collections.abc import Sequence
from functools import cache

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from schema.http.authentication import Client
from schema.pages.docs.documents import PICTURES, directory, pages
from schema.pages.docs.search import Result, SearchIndex
from schema.pages.site.address import Address
from schema.pages.site.html import GUARDS, around, html_response, session
from schema.pages.site.plain import PlainPages, query_parameters
from tracker.errors import InvalidInput, NotFound

PATH = "/docs"
PICTURE = re.compile(r"[a-z0-9-]+\.(png|jpeg)")
MAX_QUERY_CHARACTERS = 200
FRESH = {"Cache-Control": "private, no-cache", "Vary": "Cookie"}
"""Documents change with the server, and the footer depends on the session."""
KEPT = {"Cache-Control": "public, max-age=600"}


def routes(plain: PlainPages) -> Sequence[Route]:
    """Return the routes. They are open to everyone, because documents contain nothing of the log."""
    return [
        plain.route(PATH, contents),
        plain.route(f"{PATH}/screens/{{file}}", picture),
        plain.route(f"{PATH}/{{name:path}}", document),
    ]


@cache
def search_index() -> SearchIndex:
    """Return the index of all documents."""
    return SearchIndex(pages())


def find_sections(query: str) -> Sequence[Result]:
    """Return the matching sections of all documents."""
    return search_index().find(query)


async def contents(request: Request, client: Client) -> Response:
    """Return the list of documents; with `q` the matching sections. Raises InvalidInput."""
    query = query_parameters(request, ("q",)).get("q", "").strip()
    if len(query) > MAX_QUERY_CHARACTERS:
        raise InvalidInput(
            f"expected at most {MAX_QUERY_CHARACTERS} letters", code="TOO_LARGE", path=("q",)
        )
    return _html(
        client,
        "docs/docs.html",
        PATH,
        title=f"Documentation: {query}" if query else "Documentation",
        question=query,
        results=await asyncio.to_thread(find_sections, query) if query else None,
        documents=await asyncio.to_thread(pages),
    )


async def document(request: Request, client: Client) -> Response:
    """Return a document. Raises NotFound."""
    query_parameters(request, ())
    name = request.path_params["name"]
    shown = (await asyncio.to_thread(pages)).get(name)
    if shown is None:
        raise NotFound(f"{name[:50]!r} is not a document: {PATH} has a list of all", path=("name",))
    return _html(
        client,
        "docs/document.html",
        f"{PATH}/{name}",
        title=shown.title,
        description=shown.description[:300],
        document=shown,
    )


async def picture(request: Request, client: Client) -> Response:
    """Return a picture of a document. Raises NotFound."""
    name = request.path_params["file"]
    path = directory() / PICTURES / name
    if not PICTURE.fullmatch(name) or not path.is_file():
        raise NotFound("expected a picture of a document", path=("file",))
    return FileResponse(path, headers={**GUARDS, **KEPT})


def _html(client: Client, template: str, path: str, **shown: object) -> Response:
    everywhere = around(Address(path), None, session(client))
    return html_response(template, {**everywhere, **shown}, headers=FRESH)
