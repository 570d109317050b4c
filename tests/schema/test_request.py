"""Layers between the web server and GraphQL: low cost, no changes."""

from collections.abc import Iterable
from typing import Any

import httpx2
import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from projections.lru_cache import lru_cache_short_keys
from schema.http.cross_site import EXPOSED_HEADERS, REQUEST_HEADERS, Cors, TrustedHosts
from schema.http.messages import read_body
from schema.services import Access, Services
from tests.support.api import Api
from tests.support.cases import each_case
from tracker.errors import TooLarge


def incoming(*messages: Message) -> Request:
    """Return a request with a body in these messages."""
    coming = iter(messages)

    async def receive() -> Message:
        return next(coming)

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


def pieces(*bodies: bytes) -> Iterable[Message]:
    """Return a body in pieces."""
    return [
        {"type": "http.request", "body": body, "more_body": more}
        for more, body in zip([True] * (len(bodies) - 1) + [False], bodies, strict=True)
    ]


async def test_a_body_is_read_in_its_pieces_and_no_further_than_the_limit() -> None:
    assert await read_body(incoming(*pieces(b"{", b"", b"}")), 2) == b"{}"
    assert await read_body(incoming({"type": "http.request"}), 2) == b""
    with pytest.raises(TooLarge):
        await read_body(incoming(*pieces(b"12", b"3", b"not asked for")), 2)


async def test_a_client_that_leaves_while_sending_is_disconnected() -> None:
    with pytest.raises(ClientDisconnect):
        await read_body(incoming(*list(pieces(b"{", b""))[:1], {"type": "http.disconnect"}), 2)


def test_nothing_is_kept_of_long_texts_and_of_short_ones_the_last() -> None:
    looked: list[str] = []

    def length(text: str) -> int:
        looked.append(text)
        return len(text)

    found = lru_cache_short_keys(length, max_entries=2, max_length=3)
    for text in ("a", "a", "long", "long", "b", "c", "a"):
        assert found(text) == len(text)
    assert looked == ["a", "long", "long", "b", "c", "a"]


async def test_methods_that_graphql_does_not_know_are_said_so(services: Services) -> None:
    response = await Api(services).request("DELETE", "/graphql")
    assert response.status_code == 405
    assert set(response.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}


async def test_the_same_address_asks_what_it_says_each_time(services: Services) -> None:
    api = Api(services)
    for _ in range(2):
        answers = [
            (await api.request("GET", f"/graphql?query={query}")).json()
            for query in (
                'query($p:Position!){asOf(position:$p){position}}%26variables={"p":"0"}'.replace(
                    "%26", "&"
                ),
                "{head}",
                "{head}&variables=[1]",
                "",
            )
        ]
        assert [list(answer) for answer in answers] == [
            ["data", "extensions"],
            ["data"],
            ["errors"],
            ["errors"],
        ]


# --- other origins


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond with the headers in its state."""
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [
                (b"x-a", b"1"),
                *([(b"vary", b"Accept")] if scope["path"] == "/varied" else []),
            ],
        }
    )
    await send({"type": "http.response.body"})


async def headers(app: ASGIApp, path: str, sent: dict[str, str]) -> dict[str, str]:
    """Return the headers of a response."""
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app)) as client:
        return dict((await client.get(f"http://localhost{path}", headers=sent)).headers)


@each_case("path", ["/", "/varied"])
@each_case(
    ("origin", "allowed"),
    [
        (None, None),
        ("https://web.example", "https://web.example"),
        ("https://evil.example", None),
        ("", None),
    ],
)
async def test_a_response_varies_with_its_origin_and_allows_those_that_are_listed(
    path: str, origin: str | None, allowed: str | None
) -> None:
    sent = {} if origin is None else {"Origin": origin}
    found = await headers(Cors(app, ["https://web.example"]), path, sent)
    assert found.get("access-control-allow-origin") == allowed
    assert found["vary"] == ("Accept, Origin" if path == "/varied" else "Origin")
    exposed = found.get("access-control-expose-headers", "")
    assert {*exposed.split(", ")} == ({*EXPOSED_HEADERS} if origin is not None else {""})


async def test_a_response_does_not_vary_where_no_other_page_may_read_it() -> None:
    assert "vary" not in await headers(Cors(app, []), "/", {"Origin": "https://web.example"})


@each_case("name", REQUEST_HEADERS)
async def test_pages_may_send_what_clients_need(services: Services, name: str) -> None:
    api = Api(services, Access(origins=("https://web.example",)))
    asked = {
        "Origin": "https://web.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": name.lower(),
    }
    response = await api.request("OPTIONS", "/graphql", headers=asked)
    assert response.status_code == 200
    assert name in response.headers["access-control-allow-headers"].split(", ")


async def test_an_answer_says_to_whom_it_may_be_shown(services: Services) -> None:
    api = Api(services, Access(origins=("https://web.example",)))
    for origin, expected in (
        ("https://web.example", "https://web.example"),
        ("https://evil.example", None),
    ) * 2:
        response = await api.request(
            "POST", "/graphql", json={"query": "{ head }"}, headers={"Origin": origin}
        )
        assert response.headers.get("access-control-allow-origin") == expected
        assert response.headers["vary"] == "Accept, Accept-Encoding, Authorization, Prefer, Origin"


@each_case("name", ["evil.example", f"{'evil.' * 100}example"])
async def test_a_name_is_refused_each_time(name: str) -> None:
    sent: list[Any] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    hosts = TrustedHosts(app, ["ours.example"])
    for _ in range(2):
        await hosts(
            {"type": "http", "path": "/", "headers": [(b"host", name.encode())]}, receive, send
        )
        assert (sent[0]["status"], len(sent)) == (421, 2)
        sent.clear()
