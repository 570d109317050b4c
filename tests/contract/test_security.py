"""Attacks of GraphQL security scanners, our responses, and query timeouts."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote, urlsplit

import asyncpg
import httpx2
import pytest
import websockets
from graphql import parse
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from deploy.bootstrap import open_connection
from projections.query.as_of import AsOf
from projections.query.moment import Moment
from schema.execution.document_cost import MAX_COST, cost
from schema.execution.schema import CORE_SCHEMA
from schema.http.cross_site import host_name, is_own_origin
from schema.services import Access, Services
from tests.support.api import OPEN, Api, control, document
from tests.support.fact_builders import announced
from tests.support.time_limits import within
from tests.support.web_server import serving, serving_websockets
from tests.support.websocket_client import EVENTS, PROTOCOL, receive, send, subscribe
from tests.support.websocket_client import connected as socket_to
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target

UPGRADE = (
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
HIDDEN = Access(introspection=False)


@pytest.fixture
def api(services: Services) -> Api:
    """Run the API on an empty log, open for writing."""
    return Api(services)


def codes(answer: dict[str, Any]) -> set[str]:
    """Return the error codes of a response."""
    return {error["extensions"]["code"] for error in answer.get("errors", ())}


# --- overloading


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{" + "".join(f"a{n}: head " for n in range(101)) + "}", "TOO_MANY_ALIASES"),
        ("{" + "__typename " * 5000 + "}", "GRAPHQL_PARSE_FAILED"),
        ("{" + "head " * 2500 + "}", "TOO_MANY_FIELDS"),
        ("{ head " + "@include(if: true) " * 10 + "}", "GRAPHQL_VALIDATION_FAILED"),
        ("{ head " + "@aa" * 500 + "}", "GRAPHQL_VALIDATION_FAILED"),
        ("{ head " + "@aa" * 5000 + "}", "GRAPHQL_PARSE_FAILED"),
        ("query { ...a } fragment a on Query { head ...a }", "GRAPHQL_VALIDATION_FAILED"),
        (
            "{ __schema " + "{ types { fields { type " * 4 + "{ name }" + " } } }" * 4 + " }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            "{ asOf { alliances(first: 200) { nodes { announcements(first: 200) { nodes { title } } } } }"
            " }",
            "TOO_COSTLY",
        ),
    ],
    ids=[
        "aliases",
        "tokens",
        "fields",
        "directives",
        "unknown directives",
        "many directives",
        "circular fragments",
        "circular introspection",
        "cost",
    ],
)
async def test_overloaded_documents_are_refused_with_few_errors(
    api: Api, query: str, code: str
) -> None:
    answer = await api.post(query)
    assert "data" not in answer
    assert codes(answer) == {code}
    assert len(str(answer)) < 10_000


@pytest.mark.parametrize(
    ("before", "again", "within", "end"),
    [
        ('{ __type(name: "Query") {', "ofType {", "name", "}"),
        ("{", "... {", "head", "}"),
        ("{ head(a: ", "[", "", "]"),
    ],
)
async def test_no_depth_of_nesting_is_an_internal_error(
    api: Api, before: str, again: str, within: str, end: str
) -> None:
    for depth in range(20, 400, 20):
        closed = ")" * before.count("a:") + " }" * before.count("{")
        answer = await api.post(before + again * depth + within + end * depth + closed)
        refusals = {"GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "TOO_DEEP"}
        assert codes(answer) <= refusals


async def test_a_batch_is_refused(api: Api) -> None:
    response = await api.request("POST", "/graphql", json=[{"query": "{ head }"}] * 10)
    assert (response.status_code, codes(response.json())) == (400, {"BAD_REQUEST"})


@pytest.mark.parametrize(
    ("query", "variables", "expected"),
    [
        ("{ head }", {}, 1),
        ("{ asOf { alliances(first: 10) { nodes { id name } } } }", {}, 1 + 1 + 10 * 3),
        ("{ asOf { alliances { nodes { id } } } }", {}, 1 + 1 + 20 * 2),
        ("query ($n: Int) { asOf { alliances(first: $n) { nodes { id } } } }", {"n": 7}, 2 + 7 * 2),
        ("query ($n: Int = 5) { asOf { alliances(first: $n) { nodes { id } } } }", {}, 2 + 5 * 2),
        (
            "{ asOf { ...a ...a } } fragment a on AsOf { alliances(first: 3) { nodes { id } } }",
            {},
            1 + 2 * (1 + 3 * 2),
        ),
        ("{ head } ", {"n": 1}, 1),
        ("{ asOf { ... { ... on AsOf { position } } } }", {}, 2),
    ],
)
def test_the_cost_is_the_fields_of_full_pages(
    query: str, variables: dict[str, Any], expected: int
) -> None:
    assert cost(CORE_SCHEMA, parse(query), variables) == expected


async def test_the_cost_counts_with_the_variables_of_each_request(api: Api) -> None:
    query = (
        "query ($n: Int!) { asOf { alliances(first: $n) { nodes { announcements(first: $n) {"
        " nodes { title } } } } } }"
    )
    for n, expected in ((5, set()), (200, {"TOO_COSTLY"}), (5, set())):
        assert codes(await api.post(query, n=n)) == expected
    assert str(MAX_COST) in str(await api.post(query, n=200))


async def test_a_field_asked_for_many_times_is_answered_once_or_not_at_all(api: Api) -> None:
    assert await api.ask("{" + "head " * 50 + "}") == {"head": "0"}
    answer = await api.post("{" + "head " * 1000 + "}")
    assert codes(answer) == {"TOO_MANY_FIELDS"}
    assert len(str(answer)) < 10_000


@pytest.mark.parametrize(
    "batch", [[], [{"query": "{ head }"}], [[[]]], [{"query": "mutation { __typename }"}] * 1000]
)
async def test_no_array_is_taken_for_a_request(api: Api, batch: list[Any]) -> None:
    response = await api.request("POST", "/graphql", json=batch)
    assert (response.status_code, codes(response.json())) == (400, {"BAD_REQUEST"})


@pytest.mark.parametrize(
    "document",
    [
        "query { ...a } fragment a on Query { ...b } fragment b on Query { ...c } fragment c on Query"
        " { ...a }",
        "query { ...a } fragment a on Query { ... { ... on Query { ...a } } }",
        "query { __schema { ...s } } fragment s on __Schema { types { ...t } } fragment t on __Type"
        " { fields { type { ...t } } }",
    ],
)
async def test_no_circle_of_fragments_goes_round(api: Api, document: str) -> None:
    answer = await api.post(document)
    assert "data" not in answer
    assert codes(answer) == {"GRAPHQL_VALIDATION_FAILED"}


async def test_directives_are_few_and_not_ours_to_repeat(api: Api) -> None:
    repeated = "".join(f"@include(if: true) @skip(if: false) @a{n}" for n in range(200))
    answer = await api.post(f"query {{ head {repeated} }}")
    assert codes(answer) == {"GRAPHQL_VALIDATION_FAILED"}
    assert len(answer["errors"]) <= 21


@pytest.mark.parametrize(
    "body",
    [
        b'{"query": "{ head }", "variables": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"query": "{ head }", "variables": {"a": ' + b'{"a":' * 5000 + b"1" + b"}" * 5001 + b"}",
        b'{"query": "{ head }", "extensions": ' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}",
        b'{"query": "{ head }", "query": 5}',
        b"\xff\xfe{\x00}\x00",
        b"",
        b"{",
        b"null",
        b'"{ head }"',
        '{"query": "{ head }"}'.encode("utf-16"),
        '{"query": "{ head }"}'.encode("utf-32"),
        b'\xef\xbb\xbf{"query": "{ head }"}',
        b'{"query": "\\ud800"}',
        b'{"query": NaN}',
        b'{"query": "{ head }", "variables": {"a": 1e999}}',
        b'{"query": "{ head\x00 }"}',
        b'{"query": "{ head }", "operationName": {}}',
    ],
    ids=map(str, range(17)),
)
async def test_no_body_is_an_internal_error(api: Api, body: bytes) -> None:
    response = await api.request(
        "POST", "/graphql", content=body, headers={"Content-Type": "application/json"}
    )
    assert response.status_code in (200, 400)
    assert "INTERNAL" not in codes(response.json())


@pytest.mark.parametrize("charset", ["utf-8", "utf-7", "utf-16", "ebcdic", '"', "x" * 500])
async def test_a_charset_of_the_clients_changes_nothing(api: Api, charset: str) -> None:
    response = await api.request(
        "POST",
        "/graphql",
        content=b'{"query": "{ head }"}',
        headers={"Content-Type": f"application/json; charset={charset}"},
    )
    assert response.json() == {"data": {"head": "0"}}
    assert response.headers["content-type"] == "application/json; charset=utf-8"


async def test_deep_variables_of_an_input_are_refused_with_their_path(api: Api) -> None:
    deep: Any = []
    for _ in range(900):
        deep = [deep]
    answer = await api.post(document("announceExportControl"), input={**control(), "title": deep})
    assert codes(answer) == {"BAD_USER_INPUT"}
    assert len(str(answer)) < 10_000


@pytest.mark.parametrize(
    "path",
    [
        "/graphql?query={head}&operationName=a%0d%0aX-Evil:1",
        "/events?after=%0d%0aX-Evil:1",
        "/graphiql/..%2f..%2fviews.py",
        "/graphiql/%2e%2e/%2e%2e/etc/passwd",
        "/graphiql/graphiql.min.js%00",
        "/graphiql/..\\..\\views.py",
        "/schemas/..%2f..%2fapp.py",
        "//evil.example/",
        "/%2e%2e/%2e%2e/etc/passwd",
    ],
)
async def test_no_path_leads_out_and_none_makes_a_header(services: Services, path: str) -> None:
    async with serving(services, OPEN) as (address, _, _):
        reader, writer = await asyncio.open_connection(*address.split(":"))
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: a\x0bb\r\n"
            "Connection: close\r\n\r\n".encode()
        )
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
    assert int(head.split()[1]) in (200, 400, 404)
    assert b"x-evil" not in head.lower()
    assert b"root:" not in body
    assert b"import " not in body


async def test_a_request_with_two_host_headers_is_refused(services: Services) -> None:
    async with serving(services, OPEN) as (address, _, _):
        for more in (b"", UPGRADE):
            reader, writer = await asyncio.open_connection(*address.split(":"))
            hosts = b"Host: localhost\r\nHost: localhost\r\n"
            writer.write(b"GET /graphql?query={head} HTTP/1.1\r\n" + hosts + more + b"\r\n")
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), within(30))
            assert head.startswith(b"HTTP/1.1 400 ")
            writer.close()


@pytest.mark.parametrize(
    "headers",
    [
        b"X-Filler: " + b"x" * 200_000,
        b"\r\n".join(b"X-%d: 1" % n for n in range(20_000)),
        b"Content-Length: -1",
        b"Content-Length: " + b"9" * 23,
        b"Transfer-Encoding: nothing",
    ],
    ids=["long", "many", "negative", "huge", "unknown"],
)
async def test_oversized_and_broken_headers_leave_the_server_as_it_was(
    services: Services, headers: bytes
) -> None:
    async with serving(services, OPEN) as (address, _, _):
        reader, writer = await asyncio.open_connection(*address.split(":"))
        writer.write(
            b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            b"Content-Type: application/json\r\n" + headers + b"\r\n\r\n"
        )
        writer.write_eof()
        try:
            answer = await asyncio.wait_for(reader.read(), within(30))
        except ConnectionError:
            answer = b""
        writer.close()
        assert b" 500 " not in answer.partition(b"\r\n")[0]
        async with httpx2.AsyncClient(base_url=f"http://{address}", timeout=within(60)) as client:
            assert (await client.get("/graphql?query={head}")).json() == {"data": {"head": "0"}}


async def test_no_error_names_what_the_schema_has_while_it_can_not_be_asked_for(
    services: Services,
) -> None:
    closed = Api(services, Access(open=True, introspection=False))
    for query, variables in (
        ("{ heads }", {}),
        ("{ asOf(validA: 1) { position } }", {}),
        ("{ asOf { alianc } }", {}),
        ("query ($a: AsOff) { head }", {}),
        ("{ head { x } }", {}),
        ("{ head @includ }", {}),
        ("{ ... on Querry { head } }", {}),
        ("{ asOf { production(stage: MIN) { year } } }", {}),
        ("mutation { foundAliance }", {}),
        ('{ __type(name: "Query") { name } }', {}),
        (document("announceExportControl"), {"input": {**control(), "titel": "x"}}),
        (document("announceExportControl"), {"input": {**control(), "direction": "EXPOR"}}),
    ):
        answer = await closed.post(query, **variables)
        assert answer["errors"], query
        assert "Did you mean" not in str(answer), query


@pytest.mark.parametrize(
    "path",
    [
        "/graphql/console",
        "/playground",
        "/altair",
        "/voyager",
        "/graphql.php",
        "/debug",
        "/console",
        "/.env",
        "/api-docs",
    ],
)
async def test_there_are_no_other_consoles(api: Api, path: str) -> None:
    assert (await api.request("GET", path)).status_code == 404


# --- leaks


async def test_no_header_of_tracing_or_debugging_brings_more(api: Api) -> None:
    response = await api.request(
        "POST",
        "/graphql",
        json={"query": "{ head nothing }"},
        headers={
            "X-Debug": "1",
            "X-Apollo-Tracing": "1",
            "Apollo-Federation-Include-Trace": "ftv1",
        },
    )
    assert response.json().keys() == {"errors"}
    assert "Traceback" not in response.text
    assert ".py" not in response.text


@pytest.mark.parametrize("broken", ["resolver", "view"])
async def test_the_log_has_the_id_of_an_unforeseen_error(
    api: Api, broken: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("a secret")

    places = {"resolver": (Recorder, "head"), "view": ("schema.execution.response_cache.execute",)}
    monkeypatch.setattr(*places[broken], fail)
    [error] = (await api.post("{ head }"))["errors"]
    assert error["message"] == "Internal error"
    assert error["extensions"]["code"] == "INTERNAL"
    assert f"internal error {error['extensions']['id']}" in caplog.text
    assert "a secret" in caplog.text


async def test_names_are_suggested_while_the_schema_can_be_asked_for(services: Services) -> None:
    assert "Did you mean" in str(await Api(services).post("{ heads }"))
    assert "Did you mean" not in str(await Api(services, HIDDEN).post("{ heads }"))


async def test_introspection_can_be_turned_off(services: Services) -> None:
    query = "{ __schema { types { name } } }"
    assert (await Api(services, OPEN).post(query))["data"]["__schema"]
    answer = await Api(services, HIDDEN).post(query)
    assert codes(answer) == {"GRAPHQL_VALIDATION_FAILED"}
    assert await Api(services, HIDDEN).ask("{ __typename head }") == {
        "__typename": "Query",
        "head": "0",
    }


# --- other sites


@pytest.mark.parametrize(
    "type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""],
)
async def test_no_form_of_another_site_can_write(api: Api, type: str) -> None:
    response = await api.request(
        "POST", "/graphql", content=b'{"query": "{ head }"}', headers={"Content-Type": type}
    )
    assert (response.status_code, codes(response.json())) == (415, {"UNSUPPORTED_MEDIA_TYPE"})


async def test_no_link_of_another_site_can_write(api: Api) -> None:
    query = quote(
        'mutation { retractEvent(input: {eventId: "x", reason: "y", source: {publisher:'
        ' "p", name: "n", publishedOn: "2025"}}) { position } }'
    )
    response = await api.request("GET", f"/graphql?query={query}")
    assert (response.status_code, codes(response.json())) == (405, {"OPERATION_NOT_ALLOWED"})


async def preflight(api: Api, origin: str) -> httpx2.Response:
    """Send a browser's preflight request for JSON or a token to another origin."""
    return await api.request(
        "OPTIONS",
        "/graphql",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
    )


async def test_only_pages_of_listed_origins_may_ask(services: Services) -> None:
    api = Api(services, Access(origins=("https://web.example",)))
    allowed = await preflight(api, "https://web.example")
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == "https://web.example"
    for refusing, origin in ((api, "https://evil.example"), (Api(services), "https://web.example")):
        refused = await preflight(refusing, origin)
        assert (refused.status_code, codes(refused.json())) == (403, {"UNKNOWN_ORIGIN"})
        assert "access-control-allow-origin" not in refused.headers
        assert "TRACKER_ORIGINS" in refused.text


async def test_a_page_may_send_and_read_the_headers_of_the_protocols(services: Services) -> None:
    origin = {"Origin": "https://web.example"}
    api = Api(services, Access(origins=("https://web.example",)))
    allowed = await api.request(
        "OPTIONS",
        "/events",
        headers={
            **origin,
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "authorization,content-type,idempotency-key,"
            "if-none-match,last-event-id,traceparent,"
            "tracestate,x-request-id",
        },
    )
    assert allowed.status_code == 200, allowed.text
    found = await api.request("GET", "/graphql?query={head}", headers=origin)
    exposed = found.headers["access-control-expose-headers"].split(", ")
    assert {"ETag", "X-Request-ID", "Retry-After"} <= set(exposed)
    assert {"etag", "x-request-id"} <= set(found.headers)


async def test_a_socket_of_another_origin_is_refused_with_the_setting_that_would_let_it_in(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving_websockets(services, Access(origins=("https://web.example",))) as url:
        for _ in range(2):
            with pytest.raises(InvalidStatus) as refused:
                await connect(url, subprotocols=[PROTOCOL], origin=Origin("https://evil.example"))
            assert refused.value.response.status_code == 403
            assert b"TRACKER_ORIGINS" in refused.value.response.body
    assert [record.getMessage() for record in caplog.records if "evil" in record.getMessage()] == [
        "refused: pages of 'https://evil.example' may not use this API: expected one of"
        " TRACKER_ORIGINS, the setting of the server that lists them"
    ]


async def test_a_listed_origin_may_open_a_socket(services: Services) -> None:
    origin = "https://web.example"
    async with (
        serving_websockets(services, Access(origins=(origin,))) as url,
        connect(url, subprotocols=[PROTOCOL], origin=Origin(origin)) as socket,
    ):
        await send(socket, "connection_init")
        assert (await receive(socket))["type"] == "connection_ack"


@pytest.mark.parametrize(
    ("header", "ours"),
    [
        ("localhost:8000", True),
        ("127.0.0.1", True),
        ("[::1]:8000", True),
        ("10.0.0.7:80", True),
        ("LOCALHOST.", True),
        ("api.example:443", True),
        ("evil.example", False),
        ("", False),
        ("[", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
    ],
)
def test_a_name_that_is_not_ours_is_known(header: str, ours: bool) -> None:
    assert is_own_origin(host_name(header), {"api.example"}) is ours


async def test_a_page_that_made_its_name_ours_gets_nothing(services: Services, api: Api) -> None:
    for path in ("/", "/graphql?query={head}", "/readyz"):
        response = await api.request("GET", path, headers={"Host": "evil.example"})
        assert (response.status_code, codes(response.json())) == (421, {"UNKNOWN_HOST"})
    async with serving_websockets(services, OPEN) as url:
        port = urlsplit(url).port
        with pytest.raises(websockets.InvalidStatus, match="421"):
            async with connect(
                "ws://evil.example/graphql", subprotocols=[PROTOCOL], host="127.0.0.1", port=port
            ):
                pass


# --- too much


async def test_a_client_above_its_rate_gets_the_time_to_retry(services: Services) -> None:
    api = Api(services, Access(rate=1, token="secret"))
    ask = {"json": {"query": "{ head }"}}
    assert [(await api.request("POST", "/graphql", **ask)).status_code for _ in range(3)] == [
        200,
        200,
        429,
    ]
    limited = await api.request("POST", "/graphql", **ask)
    assert (codes(limited.json()), limited.headers["retry-after"]) == ({"RATE_LIMITED"}, "1")
    other = await api.request("POST", "/graphql", headers={"Authorization": "Bearer secret"}, **ask)
    assert other.status_code == 200


async def test_attempts_with_tokens_are_limited_by_address(services: Services) -> None:
    api = Api(services, Access(rate=1))
    statuses = [
        (
            await api.request(
                "GET", "/graphql?query={head}", headers={"Authorization": f"Bearer {n}"}
            )
        ).status_code
        for n in range(3)
    ]
    assert statuses == [401, 401, 429]


async def test_a_client_has_so_many_subscriptions_over_all_its_connections(
    services: Services,
) -> None:
    async with (
        serving_websockets(services, Access(operations=2)) as url,
        socket_to(url) as one,
        socket_to(url) as other,
    ):
        await send(one, "subscribe", id="1", payload={"query": EVENTS})
        await send(one, "subscribe", id="2", payload={"query": EVENTS})
        await send(one, "ping")
        assert (await receive(one))["type"] == "pong"
        await subscribe(other)
        message = await receive(other)
        assert message["type"] == "error"
        assert codes({"errors": message["payload"]}) == {"TOO_MANY_OPERATIONS"}
        await send(one, "complete", id="1")
        async with asyncio.timeout(within(5)):
            while message["type"] == "error":
                await subscribe(other, "{ head }")
                message = await receive(other)
        assert message["payload"] == {"data": {"head": "0"}}


async def test_the_rate_holds_for_sockets_too(services: Services) -> None:
    async with serving_websockets(services, Access(rate=1)) as url, socket_to(url) as socket:
        for _ in range(2):
            await subscribe(socket, "{ head }")
            message = await receive(socket)
            if message["type"] == "next":
                assert (await receive(socket))["type"] == "complete"
        assert codes({"errors": message["payload"]}) == {"RATE_LIMITED"}


# --- too long

TIMEOUT = "schema.execution.executor.ANSWER_TIMEOUT_SECONDS"


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the head query take half a minute, with a response timeout of some seconds."""

    async def head(self: Recorder) -> int:
        return await self._pool.fetchval("SELECT 0 FROM pg_sleep(30)")  # type: ignore[no-any-return]

    monkeypatch.setattr(Recorder, "head", head)
    monkeypatch.setattr(TIMEOUT, within(0.7))


async def sleeping(watcher: asyncpg.Connection[asyncpg.Record], expected: int) -> None:
    """Wait until some queries sleep in the database."""
    async with asyncio.timeout(within(5)):
        while (
            await watcher.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND state = 'active' AND query = 'SELECT 0 FROM pg_sleep(30)'"
            )
            != expected
        ):
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("slow")
async def test_an_answer_given_up_ends_its_queries_in_the_database(
    api: Api, target: Target
) -> None:
    async with open_connection(target) as watcher:
        asking = asyncio.create_task(api.post("{ a: head b: head }"))
        await sleeping(watcher, 2)
        assert codes(await asking) == {"TIMEOUT"}
        await sleeping(watcher, 0)


@pytest.mark.usefixtures("slow")
async def test_the_same_holds_over_a_socket(services: Services, target: Target) -> None:
    async with (
        open_connection(target) as watcher,
        serving_websockets(services, OPEN) as url,
        socket_to(url) as socket,
    ):
        await subscribe(socket, "{ head }")
        await sleeping(watcher, 1)
        message = await receive(socket)
        assert codes({"errors": message["payload"]}) == {"TIMEOUT"}
        await sleeping(watcher, 0)


CHANGED = "subscription { worldChanged(kinds: [EXPORT_CONTROL]) { position counts { figures } } }"


async def test_each_answer_of_a_subscription_has_that_time_too(
    services: Services, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = AsOf.counts

    async def slowly(self: AsOf, moment: Moment) -> dict[str, int]:
        await self._pool.fetchval("SELECT 0 FROM pg_sleep(30)")
        return await counts(self, moment)

    async with (
        open_connection(target) as watcher,
        serving_websockets(services, OPEN) as url,
        socket_to(url) as socket,
    ):
        await subscribe(socket, CHANGED)
        assert "errors" not in (await receive(socket))["payload"]
        with monkeypatch.context() as patch:
            patch.setattr(AsOf, "counts", slowly)
            patch.setattr(TIMEOUT, within(0.7))
            await services.commands.record("export-control/a", announced())
            await sleeping(watcher, 1)
            message = await receive(socket)
        assert codes(message["payload"]) == {"TIMEOUT"}
        assert not message["payload"].get("data")
        assert (await receive(socket))["type"] == "complete"
        await sleeping(watcher, 0)
        await subscribe(socket, CHANGED)
        assert (await receive(socket))["payload"]["data"]["worldChanged"]["position"] == "1"


async def test_a_subscription_outlives_the_time_of_an_answer(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving_websockets(services, OPEN) as url, socket_to(url) as socket:
        with monkeypatch.context() as patch:
            patch.setattr(TIMEOUT, 0.5)
            await subscribe(socket, after="0")
            await asyncio.sleep(1)
        await Api(services).do("announceExportControl", control())
        assert (await receive(socket))["payload"]["data"]["events"]["position"] == "1"
