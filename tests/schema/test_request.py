"""What stands between the web server and GraphQL: it costs little, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import httpx
import pytest
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from projections.lru_cache import lru_cache_short_keys
from schema.execution.admission import MAX_BODY_BYTES
from schema.http.cors import READ, SENT, Cors
from schema.http.request import Incoming
from schema.http.trusted_hosts import Hosts
from schema.services import Access, Services
from tests.support.api import Api
from tracker.errors import TooLarge

Headers = list[tuple[bytes, bytes]]


def incoming(headers: Headers, *messages: Message) -> Incoming:
    """A request, whose body comes in these messages."""
    coming = iter(messages)

    async def receive() -> Message:
        return next(coming)

    return Incoming({"type": "http", "method": "POST", "headers": headers}, receive)


def pieces(*bodies: bytes) -> Iterable[Message]:
    """A body in pieces."""
    return [
        {"type": "http.request", "body": body, "more_body": more}
        for more, body in zip([True] * (len(bodies) - 1) + [False], bodies, strict=True)
    ]


def test_of_headers_of_one_name_the_first_counts() -> None:
    request = incoming([(b"accept", b"a"), (b"x", "é".encode("latin-1")), (b"accept", b"b")])
    assert [request.header(name) for name in (b"accept", b"x", b"none")] == ["a", "é", ""]
    assert [b"accept" in request, b"none" in request] == [True, False]
    assert request.headers["accept"] == "a"
    assert request.address is None


async def test_a_body_is_read_in_its_pieces_and_no_further_than_the_limit() -> None:
    assert await incoming([], *pieces(b"{", b"", b"}")).body() == b"{}"
    assert await incoming([], {"type": "http.request"}).body() == b""
    most = incoming([], *pieces(bytes(MAX_BODY_BYTES)))
    assert len(await most.body()) == MAX_BODY_BYTES
    with pytest.raises(TooLarge):
        await incoming([], *pieces(bytes(MAX_BODY_BYTES), b"x", b"not asked for")).body()


async def test_who_goes_while_sending_has_gone() -> None:
    with pytest.raises(ClientDisconnect):
        await incoming([], *list(pieces(b"{", b""))[:1], {"type": "http.disconnect"}).body()


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
    """Answers with the headers that its state has."""
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
    """The headers of an answer."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        return dict((await client.get(f"http://localhost{path}", headers=sent)).headers)


@pytest.mark.parametrize("origins", [["https://web.example"], ["*"]])
@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"Origin": "https://web.example"},
        {"Origin": "https://evil.example"},
        {"Origin": ""},
        {"Origin": f"https://{'web.' * 100}example"},
    ],
    ids=["none", "listed", "another", "empty", "long"],
)
@pytest.mark.parametrize("path", ["/", "/varied"])
async def test_what_is_kept_for_an_origin_is_what_starlette_would_say(
    origins: list[str], sent: dict[str, str], path: str
) -> None:
    theirs = CORSMiddleware(app, origins, ["GET", "POST"], SENT, expose_headers=READ)
    ours = Cors(app, origins)
    expected = await headers(theirs, path, sent)
    expected.pop("vary", None)  # releases differ in when they say it
    for _ in range(2):
        found = await headers(ours, path, sent)
        assert found.pop("vary") == ("Accept, Origin" if path == "/varied" else "Origin")
        assert found == expected


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
        assert response.headers["vary"] == "Accept, Accept-Encoding, Authorization, Origin"


@pytest.mark.parametrize("name", ["evil.example", f"{'evil.' * 100}example"])
async def test_a_name_is_refused_each_time(name: str) -> None:
    sent: list[Any] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    hosts = Hosts(app, ["ours.example"])
    for _ in range(2):
        await hosts(
            {
                "type": "http",
                "path": "/",
                "headers": [(b"host", name.encode()), (b"host", b"ours.example")],
            },
            receive,
            send,
        )
        assert (sent[0]["status"], len(sent)) == (421, 2)
        sent.clear()
