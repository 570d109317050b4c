"""`/docs`: all documents, with a search; `/docs/NAME`: one document or type of the schema."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from functools import cache, partial
from importlib.metadata import version
from typing import TYPE_CHECKING

import msgspec
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from schema.execution.schema import CORE_SCHEMA
from schema.http.authentication import Client
from schema.pages.docs.documents import PICTURES, Pages, directory, pages
from schema.pages.docs.search import Result, SearchIndex
from schema.pages.site.address import Address
from schema.pages.site.html import GUARDS, around, html_response, session
from schema.pages.site.plain import PlainPages, query_parameters
from schema.tables.openapi import PRODUCT
from tracker.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from schema.pages.docs.markdown import RenderedMarkdown

PATH = "/docs"
VERSION = version(PRODUCT)
PICTURE = re.compile(r"[a-z0-9-]+\.(png|jpeg)")
MAX_QUERY_CHARACTERS = 200
FRESH = {"Cache-Control": "private, no-cache", "Vary": "Cookie"}
"""Documents change with the server, and the footer depends on the session."""
KEPT = {"Cache-Control": "public, max-age=600"}


def routes(plain: PlainPages, *, with_types: bool) -> Sequence[Route]:
    """Return the routes. They are open to everyone, because documents contain nothing of the log."""
    return [
        plain.route(PATH, partial(contents, with_types)),
        plain.route(f"{PATH}/screens/{{file}}", picture),
        plain.route(f"{PATH}/{{name:path}}", partial(document, with_types)),
    ]


@cache
def all_pages(with_types: bool) -> Pages:
    """Return the pages of all documents, and of the types of the schema if callers may read it."""
    from schema.pages.docs.types import type_pages  # here, as it would delay every start

    types = type_pages(CORE_SCHEMA).sources if with_types else {}
    return Pages({**pages().sources, **types})


@cache
def introductions(with_types: bool) -> Mapping[str, RenderedMarkdown]:
    """Return the introductions of all documents, without those of single types."""
    documents = all_pages(with_types)
    listed = (name for name in documents if not name.startswith("types/"))
    return {name: documents.introduction(name) for name in listed}


def sections(*, with_types: bool) -> Sequence[Mapping[str, str]]:
    """Return the sections of all documents, for a search without a server."""
    return [
        {"name": name, "title": page.title, **msgspec.to_builtins(section)}
        for name, page in all_pages(with_types).items()
        for section in page.sections
    ]


@cache
def search_index(with_types: bool) -> SearchIndex:
    """Return the index of all documents."""
    return SearchIndex(all_pages(with_types))


def find_sections(query: str, with_types: bool) -> Sequence[Result]:
    """Return the matching sections of all documents."""
    return search_index(with_types).find(query)


async def contents(with_types: bool, request: Request, client: Client) -> Response:
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
        results=await asyncio.to_thread(find_sections, query, with_types) if query else None,
        documents=await asyncio.to_thread(introductions, with_types),
    )


async def document(with_types: bool, request: Request, client: Client) -> Response:
    """Return a document, or lead to it from the path of its file or its version. Raises NotFound."""
    query_parameters(request, ())
    name = request.path_params["name"]
    documents = await asyncio.to_thread(all_pages, with_types)
    if name not in documents:
        sought = name.lower().removeprefix(VERSION).strip("/").removesuffix(".md")
        for each in ("", *documents):
            if each.lower() == sought:
                return RedirectResponse(f"{PATH}/{each}".rstrip("/"), 308)
        raise NotFound(
            f"{name[:50]!r} is not a document of version {VERSION}: {PATH} has a list of all",
            path=("name",),
        )
    shown = await asyncio.to_thread(documents.__getitem__, name)
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
    return html_response(template, {**everywhere, "version": VERSION, **shown}, headers=FRESH)
