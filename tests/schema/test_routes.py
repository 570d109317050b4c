"""Every route: its rights, as in the table of docs/access.md, and its headers."""

import asyncio
import gzip
import re
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from starlette.requests import Request
from starlette.routing import BaseRoute, Route, WebSocketRoute

from schema.app import create_app
from schema.http.rendered import fixed_response
from schema.http.response_format import SSE
from schema.services import Access, Services
from tests.support.api import OPEN, Api
from tests.support.fact_builders import announced
from tests.support.web_server import serving

ACCESS_GUIDE = Path(__file__).parents[2] / "docs" / "access.md"
TOKEN = "a-token"
CLOSED = Access(token=TOKEN, read_open=False, introspection=False)
ROWS = dict(
    re.findall(r"^\| `(/\S*)` \| (.+?) \|", ACCESS_GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
)
"""Rights by route for `TRACKER_READ=token`."""
EXAMPLES = {
    "/schemas/{type}": "/schemas/ExportControl.Suspended",
    "/schemas/{type}/{number:int}": "/schemas/ExportControl.Suspended/1",
    "/graphiql/{name}": "/graphiql/graphiql.min.css",
    "/log/checkpoint/{size}": "/log/checkpoint/1",
    "/log/tile/{tile:path}": "/log/tile/0/000.p/1",
    "/log/entries/{position}": "/log/entries/1",
    "/log/proof/{position}": "/log/proof/1",
    "/log/consistency/{old}": "/log/consistency/1",
    "/snapshots/{sha256}": f"/snapshots/{'0' * 64}",
    "/events": "/events?follow=false",
    "/tables/{file}": "/tables/controls.csv",
    "/alliances/{key}": "/alliances/quad",
    "/sources/{key}": "/sources/none",
    "/sources/{key}.csv": "/sources/none.csv",
    "/announcements/{key}": "/announcements/none",
    "/announcements/{key}.csv": "/announcements/none.csv",
    "/events/{event}": "/events/1",
    "/events/{event}.csv": "/events/1.json",
    "/alliances/{key}.csv": "/alliances/quad.csv",
    "/commodities/{key}": "/commodities/gallium",
    "/commodities/{key}.csv": "/commodities/gallium.csv",
    "/commodities/{key}/dependence": "/commodities/gallium/dependence",
    "/commodities/{key}/dependence.csv": "/commodities/gallium/dependence.csv",
    "/figures/{key:path}": "/figures/gallium/CN/production/primary/2023",
    "/figures/{key:path}.csv": "/figures/gallium/CN/production/primary/2023.csv",
    "/record/{command}": "/record/foundAlliance",
    "/endpoints/{name}": "/endpoints/none",
    "/review/{id}": "/review/1",
    "/review/{id}/edit": "/review/1/edit",
    "/places/{code}": "/places/CN",
    "/places/{code}.csv": "/places/CN.csv",
    "/places/{code}/dependence": "/places/US/dependence",
    "/places/{code}/dependence.csv": "/places/US/dependence.csv",
    "/tariffs/{place}/{code}": "/tariffs/us/81129210",
    "/tariffs/{place}/{code}.csv": "/tariffs/us/81129210.csv",
    "/graphql": "/graphql?query={head}",
    "/mcp/{tool}.receipt": "/mcp/controls.receipt",
    "/embed/{part}/{page:path}": "/embed/answer/places/CN",
    "/oembed": "/oembed?url=http://localhost/places/CN",
    "/sitemaps/{part}": "/sitemaps/pages-1.xml",
}


METHODS = {"/mcp": "POST", "/shipments.csv": "POST"}
"""Methods of routes other than GET."""
NEED_MORE = (
    "/schema.graphql",
    "/endpoints",
    "/endpoints/{name}",
    "/review",
    "/review/{id}",
    "/review/{id}/edit",
)
"""Routes with another scope than that of `TOKEN`, or without data in this installation."""


def row_of(route: str) -> str:
    """Return the row of a route; a page as data has the row of the page."""
    return route if route in ROWS else route.removesuffix(".csv")


def path_of(route: BaseRoute) -> str:
    """Return the path of a route."""
    assert isinstance(route, Route | WebSocketRoute)
    return route.path.replace("{ending:ending}", "csv")


async def test_every_route_is_in_the_table_and_follows_the_settings(services: Services) -> None:
    await services.commands.record("export-control/a", announced())
    api = Api(services, CLOSED)
    routes = {path_of(route) for route in create_app(services, CLOSED).routes}
    assert {row_of(route) for route in routes} == set(ROWS)
    for route in sorted(routes):
        path = EXAMPLES.get(route, route)
        method = METHODS.get(route, "GET")
        without = await api.request(method, path)
        wrong = await api.request(method, path, headers={"Authorization": "Bearer wrong"})
        right = await api.request(method, path, headers={"Authorization": f"Bearer {TOKEN}"})
        if ROWS[row_of(route)] == "everyone":
            assert 401 not in (without.status_code, wrong.status_code), route
        else:
            assert ROWS[row_of(route)] == "a token", route
            assert wrong.status_code == 401, route
            if without.status_code == 303:  # a page, which people sign in for
                assert without.headers["location"].startswith("/sign-in?next=/"), route
            else:
                assert without.status_code == 401, route
                assert without.headers["www-authenticate"] == "Bearer", route
            assert (right.status_code == 403) == (route in NEED_MORE), route
            assert right.status_code != 401, route


async def test_the_schema_is_told_where_introspection_is_on(services: Services) -> None:
    for access, status in ((OPEN, 200), (Access(introspection=False), 403)):
        found = await Api(services, access).request("GET", "/schema.graphql")
        assert found.status_code == status
        assert ("type Query" in found.text) == (status == 200)


# --- gzip


async def test_a_document_that_stays_is_made_once_for_all_who_ask_at_the_same_time() -> None:
    threads = []

    def make() -> str:
        threads.append(threading.current_thread())
        time.sleep(0.05)
        return "x" * 2000

    request = Request({"type": "http", "headers": [(b"accept-encoding", b"gzip")]})
    answers = await asyncio.gather(*(fixed_response(request, make, "text/plain") for _ in range(9)))
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()
    assert {gzip.decompress(bytes(answer.body)) for answer in answers} == {b"x" * 2000}


@pytest.fixture
async def client(services: Services) -> AsyncIterator[httpx2.AsyncClient]:
    """Open a client of a real server with some events."""
    for number in range(30):
        await services.commands.record(f"export-control/a{number}", announced(note="x" * 50))
    async with (
        serving(services, OPEN) as (address, *_),
        httpx2.AsyncClient(
            base_url=f"http://{address}", headers={"Accept-Encoding": "identity"}
        ) as client,
    ):
        yield client


LONG = "/graphql?query={events(first:30){nodes{data entity recordedAt}}}"


@pytest.mark.parametrize(
    "path",
    [
        LONG,
        "/schema.graphql",
        "/schemas",
        "/schemas/ExportControl.Announced",
        "/metrics",
        "/graphiql/graphiql.min.js",
    ],
)
async def test_long_answers_come_shorter_to_those_who_can_read_them(
    client: httpx2.AsyncClient, path: str
) -> None:
    plain = await client.get(path)
    assert "content-encoding" not in plain.headers
    for _ in range(2):
        async with client.stream("GET", path, headers={"Accept-Encoding": "br, gzip"}) as found:
            raw = b"".join([chunk async for chunk in found.aiter_raw()])
        assert found.headers["content-encoding"] == "gzip"
        assert len(raw) < len(plain.content) / 2
        assert path == "/metrics" or gzip.decompress(raw) == plain.content
        assert "Accept-Encoding" in found.headers["vary"]
        tags = [answer.headers.get("etag", "") for answer in (found, plain)]
        assert tags[0].replace("-gzip", "") == tags[1]  # strong tags differ by encoding
    refused = await client.get(path, headers={"Accept-Encoding": "gzip;q=0"})
    assert "content-encoding" not in refused.headers


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/graphql?query={head}", "*/*"),
        ("/healthz", "*/*"),
        ("/graphql?query=query{events(first:30){nodes{data}}}", SSE),
    ],
)
async def test_short_answers_and_streams_come_as_they_are(
    client: httpx2.AsyncClient, path: str, accept: str
) -> None:
    found = await client.get(path, headers={"Accept-Encoding": "gzip", "Accept": accept})
    assert (found.status_code, found.headers.get("content-encoding")) == (200, None)


async def test_a_client_that_has_an_answer_in_one_encoding_has_it_in_all(
    client: httpx2.AsyncClient,
) -> None:
    tag = (await client.get(LONG, headers={"Accept-Encoding": "gzip"})).headers["etag"]
    for encoding in ("gzip", "identity"):
        again = await client.get(LONG, headers={"Accept-Encoding": encoding, "If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
        assert "Accept-Encoding" in again.headers["vary"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/graphql?query={head}", 200),
        ("GET", "/graphql?query={nothing}", 200),
        ("POST", "/graphql", 415),
        ("GET", "/", 200),
        ("GET", "/nothing", 404),
        ("GET", "/events", 406),
        ("PUT", "/graphql", 405),
        ("OPTIONS", "/graphql", 405),
        ("GET", "/log/checkpoint", 404),
        ("GET", "/schema.graphql", 200),
        ("GET", "/graphiql/graphiql.min.css", 200),
    ],
)
async def test_no_browser_guesses_what_an_answer_is(
    client: httpx2.AsyncClient, method: str, path: str, status: int
) -> None:
    accept = "image/png" if path == "/events" else "*/*"
    found = await client.request(method, path, headers={"Accept": accept})
    assert found.status_code == status
    assert found.headers.get_list("x-content-type-options") == ["nosniff"]
