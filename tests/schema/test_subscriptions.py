"""Subscriptions over a real WebSocket: every event once, in order, whatever breaks in between."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import connect
from websockets.typing import Origin, Subprotocol

from schema.base.context import Context
from schema.execution.execute import stream
from schema.services import Access, Services
from tests.support.api import announce, control, document
from tests.support.fact_builders import announced
from tests.support.web_server import serving_websockets
from tests.support.websocket_client import (
    EVENTS,
    PROTOCOL,
    connected,
    events,
    receive,
    send,
    subscribe,
)


@pytest.fixture
async def url(services: Services) -> AsyncIterator[str]:
    """Run a server with open writes and return its address."""
    async with serving_websockets(services, Access(open=True)) as address:
        yield address


async def test_a_subscriber_gets_what_was_and_what_comes(services: Services, url: str) -> None:
    await announce(services, "a", "b")
    async with connected(url) as socket:
        await subscribe(socket, after="1")
        stream = events(socket)
        assert (await anext(stream))["eventId"] == "b"
        await announce(services, "c")
        event = await anext(stream)
    assert (event["position"], event["type"]) == ("3", "ExportControl.Announced")
    assert event["entity"] == "export-control/c"
    assert event["data"]["clauses"][0]["commodities"] == ["gallium"]


async def test_without_a_position_only_new_events_come(services: Services, url: str) -> None:
    await announce(services, "a")
    async with connected(url) as socket:
        await subscribe(socket)
        coming = asyncio.ensure_future(anext(events(socket)))
        new = (f"b{number}" for number in count())
        while not coming.done():  # its start position is not announced
            await announce(services, next(new))
            await asyncio.wait([coming], timeout=0.1)
        assert (await coming)["eventId"].startswith("b")


async def test_only_the_types_asked_for_come(services: Services, url: str) -> None:
    await announce(services, "a")
    retracted = await services.commands.retract("a", "misread", announced().source)
    async with connected(url) as socket:
        await subscribe(socket, after="0", types=["ExportControl.Retracted"])
        assert (await anext(events(socket)))["position"] == str(retracted.positions[0])


async def test_a_killed_subscriber_comes_back_and_gets_every_event_once_in_order(
    services: Services, url: str
) -> None:
    async def write() -> None:
        for number in range(300):
            await announce(services, f"n{number}")

    writing = asyncio.create_task(write())
    seen: list[int] = []
    while len(seen) < 300:
        async with connected(url) as socket:
            await subscribe(socket, after=str(seen[-1] if seen else 0))
            async for event in events(socket):
                seen.append(int(event["position"]))
                if len(seen) == 300 or len(seen) % 37 == 0:
                    socket.transport.abort()  # no goodbye, as when the process is killed
                    break
    await writing
    assert seen == list(range(1, 301))


async def test_one_connection_carries_many_subscriptions_and_ends_them_one_by_one(
    services: Services, url: str
) -> None:
    async with connected(url) as socket:
        for id in "123":
            await send(
                socket, "subscribe", id=id, payload={"query": EVENTS, "variables": {"after": "0"}}
            )
        await send(socket, "complete", id="2")
        await send(socket, "ping")
        assert (await receive(socket))["type"] == "pong"
        await announce(services, "a")
        assert {(await receive(socket))["id"] for _ in range(2)} == {"1", "3"}


async def test_queries_and_mutations_go_over_the_socket_too(services: Services, url: str) -> None:
    async with connected(url) as socket:
        await subscribe(socket, document("announceExportControl"), input=control())
        result = (await receive(socket))["payload"]["data"]["announceExportControl"]
        assert result["position"] == "1"
        assert (await receive(socket))["type"] == "complete"


async def test_writing_over_the_socket_needs_the_token(services: Services) -> None:
    async with serving_websockets(services, Access(token="secret")) as address:
        for init, code in (
            ({}, "UNAUTHENTICATED"),
            ({"Authorization": ["Bearer secret"]}, "UNAUTHENTICATED"),
            ({"Authorization": "Bearer secret"}, None),
        ):
            async with connected(address, **init) as socket:
                await subscribe(socket, document("announceExportControl"), input=control())
                message = await receive(socket)
                refused = message["payload"] if message["type"] == "error" else [{}]
                found = refused[0].get("extensions", {}).get("code")
                assert found == code
    assert await services.recorder.head() == 1


@pytest.mark.parametrize(
    ("query", "variables", "code", "path"),
    [
        (EVENTS, {"after": "x"}, "INVALID_POSITION", ["after"]),
        (EVENTS, {"after": "0", "types": ["Nothing.Happened"]}, "UNKNOWN_TYPE", ["types", 0]),
        (EVENTS, {"after": "7"}, "POSITION_BEYOND_HEAD", ["after"]),
        (EVENTS, {"after": {}}, "BAD_USER_INPUT", ["after"]),
        ("subscription { nothing }", {}, "GRAPHQL_VALIDATION_FAILED", None),
        ("{" + "a{" * 20 + "a" + "}" * 21, {}, "TOO_DEEP", None),
    ],
)
async def test_bad_subscriptions_get_an_error_with_a_code(
    url: str, query: str, variables: dict[str, Any], code: str, path: list[str | int] | None
) -> None:
    async with connected(url) as socket:
        await subscribe(socket, query, **variables)
        message = await receive(socket)
        payload = message["payload"]
        [error] = payload if message["type"] == "error" else payload["errors"]
        assert (error["extensions"]["code"], error["extensions"].get("path")) == (code, path)


@pytest.mark.parametrize(
    "message",
    [
        "{",
        "[]",
        "5",
        '{"type": 5}',
        '{"type": "subscribe"}',
        '{"type": "subscribe", "id": "1"}',
        '{"type": "subscribe", "id": "1", "payload": []}',
        '{"type": "subscribe", "id": "1", "payload": {"query": 5}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ head }", "variables": []}}',
        '{"type": "nothing"}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{"}}',
        b"\x00",
    ],
)
async def test_messages_outside_the_protocol_end_the_connection(
    url: str, message: str | bytes
) -> None:
    async with connected(url) as socket:
        await socket.send(message)
        with pytest.raises(websockets.ConnectionClosedError) as closed:
            await receive(socket)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4400


async def test_the_legacy_protocol_and_other_origins_are_refused(url: str) -> None:
    with pytest.raises((websockets.InvalidHandshake, websockets.ConnectionClosed)):
        async with connect(url, subprotocols=[Subprotocol("graphql-ws")]) as socket:
            await socket.recv()
    with pytest.raises(websockets.InvalidStatus):
        async with connect(url, subprotocols=[PROTOCOL], origin="https://evil.example"):  # type: ignore[arg-type]
            pass


async def test_a_lost_database_ends_the_subscription_with_an_error_not_in_silence(
    services: Services, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: Any, **__: Any) -> None:
        raise OSError("gone")

    monkeypatch.setattr("tracker.log.follower.READ_RETRY_SECONDS", 0.3)
    async with connected(url) as socket:
        await subscribe(socket, after="0")
        await announce(services, "a")
        await receive(socket)
        monkeypatch.setattr(type(services.recorder), "read", gone)
        services.follower.wake()
        message = await receive(socket)
        assert message["payload"]["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
        assert (await receive(socket))["type"] == "complete"


async def test_programs_subscribe_without_a_socket(services: Services) -> None:
    await announce(services, "a", "b")
    context = Context(services, Access(), Access().anyone())
    answers = stream(context, EVENTS, {"after": "1"})
    assert (await anext(answers))["data"]["events"]["eventId"] == "b"
    await answers.aclose()
    refused = stream(context, EVENTS, {"after": "x"})
    [answer] = [answer async for answer in refused]
    assert answer["errors"][0]["extensions"]["code"] == "INVALID_POSITION"


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "null"])
async def test_a_page_of_another_site_can_not_connect(url: str, origin: str) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with connect(url, subprotocols=[PROTOCOL], origin=Origin(origin)):
            pass
    assert refused.value.response.status_code == 403


async def test_our_own_page_can_connect(url: str) -> None:
    own = url.replace("ws", "http", 1).removesuffix("/graphql")
    async with connect(url, subprotocols=[PROTOCOL], origin=Origin(own)) as socket:
        await send(socket, "connection_init")
        assert (await receive(socket))["type"] == "connection_ack"
