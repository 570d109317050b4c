"""`/events` on a real server: every event once, in order, byte for byte, whatever breaks."""

import asyncio
import gzip
import hashlib
import json
import time
import zlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import httpx2
import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_http_event

from deploy.web.server import Server
from schema.http import streaming
from schema.routes.json_schemas import json_schema, present_number
from schema.services import Services
from tests.support.api import Api, announce
from tests.support.cases import each_case
from tests.support.fact_builders import announced, claimed, clause, suspended
from tests.support.libraries import jsonschema
from tests.support.time_limits import within
from tests.support.websocket_client import connected, receive, send
from tracker.domain.events.registry import FACTS
from tracker.log.selection import Selection, is_selected, read_selected
from tracker.log.upcasting import schema_name


@pytest.fixture
async def client(
    running: tuple[str, Server, asyncio.Task[None]],
) -> AsyncIterator[httpx2.AsyncClient]:
    """Open a client of the server."""
    async with httpx2.AsyncClient(
        base_url=f"http://{running[0]}", timeout=within(10), headers={"Accept-Encoding": "identity"}
    ) as client:
        yield client


def digits_of(entry: bytes) -> bytes:
    """Return the entry digits in a resume token."""
    return hashlib.sha256(b"\0" + entry).hexdigest()[:16].encode()


async def sent(response: httpx2.Response) -> AsyncIterator[tuple[int, bytes]]:
    """Return positions and data of server-sent events."""
    id = 0
    async for line in response.aiter_lines():
        name, _, value = line.partition(": ")
        if name == "id":
            id = int(value.partition("-")[0])
        elif name == "data":
            yield id, value.encode()


async def page(client: httpx2.AsyncClient, query: str = "") -> list[dict[str, Any]]:
    """Return a page of lines."""
    response = await client.get(
        f"/events?follow=false&{query}", headers={"Accept": "application/x-ndjson"}
    )
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in response.text.splitlines()]


async def test_entries_are_sent_as_they_are_stored_in_both_forms(
    services: Services, client: httpx2.AsyncClient
) -> None:
    await announce(services, "a", "b")
    stored = [event.entry for event in await services.recorder.read()]
    lines = await client.get("/events?follow=false", headers={"Accept": "application/x-ndjson"})
    assert lines.content == b"".join(entry + b"\n" for entry in stored)
    response = await client.get("/events?follow=false")
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.content == b"retry: 1000\n" + b"".join(
        b"id: %d-%s\ndata: %s\n\n" % (position, digits_of(entry), entry)
        for position, entry in enumerate(stored, 1)
    )


async def test_new_events_come_and_silence_has_heartbeats(
    services: Services, client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "HEARTBEAT_SECONDS", 0.1)
    await announce(services, "a")
    for name, media_type, silent in (
        ("b", "text/event-stream", ":"),
        ("c", "application/x-ndjson", ""),
    ):
        async with client.stream("GET", "/events", headers={"Accept": media_type}) as response:
            lines = response.aiter_lines()
            while await anext(lines) != silent:
                pass
            await announce(services, name)
            while not (line := await anext(lines)).startswith(("data", "{")):
                assert line == silent or line.startswith(f"id: {await services.recorder.head()}-")
            assert f'"id":"{name}"' in line


async def test_a_client_that_is_cut_off_comes_back_and_gets_every_event_once_in_order(
    services: Services, client: httpx2.AsyncClient
) -> None:
    async def write() -> None:
        for number in range(200):
            await announce(services, f"n{number}")

    writing = asyncio.create_task(write())
    seen: list[int] = []
    while len(seen) < 200:
        headers = {"Last-Event-ID": str(seen[-1])} if seen else {}
        async with client.stream("GET", "/events?after=0", headers=headers) as response:
            async for id, _ in sent(response):
                seen.append(id)
                if len(seen) == 200 or len(seen) % 37 == 0:
                    break
    await writing
    assert seen == list(range(1, 201))


async def test_gzip_comes_event_by_event(services: Services, client: httpx2.AsyncClient) -> None:
    headers = {"Accept-Encoding": "br, gzip;q=0.5"}
    async with client.stream("GET", "/events?after=0", headers=headers) as response:
        assert response.headers["content-encoding"] == "gzip"
        unpack, text = zlib.decompressobj(31), b""
        raw = response.aiter_raw()
        for name in ("a", "b"):
            await announce(services, name)
            while f'"id":"{name}"'.encode() not in text:
                text += unpack.decompress(await asyncio.wait_for(anext(raw), within(5)))
    async with client.stream("GET", "/events?follow=false", headers=headers) as response:
        whole = gzip.decompress(b"".join([chunk async for chunk in response.aiter_raw()]))
    assert whole.endswith((await services.recorder.read(1))[0].entry + b"\n\n")
    refused = await client.get("/events?follow=false", headers={"Accept-Encoding": "gzip;q=0"})
    assert "content-encoding" not in refused.headers
    assert refused.headers["vary"] == "Accept, Accept-Encoding"


async def test_filters_narrow_what_was_and_what_comes(
    services: Services, client: httpx2.AsyncClient
) -> None:
    american = announced(clause(commodities=["dysprosium"]), issuer="US")
    for name, fact, id in (
        ("ga", announced(), "ga"),
        ("dy", american, "dy"),
        ("", claimed(1), "claim"),
        ("dy", suspended(), "pause"),
    ):
        await services.commands.record(
            fact.stream or f"export-control/{name}", fact, idempotency_key=id
        )
    asked = {
        "": ["ga", "dy", "claim", "pause"],
        "types=ExportControl.Announced,Figure.Claimed": ["ga", "dy", "claim"],
        "types=ExportControl.Suspended&types=Figure.Claimed": ["claim", "pause"],
        "commodity=gallium": ["ga"],
        "commodity=rare_earths": ["dy", "claim", "pause"],  # a suspension names no goods itself
        "commodity=gallium,dysprosium": ["ga", "dy", "pause"],
        "place=US": ["dy", "pause"],
        "place=CN&commodity=rare_earths": ["claim"],
        "entity=export-control/dy": ["dy", "pause"],
        "entity=export-control/dy&after=2": ["pause"],
        "entity=export-control/nothing": [],
        "entity=export-control/dy&types=ExportControl.Suspended&place=CN": [],
        "after=3": ["pause"],
    }
    for query, ids in asked.items():
        assert [event["id"] for event in await page(client, query)] == ids, query
        followed = query if "after=" in query else f"after=0&{query}"
        async with client.stream("GET", f"/events?{followed}") as response:
            live = sent(response)
            found = [
                json.loads((await asyncio.wait_for(anext(live), within(5)))[1])["id"] for _ in ids
            ]
        assert found == ids, query


async def test_an_entity_is_followed_from_its_past_into_what_comes(
    services: Services, client: httpx2.AsyncClient
) -> None:
    await announce(services, "a", "b")
    async with client.stream("GET", "/events?after=0&entity=export-control/a") as response:
        live = sent(response)
        assert (await anext(live))[0] == 1
        await services.commands.record("export-control/b", suspended(), idempotency_key="other")
        await services.commands.record("export-control/a", suspended(), idempotency_key="own")
        assert (await asyncio.wait_for(anext(live), within(5)))[0] == 4


async def test_the_subscription_has_the_same_filters(
    services: Services, running: tuple[str, Server, asyncio.Task[None]]
) -> None:
    await announce(services, "a")
    await services.commands.record(
        "export-control/dy",
        announced(clause(commodities=["dysprosium"]), issuer="US"),
        idempotency_key="dy",
    )
    await services.commands.record("export-control/dy", suspended(), idempotency_key="pause")
    document = """subscription ($c: [String!], $p: [String!]) {
        events(after: "0", commodities: $c, places: $p) { eventId } }"""
    for variables, ids in (({"c": ["rare_earths"]}, ["dy", "pause"]), ({"p": ["CN"]}, ["a"])):
        async with connected(f"ws://{running[0]}/graphql") as socket:
            await send(
                socket, "subscribe", id="1", payload={"query": document, "variables": variables}
            )
            for id in ids:
                assert (await receive(socket))["payload"]["data"]["events"]["eventId"] == id
    async with connected(f"ws://{running[0]}/graphql") as socket:
        await send(
            socket,
            "subscribe",
            id="1",
            payload={"query": document, "variables": {"p": ["CN", "Narnia"]}},
        )
        [error] = (await receive(socket))["payload"]["errors"]
        assert error["extensions"] == {"code": "UNKNOWN_PLACE", "path": ["places", 1]}


async def test_a_limit_ends_the_answer_after_so_many_events(
    services: Services, client: httpx2.AsyncClient
) -> None:
    await announce(services, *"abcde")
    assert [e["id"] for e in await page(client, "limit=2")] == ["a", "b"]
    assert [e["id"] for e in await page(client, "after=2&limit=2")] == ["c", "d"]
    assert [e["id"] for e in await page(client, "limit=99")] == list("abcde")
    async with client.stream("GET", "/events?after=3&limit=3") as response:
        events = aiter(sent(response))
        assert [(await anext(events))[0], (await anext(events))[0]] == [4, 5]
        await announce(services, "f")
        assert [id async for id, _ in events] == [6]  # the stream is over


def test_an_event_concerns_what_it_and_earlier_ones_name() -> None:
    heavy = announced(clause(commodities=["dysprosium"]))
    wanted = Selection(commodities=["dysprosium"], places=["CN"])
    assert is_selected([heavy, suspended()], wanted)
    assert not is_selected([suspended()], wanted)
    assert not is_selected([heavy], Selection(commodities=["gallium"]))
    assert is_selected([suspended()], Selection())


@each_case(
    ("query", "headers", "status", "code", "path"),
    [
        ("after=x", {}, 400, "INVALID_POSITION", ["after"]),
        ("", {"Last-Event-ID": "-1"}, 400, "INVALID_POSITION", ["Last-Event-ID"]),
        ("after=1", {}, 400, "POSITION_BEYOND_HEAD", ["after"]),
        ("after=1&follow=false", {}, 400, "POSITION_BEYOND_HEAD", ["after"]),
        ("after=0", {"Last-Event-ID": "7"}, 400, "POSITION_BEYOND_HEAD", ["Last-Event-ID"]),
        ("types=Nothing.Happened", {}, 400, "UNKNOWN_TYPE", ["types", 0]),
        ("commodity=gallium&commodity=galium", {}, 400, "UNKNOWN_COMMODITY", ["commodity", 1]),
        ("place=Narnia", {}, 400, "UNKNOWN_PLACE", ["place", 0]),
        ("entity=nothing/x", {}, 400, "INVALID_INPUT", ["entity"]),
        ("follow=maybe", {}, 400, "INVALID_INPUT", ["follow"]),
        ("limit=0", {}, 400, "INVALID_PAGE_SIZE", ["limit"]),
        ("limit=-1", {}, 400, "INVALID_PAGE_SIZE", ["limit"]),
        ("limit=%C2%B2", {}, 400, "INVALID_PAGE_SIZE", ["limit"]),
        ("comodity=gallium", {}, 400, "BAD_REQUEST", ["comodity"]),
        ("after=5&after=3", {}, 400, "BAD_REQUEST", ["after"]),
        ("", {"Accept": "application/pdf"}, 406, "NOT_ACCEPTABLE", ["Accept"]),
    ],
)
async def test_bad_input_gets_an_error_as_in_graphql(
    services: Services,
    query: str,
    headers: dict[str, str],
    status: int,
    code: str,
    path: list[str | int],
) -> None:
    response = await Api(services).request("GET", f"/events?{query}", headers=headers)
    assert response.status_code == status
    [error] = response.json()["errors"]
    assert error["extensions"] == {"code": code, "path": path}


async def test_a_database_that_does_not_answer_is_a_503(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: Any, **__: Any) -> None:
        raise OSError("gone")

    monkeypatch.setattr(type(services.recorder), "head", gone)
    response = await Api(services).request("GET", "/events")
    assert response.status_code == 503
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"


async def test_a_stream_ends_when_the_log_can_not_be_read_and_goes_on_for_who_comes_back(
    services: Services, client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: Any, **__: Any) -> None:
        raise OSError("gone")

    monkeypatch.setattr("tracker.log.follower.READ_RETRY_SECONDS", 0.3)
    await announce(services, "a", "b")
    async with client.stream("GET", "/events?after=0") as response:
        events = sent(response)
        assert [(await anext(events))[0] for _ in "ab"] == [1, 2]
        with monkeypatch.context() as patch:
            patch.setattr(type(services.recorder), "read", gone)
            services.follower.wake()
            assert [item async for item in events] == []
    await announce(services, "c")
    async with client.stream("GET", "/events?after=0", headers={"Last-Event-ID": "2"}) as response:
        assert (await anext(sent(response)))[0] == 3


async def test_streams_end_in_good_form_when_the_server_stops(
    services: Services, client: httpx2.AsyncClient, running: tuple[str, Server, asyncio.Task[None]]
) -> None:
    _, server, work = running
    await announce(services, "a")
    async with client.stream("GET", "/events?after=0") as response:
        lines = sent(response)
        assert (await anext(lines))[0] == 1
        server.should_exit = True
        started = time.monotonic()
        assert [item async for item in lines] == []  # no error: the last chunk arrived
    await work
    assert time.monotonic() - started < within(2.5)  # uvicorn would cancel it after GRACE
    assert services.follower.followers == 0


async def test_a_client_that_does_not_read_delays_no_one_and_takes_little_memory(
    services: Services,
    client: httpx2.AsyncClient,
    running: tuple[str, Server, asyncio.Task[None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken: list[int] = []

    async def counting(*arguments: Any) -> AsyncIterator[Any]:
        mine = len(taken)
        taken.append(0)
        async with aclosing(read_selected(*arguments)) as found:
            async for events in found:
                taken[mine] += len(events)
                yield events

    monkeypatch.setattr("schema.routes.events.read_selected", counting)
    long = clause(exemptions="x" * 7000)
    total = 3000  # 21 MB, more than sockets hold
    await asyncio.gather(
        *(services.commands.record(f"export-control/n{n}", announced(long)) for n in range(total))
    )
    reader, writer = await asyncio.open_connection(*running[0].split(":"))
    writer.write(b"GET /events?after=0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await reader.read(100)
    async with client.stream("GET", "/events?after=0") as response:
        seen = [id async for id, _ in until(total, response)]
    assert seen == list(range(1, total + 1))
    assert taken[1] == total
    assert taken[0] < total
    writer.close()


async def until(last: int, response: httpx2.Response) -> AsyncIterator[tuple[int, bytes]]:
    """Return the sent lines up to a position."""
    async for id, data in sent(response):
        yield id, data
        if id == last:
            return


async def test_the_cloudevents_sdk_reads_events_of_every_type_and_their_data_meet_their_schema(
    read_services: Services,
) -> None:
    response = await Api(read_services).request(
        "GET", "/events?follow=false", headers={"Accept": "application/x-ndjson"}
    )
    lines = response.content.splitlines()
    assert len(lines) == await read_services.recorder.head()
    validators = {
        type_: jsonschema.Draft202012Validator(json_schema(type_, present_number(type_)))
        for type_ in FACTS
    }
    of_type = Counter[str]()
    for number, line in enumerate(lines, 1):
        read = json.loads(line)
        assert read["position"] == str(number)
        of_type[read["type"]] += 1
        if of_type[read["type"]] > 50 and number % 20:
            continue  # thousands of figures have the form of the first ones
        event = from_http_event(HTTPMessage({"content-type": "application/cloudevents+json"}, line))
        assert event.get_extension("position") == str(number)
        assert event.get_source() == "urn:critical-minerals-policy-tracker"
        assert event.get_dataschema() == schema_name(
            event.get_type(), present_number(event.get_type())
        )
        assert event.get_subject()
        assert event.get_time()
        validators[event.get_type()].validate(event.get_data())


async def test_schemas_of_all_types_are_served(services: Services) -> None:
    api = Api(services)
    index = (await api.request("GET", "/schemas")).json()
    assert set(index) == set(FACTS)
    first = (await api.request("GET", "/schemas/Figure.Claimed/1")).json()
    assert first["$id"] == schema_name("Figure.Claimed", 1)
    assert first["$defs"]["Claimed"]["properties"]["note"]["anyOf"][0]["type"] == "string"
    assert (await api.request("GET", "/schemas/Figure.Claimed/3")).status_code == 404
    for entry in index.values():
        schema = (await api.request("GET", entry["path"])).json()
        assert schema["$id"] == entry["dataschema"]
        jsonschema.Draft202012Validator.check_schema(schema)
        assert "\\Z" not in json.dumps(schema).replace("\\\\", "\\")
    missing = await api.request("GET", "/schemas/Nothing.Happened")
    assert missing.status_code == 404
    assert missing.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"


# --- pages for caches

LINES = {"Accept": "application/x-ndjson"}


def next_of(response: httpx2.Response) -> str:
    """Return the address of the next page."""
    address, _, relation = response.headers["link"].partition(">; ")
    assert relation == 'rel="next"'
    text: str = address.removeprefix("<")
    return text


async def test_pages_by_links_are_the_log_and_full_ones_stay_for_ever(
    services: Services, client: httpx2.AsyncClient
) -> None:
    await announce(services, *"abcde")
    stored = [event.entry for event in await services.recorder.read()]
    address, found, caching = "/events?after=0&limit=2&wait=1", list[bytes](), list[str]()
    for _ in range(4):
        response = await client.get(address, headers=LINES)
        found += response.content.splitlines()
        caching.append(response.headers["cache-control"])
        address = next_of(response)
    assert found == stored
    closed = "public, max-age=31536000, immutable"
    assert caching == [closed, closed, "public, max-age=60", "public, max-age=1"]
    tag = (await client.get("/events?after=3&wait=1")).headers["etag"]
    assert tag == f'W/"5-{digits_of(stored[4]).decode()}"'
    same = await client.get("/events?after=3&wait=1", headers={"If-None-Match": tag})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    other = await client.get("/events?after=4&wait=1", headers={"If-None-Match": 'W/"4", "a"'})
    assert other.status_code == 200
    whole = "/events?follow=false&after=1&limit="
    responses = [await client.get(f"{whole}{limit}", headers=LINES) for limit in (4, 5)]
    assert [each.headers["cache-control"] for each in responses] == [closed, "no-store"]
    resumed = await client.get(f"{whole}1", headers={**LINES, "Last-Event-ID": "3"})
    assert resumed.headers["cache-control"] == "no-store"
    assert resumed.content.splitlines() == stored[3:4]


async def test_an_empty_page_leads_to_another_address_and_the_next_one_comes_with_the_event(
    services: Services, client: httpx2.AsyncClient
) -> None:
    await announce(services, "a")
    empty = await client.get("/events?after=1&wait=1", headers=LINES)
    assert (empty.content, empty.headers["cache-control"]) == (b"", "public, max-age=1")
    again = await client.get(next_of(empty), headers=LINES)
    cursors = [int(next_of(each).rpartition("cursor=")[2]) for each in (empty, again)]
    assert cursors[1] > cursors[0]
    waiting = asyncio.create_task(client.get(next_of(again).replace("wait=1", "wait=20")))
    await asyncio.sleep(0.1)
    began = time.monotonic()
    await announce(services, "b")
    response = await waiting
    assert time.monotonic() - began < within(1)
    assert response.content.count(b"data: ") == 1
    assert "cursor" not in next_of(response)


async def test_a_page_of_a_selection_waits_for_an_event_of_it(
    services: Services, client: httpx2.AsyncClient
) -> None:
    await announce(services, "a", "b")
    query = "/events?entity=export-control/c&wait=1&after=0"
    empty = await client.get(query, headers=LINES)
    assert (empty.content, "after=2-" in next_of(empty), "etag" in empty.headers) == (
        b"",
        True,
        False,
    )
    await announce(services, "c")
    response = await client.get(next_of(empty), headers=LINES)
    assert [json.loads(line)["position"] for line in response.text.splitlines()] == ["3"]


async def test_readers_that_wait_share_the_reading_of_the_log(
    services: Services, client: httpx2.AsyncClient
) -> None:
    await announce(services, "a")
    waiting = [asyncio.create_task(client.get("/events?after=1&wait=20")) for _ in range(20)]
    async with asyncio.timeout(within(10)):
        while services.follower.followers < 20:
            await asyncio.sleep(0.01)
    await announce(services, "b")
    for response in await asyncio.gather(*waiting):
        assert response.content.count(b"data: ") == 1
    assert services.follower.followers == 0


async def test_waiting_has_a_limit(client: httpx2.AsyncClient) -> None:
    for seconds in ("0", "21", "x", "1.5"):
        refused = await client.get(f"/events?wait={seconds}", headers=LINES)
        assert refused.status_code == 400
        assert "expected a whole number of seconds from 1 to 20" in refused.text
