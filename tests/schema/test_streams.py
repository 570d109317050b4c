"""Streamed GraphQL responses over HTTP: server-sent events, and multipart."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from deploy.bootstrap import open_connection
from deploy.web.server import Server
from schema.http import streaming
from schema.http.response_format import MULTIPART, SSE, STREAM_FORMATS
from schema.services import Access, Services
from tests.support.api import announce, control, document
from tests.support.stream_client import APOLLO, asking, client_of, followers
from tests.support.time_limits import within
from tests.support.tokens import token
from tests.support.web_server import serving
from tests.support.websocket_client import EVENTS
from tracker.auth import tokens
from tracker.auth.scopes import Scope
from tracker.postgres.database import OWNER, Target

ACCEPTS = [SSE, APOLLO]


@pytest.fixture
async def client(
    running: tuple[str, Server, asyncio.Task[None]],
) -> AsyncIterator[httpx2.AsyncClient]:
    """Open a client of the server."""
    async with client_of(running[0]) as client:
        yield client


@pytest.mark.parametrize("get", [False, True])
@pytest.mark.parametrize("accept", ACCEPTS)
async def test_a_subscriber_gets_what_was_and_what_comes(
    services: Services, client: httpx2.AsyncClient, accept: str, get: bool
) -> None:
    await announce(services, "a", "b")
    async with asking(client, accept, EVENTS, get=get, after="1") as pieces:
        assert (await pieces.next())["data"]["events"]["eventId"] == "b"
        await announce(services, "c")
        assert (await pieces.next())["data"]["events"]["eventId"] == "c"
        assert [id.partition("-")[0] for id in pieces.ids] == (["2", "3"] if accept == SSE else [])
        assert pieces.response.headers["cache-control"] == "no-store"
        assert pieces.response.headers["vary"] == "Accept"
        assert (
            pieces.response.headers["content-type"]
            == STREAM_FORMATS[accept.partition(";")[0]].media_type
        )


@pytest.mark.parametrize("accept", ACCEPTS)
async def test_queries_and_mutations_have_one_answer_and_complete(
    client: httpx2.AsyncClient, accept: str
) -> None:
    async with asking(client, accept, "{ head }", get=True) as pieces:
        assert [await pieces.next() for _ in "ab"] == [{"data": {"head": "0"}}, "complete"]
    async with asking(client, accept, document("announceExportControl"), input=control()) as pieces:
        data = (await pieces.next())["data"]
        assert data["announceExportControl"]["position"] == "1"
        assert await pieces.next() == "complete"
        assert await pieces.next() == "end"


@pytest.mark.parametrize("accept", ACCEPTS)
@pytest.mark.parametrize(
    ("query", "variables", "code", "path"),
    [
        ("{", {}, "GRAPHQL_PARSE_FAILED", None),
        ("", {}, "BAD_REQUEST", ["query"]),
        ("query a { head } query b { head }", {}, "BAD_REQUEST", ["operationName"]),
        ("subscription { nothing }", {}, "GRAPHQL_VALIDATION_FAILED", None),
        (EVENTS, {"after": "x"}, "INVALID_POSITION", ["after"]),
        ("mutation { orderPublishers }", {}, "GRAPHQL_VALIDATION_FAILED", None),
    ],
)
async def test_errors_of_a_document_come_as_an_answer(
    client: httpx2.AsyncClient,
    accept: str,
    query: str,
    variables: dict[str, Any],
    code: str,
    path: list[str] | None,
) -> None:
    async with asking(client, accept, query, **variables) as pieces:
        errors = (await pieces.next())["errors"]
        assert {error["extensions"]["code"] for error in errors} == {code}
        assert errors[0]["extensions"].get("path") == path
        assert await pieces.next() == "complete"


@pytest.mark.parametrize("accept", ACCEPTS)
async def test_no_link_can_write(
    services: Services, client: httpx2.AsyncClient, accept: str
) -> None:
    mutation = document("announceExportControl")
    async with asking(client, accept, mutation, get=True, input=control()) as pieces:
        [error] = (await pieces.next())["errors"]
        assert error["extensions"] == {"code": "OPERATION_NOT_ALLOWED"}
    assert await services.recorder.head() == 0


@pytest.mark.parametrize(
    ("accept", "streamed"),
    [
        ("application/graphql-response+json, application/json, text/event-stream", False),  # urql
        ("multipart/mixed;deferSpec=20220824, application/json", False),
        ("multipart/mixed;subscriptionSpec=2.0", False),
        ("*/*", False),
        ("text/event-stream, multipart/mixed", True),
        ("TEXT/Event-Stream; charset=utf-8", True),
        ('multipart/mixed; subscriptionSpec="1.0", application/json', True),
    ],
)
async def test_the_first_type_decides(
    client: httpx2.AsyncClient, accept: str, streamed: bool
) -> None:
    response = await client.post("/graphql", json={"query": "{ head }"}, headers={"Accept": accept})
    assert response.headers["content-type"].startswith((SSE, MULTIPART)) is streamed
    if not streamed:
        refused = await client.post("/graphql", json={"query": EVENTS}, headers={"Accept": accept})
        assert SSE in refused.json()["errors"][0]["message"]


async def test_a_browser_that_comes_back_misses_nothing(
    services: Services, client: httpx2.AsyncClient
) -> None:
    await announce(services, *"abcde")
    for last, expected in (("2", "3"), ("", "1")):
        async with asking(
            client, SSE, EVENTS, get=True, after="0", headers={"Last-Event-ID": last}
        ) as pieces:
            assert (await pieces.next())["data"]["events"]["position"] == expected
    response = await client.post(
        "/graphql", json={"query": EVENTS}, headers={"Accept": SSE, "Last-Event-ID": "x"}
    )
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"] == {
        "code": "INVALID_POSITION",
        "path": ["Last-Event-ID"],
    }


async def test_a_resume_token_is_an_id_whatever_is_selected(
    services: Services, client: httpx2.AsyncClient
) -> None:
    await announce(services, "a")
    query = 'subscription { new: events(after: "0") { type } }'
    async with asking(client, SSE, query) as pieces:
        assert await pieces.next() == {"data": {"new": {"type": "ExportControl.Announced"}}}
        [event] = await services.recorder.read()
        assert pieces.ids == [str(event.resume_token)]


@pytest.mark.parametrize("accept", ACCEPTS)
async def test_silence_has_heartbeats(
    client: httpx2.AsyncClient, accept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "HEARTBEAT_SECONDS", 0.05)
    async with asking(client, accept, EVENTS) as pieces:
        iterator = aiter(pieces)
        assert [await anext(iterator) for _ in range(4)] == [None] * 4


@pytest.mark.parametrize("accept", ACCEPTS)
async def test_a_client_that_disconnects_is_no_longer_followed(
    services: Services, client: httpx2.AsyncClient, accept: str
) -> None:
    async with asking(client, accept, EVENTS):
        await followers(services.follower, 1)
    await followers(services.follower, 0)  # long before a heartbeat would find out


@pytest.mark.parametrize("accept", ACCEPTS)
async def test_when_the_server_stops_clients_know_that_it_is_not_the_end(
    client: httpx2.AsyncClient,
    accept: str,
    running: tuple[str, Server, asyncio.Task[None]],
    services: Services,
) -> None:
    async with asking(client, accept, EVENTS) as pieces:
        await followers(services.follower, 1)
        running[1].should_exit = True
        ended = await pieces.next()
        if accept == SSE:
            assert ended == "end"  # without `complete`, so that browsers and graphql-sse reconnect
        else:
            assert ended["payload"] is None
            assert ended["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
            assert await pieces.next() == "complete"


@pytest.mark.parametrize("accept", ACCEPTS)
async def test_a_client_has_so_many_subscriptions(services: Services, accept: str) -> None:
    async with (
        serving(services, Access(operations=1)) as (address, *_),
        client_of(address) as client,
    ):
        async with asking(client, accept, EVENTS):
            response = await client.post(
                "/graphql", json={"query": EVENTS}, headers={"Accept": accept}
            )
            assert response.status_code == 429
            [error] = response.json()["errors"]
            assert error["extensions"]["code"] == "TOO_MANY_OPERATIONS"
        async with asyncio.timeout(within(5)):
            while response.status_code == 429:
                response = await client.post(
                    "/graphql", json={"query": "{ head }"}, headers={"Accept": accept}
                )
        assert b'{"data":{"head":"0"}}' in response.content


async def test_refused_connections_get_a_status(services: Services) -> None:
    closed = Access(read_open=False, rate=1)
    async with serving(services, closed) as (address, *_), client_of(address) as client:
        statuses = [
            (
                await client.post(
                    "/graphql",
                    json={"query": EVENTS},
                    headers={"Accept": SSE, "Authorization": "Bearer x"},
                )
            ).status_code
            for _ in range(3)
        ]
    assert statuses == [401, 401, 429]


@pytest.mark.parametrize("accept", ACCEPTS)
async def test_a_stream_ends_when_its_token_does(
    services: Services, target: Target, accept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "CACHE_SECONDS", 0.05)
    secret = await token(target, Scope.READ)
    held = {"Authorization": f"Bearer {secret}"}
    async with (
        serving(services, Access(read_open=False)) as (address, *_),
        client_of(address) as client,
        asking(client, accept, EVENTS, headers=held) as pieces,
        open_connection(target, role=OWNER) as owner,
    ):
        await followers(services.follower, 1)
        await tokens.revoke(owner, 1)
        ended = await pieces.next()
        assert ended == "end" if accept == SSE else ended["payload"] is None
        await followers(services.follower, 0)
