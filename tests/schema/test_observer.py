"""Observation of operations, over HTTP and WebSockets: log lines, counters, spans."""

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from deploy.bootstrap import running_tracker
from deploy.output import tracing
from deploy.output.log_format import JsonFormatter
from deploy.output.tracing import Traces
from schema.app import create_app
from schema.services import Services
from tests.schema.test_operations import metrics
from tests.support.api import OPEN, Api, control, document
from tests.support.cases import each_case
from tests.support.fact_builders import announced
from tests.support.time_limits import within
from tests.support.web_server import serving
from tests.support.websocket_client import connected, receive, send, subscribe
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.sign.publisher import SigningOptions
from tracker.commands.commands import RecordFact
from tracker.errors import InvalidInput
from tracker.postgres.database import Target

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "X-Request-ID": "r"}


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Return the log lines of operations, without times."""
    told = [
        json.loads(JsonFormatter().format(record))
        for record in caplog.records
        if record.name == "tracker.requests"
    ]
    return [
        {
            name: of
            for name, of in line.items()
            if name not in ("time", "level", "logger", "milliseconds")
        }
        for line in told
    ]


async def come_true(condition: Callable[[], bool]) -> None:
    """Wait until a condition is true: a server works on after its client has the response."""
    async with asyncio.timeout(within(10)):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_line_says_who_asked_what_and_up_to_which_position_it_was_answered(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    api = Api(services)
    asked: list[dict[str, Any]] = [
        {"query": document("announceExportControl"), "variables": {"input": control()}},
        {
            "query": 'query Old { asOf(position: "0") { position } } query New { head }',
            "operationName": "New",
        },
        {"query": '{ a: asOf { position } b: asOf(position: "0") { position } }'},
        {"query": "query Ids { nodes(ids: []) { id } }"},
        {"query": "query A { head } query B { head }"},
        {"query": "{ head }", "operationName": "a\nlevel=info outcome=ok"},
        {"query": "subscription S { events { position } }"},
    ]
    with caplog.at_level(logging.INFO, "tracker.requests"):
        for body in asked:
            await api.request("POST", "/graphql", json=body, headers={"X-Request-ID": "r"})
        await api.request(
            "GET", "/graphql", headers={"Accept": "text/html"}
        )  # the page has no line
    same = {"request": "r", "transport": "http", "actor": "demo", "status": 200}
    assert lines(caplog) == [
        same | {"type": "mutation", "position": 1, "outcome": "ok"},
        same | {"type": "query", "operation": "New", "position": 1, "outcome": "ok"},
        same | {"type": "query", "position": 1, "outcome": "ok"},
        same | {"type": "query", "operation": "Ids", "position": 1, "outcome": "ok"},
        same | {"outcome": "BAD_REQUEST", "status": 400},
        same | {"outcome": "BAD_REQUEST", "status": 400},
        same
        | {
            "type": "subscription",
            "operation": "S",
            "outcome": "OPERATION_NOT_ALLOWED",
            "status": 405,
        },
    ]


async def test_operations_on_sockets_are_lines_and_counted(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(services, OPEN) as (address, _, _):
        with caplog.at_level(logging.INFO, "tracker.requests"):
            async with connected(f"ws://{address}/graphql") as socket:
                assert (await counted(address))["tracker_websocket_connections",] == 1
                await say(socket)
                await come_true(lambda: len(lines(caplog)) == 4)
                found = await counted(address)
            told = lines(caplog)
        connection = told[0]["request"].removesuffix(".1")
        same = {"transport": "websocket", "actor": "demo"}
        assert told == [
            same
            | {
                "request": f"{connection}.1",
                "type": "query",
                "operation": "Head",
                "position": 0,
                "outcome": "ok",
            },
            same
            | {
                "request": f"{connection}.2",
                "outcome": "GRAPHQL_VALIDATION_FAILED",
                "type": "query",
            },
            same
            | {"request": f"{connection}.3", "type": "mutation", "position": 1, "outcome": "ok"},
            same
            | {
                "request": f"{connection}.4",
                "type": "subscription",
                "operation": "All",
                "position": 1,
                "outcome": "ok",
            },
        ]
        assert {
            key[1:]: value
            for key, value in found.items()
            if key[0] == "tracker_websocket_operation_seconds_count"
        } == {("Head", "ok"): 1, ("unnamed", "GRAPHQL_VALIDATION_FAILED"): 1, ("unnamed", "ok"): 1}
        assert found["tracker_websocket_subscriptions_total", "All", "ok"] == 1
        await services.projector.reach(1)


async def say(socket: Any) -> None:
    """Send a query, an invalid one and a mutation, and follow until an event arrives."""
    await subscribe(socket, "query Head { head }")
    assert [(await receive(socket))["type"] for _ in "ab"] == ["next", "complete"]
    await subscribe(socket, "{ nothing }")
    assert (await receive(socket))["type"] == "error"
    await subscribe(socket, document("announceExportControl"), input=control())
    assert [(await receive(socket))["type"] for _ in "ab"] == ["next", "complete"]
    await subscribe(socket, 'subscription All { events(after: "0") { position } }')
    assert (await receive(socket))["type"] == "next"
    await send(socket, "complete", id="1")


async def counted(address: str) -> dict[tuple[str, ...], float]:
    """Return the counters of a running server."""

    class Remote(Api):
        def __init__(self) -> None:
            """Use a server that runs already."""

        async def request(self, method: str, path: str, **options: Any) -> httpx2.Response:
            async with httpx2.AsyncClient(
                base_url=f"http://{address}", timeout=within(60)
            ) as client:
                return await client.request(method, path, **options)

    return await metrics(Remote())


async def test_a_query_given_up_is_counted_as_that(
    services: Services, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()

    async def never(*_: Any) -> int:
        asked.set()
        await asyncio.Event().wait()
        return 0

    monkeypatch.setattr(type(services.recorder), "head", never)
    async with serving(services, OPEN) as (address, _, _):
        with caplog.at_level(logging.INFO, "tracker.requests"):
            async with connected(f"ws://{address}/graphql") as socket:
                await subscribe(socket, "{ head }")
                await asked.wait()
            await come_true(lambda: bool(lines(caplog)))
    assert lines(caplog)[0]["outcome"] == "CANCELLED"


async def test_a_token_is_never_in_lines_metrics_or_errors(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "tracker_hunter2"
    texts = []
    with caplog.at_level(logging.DEBUG, "tracker"):
        async with (
            serving(services, OPEN) as (address, _, _),
            httpx2.AsyncClient(
                base_url=f"http://{address}", headers={"Authorization": f"Bearer {secret}"}
            ) as client,
        ):
            for path in ("/graphql?query={head}", "/events", "/metrics"):
                texts.append((await client.get(path)).text)
            with pytest.raises(Exception, match="4403"):
                async with connected(f"ws://{address}/graphql", Authorization=f"Bearer {secret}"):
                    pass
    texts += [
        JsonFormatter().format(record)
        for record in caplog.records
        if not record.name.startswith(("http", "websockets.client"))
    ]
    assert lines(caplog)
    assert not [text for text in texts if "hunter2" in text]


# --- spans


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """Return a store of spans."""
    return InMemorySpanExporter()


@pytest.fixture
def traces(spans: InMemorySpanExporter) -> Traces:
    """Return a tracer with stored spans."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return Traces(provider)


@pytest.fixture
def traced(services: Services, traces: Traces) -> Api:
    """Run an API with traced operations."""
    api = Api(services)
    api.app = create_app(services, OPEN, traces)
    return api


def attributes(span: ReadableSpan) -> Mapping[str, Any]:
    """Return the attributes of a span."""
    return span.attributes or {}


async def test_an_operation_is_a_span_below_the_clients(
    traced: Api, spans: InMemorySpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "tracker.requests"):
        await traced.request(
            "POST", "/graphql", headers=PARENT, json={"query": "query Head { head }"}
        )
    [span] = spans.get_finished_spans()
    assert (span.name, span.kind.name, span.status.status_code.name) == ("query", "SERVER", "UNSET")
    assert attributes(span) == {
        "graphql.operation.type": "query",
        "graphql.operation.name": "Head",
        "tracker.request": "r",
        "tracker.transport": "http",
        "tracker.actor": "demo",
        "tracker.position": 0,
        "tracker.outcome": "ok",
    }
    assert span.parent is not None
    assert format(span.parent.trace_id, "032x") == TRACE
    assert format(span.parent.span_id, "016x") == "00f067aa0ba902b7"
    assert lines(caplog)[0]["trace"] == TRACE


async def test_a_mutation_has_spans_of_appending_and_of_waiting_for_the_projection(
    traced: Api, spans: InMemorySpanExporter
) -> None:
    await traced.do("announceExportControl", control())
    append, projection, mutation = spans.get_finished_spans()
    assert (append.name, projection.name, mutation.name) == ("append", "projection", "mutation")
    assert mutation.context is not None
    for part in (append, projection):
        assert part.parent is not None
        assert part.parent.span_id == mutation.context.span_id
    assert mutation.parent is None
    await traced.fails("announceExportControl", control())
    assert [span.status.status_code.name for span in spans.get_finished_spans()[3:]] == [
        "UNSET",
        "UNSET",
    ]


@pytest.mark.parametrize(
    ("query", "name", "outcome", "status"),
    [
        ("{ nothing }", "query", "GRAPHQL_VALIDATION_FAILED", "UNSET"),
        ("{", "GraphQL Operation", "GRAPHQL_PARSE_FAILED", "UNSET"),
        ("{ head }", "query", "INTERNAL", "ERROR"),
    ],
)
async def test_only_our_own_failures_are_errors_of_a_span(
    traced: Api,
    spans: InMemorySpanExporter,
    query: str,
    name: str,
    outcome: str,
    status: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(*_: Any) -> int:
        raise RuntimeError("a secret")

    monkeypatch.setattr(type(traced.services.recorder), "head", fail)
    await traced.post(query)
    [span] = spans.get_finished_spans()
    assert (span.name, attributes(span)["tracker.outcome"]) == (name, outcome)
    assert span.status.status_code.name == status
    assert attributes(span).get("error.type") == ({"ERROR": outcome}.get(status))
    assert "secret" not in span.to_json()


async def test_operations_of_a_socket_are_traces_of_their_own_with_a_link(
    services: Services, traces: Traces, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "tests.support.web_server.create_app", lambda *_, **__: create_app(services, OPEN, traces)
    )
    async with (
        serving(services, OPEN) as (address, _, _),
        connected(f"ws://{address}/graphql", PARENT) as socket,
    ):
        for number in range(2):
            await send(socket, "subscribe", id=str(number), payload={"query": "{ head }"})
        await come_true(lambda: len(spans.get_finished_spans()) == 2)
    one, other = spans.get_finished_spans()
    assert one.context is not None
    assert other.context is not None
    assert len({one.context.trace_id, other.context.trace_id, int(TRACE, 16)}) == 3
    for span in (one, other):
        assert span.parent is None
        assert [format(link.context.trace_id, "032x") for link in span.links] == [TRACE]


async def test_the_work_beside_operations_has_spans_of_what_it_came_to(
    target: Target, tmp_path: Path, traces: Traces, spans: InMemorySpanExporter
) -> None:
    signing = SigningOptions(KeyStore(tmp_path / "keys"), "example.org/log")
    async with running_tracker(target, signing, traces.work) as services:
        await services.commands.record_all(
            [RecordFact(f"export-control/{name}", announced()) for name in "abc"]
        )
        await come_true(lambda: len(spans.get_finished_spans()) >= 2)
        await asyncio.sleep(2)  # time in which nothing is done, often
        assert {(s.name, str(attributes(s))) for s in spans.get_finished_spans()} == {
            (name, str({"tracker.events": 3, "tracker.position": 3}))
            for name in ("project", "publish")
        }
        for span in spans.get_finished_spans():
            assert (span.parent, span.kind.name) == (None, "INTERNAL")
            assert span.start_time is not None
            assert span.end_time is not None
            assert 0 < span.end_time - span.start_time < 60e9
        spans.clear()
        await services.commands.record("export-control/d", announced())
        await come_true(lambda: len(spans.get_finished_spans()) >= 2)
        assert {str(attributes(s)) for s in spans.get_finished_spans()} == {
            str({"tracker.events": 1, "tracker.position": 4})
        }


async def test_work_that_fails_is_a_span_with_an_error(
    target: Target, traces: Traces, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("projections.streams.folding.EntityFold", fail)
    async with running_tracker(target, observe=traces.work) as services:
        await services.commands.record("export-control/a", announced())
        await come_true(lambda: bool(spans.get_finished_spans()))
    for span in spans.get_finished_spans():  # of the versions, perhaps also of the search index
        assert (span.name, span.status.status_code.name) == ("project", "ERROR")
        assert attributes(span)["error.type"] == "RuntimeError"
        assert "secret" not in span.to_json()


@pytest.mark.parametrize("broken", ["", "00-zz-00f067aa0ba902b7-01", f"ff-{TRACE}-0-1", "x" * 500])
async def test_a_broken_traceparent_is_none(
    traced: Api, spans: InMemorySpanExporter, broken: str
) -> None:
    response = await traced.request(
        "POST", "/graphql", json={"query": "{ head }"}, headers={"traceparent": broken}
    )
    assert response.json() == {"data": {"head": "0"}}
    [span] = spans.get_finished_spans()
    assert span.parent is None


@each_case(
    "environment",
    [
        {},
        {"OTEL_SERVICE_NAME": "x"},
        {"OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_TRACES_EXPORTER": "console", "OTEL_SDK_DISABLED": "true"},
    ],
)
def test_no_spans_are_made_that_are_not_requested(environment: dict[str, str]) -> None:
    assert tracing.tracing(environment) is None


def test_variables_ask_for_spans(caplog: pytest.LogCaptureFixture) -> None:
    asked = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    for environment, service in ((asked, "tracker"), (asked | {"OTEL_SERVICE_NAME": "mine"}, None)):
        made = tracing.tracing(environment)
        assert made is not None
        attributes = made._provider.resource.attributes
        assert (attributes["service.name"] == "tracker") == bool(service)
        made.end()
    with pytest.raises(InvalidInput, match="OTEL_TRACES_EXPORTER=jaeger"):
        tracing.tracing({"OTEL_TRACES_EXPORTER": "jaeger"})


def test_without_the_extra_it_says_so_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr("importlib.util.find_spec", missing)
    assert tracing.tracing({"OTEL_TRACES_EXPORTER": "otlp"}) is None
    assert "expected the extra otel" in caplog.text


def test_nothing_of_it_is_imported_unless_it_is_asked_for() -> None:
    code = (
        "import sys, deploy.cli.serve; from deploy.output.tracing import tracing;"
        " assert tracing({}) is None;"
        " assert not [name for name in sys.modules if name.startswith('opentelemetry')]"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
