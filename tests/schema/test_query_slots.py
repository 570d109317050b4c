"""Each client has a limited number of concurrent queries, so that others wait for few of them."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import Response

from schema.assistants.route import AssistantRoute
from schema.base.context import Context
from schema.execution import documents
from schema.execution.documents import ParsedDocument, parse_document, parsed_document
from schema.execution.execute import stream
from schema.execution.schema import CORE_SCHEMA
from schema.execution.work_slots import WorkSlots
from schema.http.authentication import AccessControl, Client
from schema.services import OPEN_CALLER, READ_ONLY_CALLER, Access, Services
from schema.telemetry.operation import CURRENT_OPERATION, OperationInfo
from tests.support.api import Api
from tests.support.cases import each_case
from tests.support.fact_builders import announced
from tests.support.time_limits import within
from tests.support.web_server import serving
from tests.support.websocket_client import connected, receive, subscribe
from tracker.auth.scopes import Caller, Scope
from tracker.domain.controls.export_control import ExportControl


async def let_all_run() -> None:
    """Let all pending tasks run."""
    for _ in range(10):
        await asyncio.sleep(0)


@contextmanager
def counted_passes() -> Iterator[list[int]]:
    """Count the loop iterations of other tasks for the duration of a block."""
    passes = [0]

    async def others() -> None:
        while True:
            passes[0] += 1
            await asyncio.sleep(0)

    taking_turns = asyncio.create_task(others())
    try:
        yield passes
    finally:
        taking_turns.cancel()


async def test_a_client_has_so_many_turns_at_a_time_and_others_have_theirs() -> None:
    turns, ending, begun = WorkSlots(2), asyncio.Event(), list[str]()

    async def work(client: str) -> None:
        async with turns.hold(client):
            begun.append(client)
            await ending.wait()

    async with asyncio.TaskGroup() as tasks:
        for client in "aaaab":
            tasks.create_task(work(client))
        await let_all_run()
        assert begun == ["a", "a", "b"]
        ending.set()
    assert begun == ["a", "a", "b", "a", "a"]
    assert not turns._at_work
    assert not turns._waiting


@each_case("cancelled_late", [False, True])
async def test_a_turn_that_is_not_wanted_any_more_is_passed_on(cancelled_late: bool) -> None:
    turns, first, begun = WorkSlots(1), asyncio.Event(), list[str]()

    async def work(name: str, until: asyncio.Event | None = None) -> None:
        async with turns.hold("a"):
            begun.append(name)
            if until:
                await until.wait()

    holding = asyncio.create_task(work("first", first))
    await let_all_run()
    leaving, staying = (asyncio.create_task(work(name)) for name in ("leaving", "staying"))
    await let_all_run()
    if cancelled_late:  # it gets the slot, and is cancelled before it starts
        turns._waiting["a"][0].add_done_callback(lambda _: leaving.cancel())
    else:
        leaving.cancel()
    first.set()
    await asyncio.gather(holding, leaving, staying, return_exceptions=True)
    assert begun == ["first", "staying"] or cancelled_late
    assert "staying" in begun
    assert not turns._at_work


async def test_open_writers_wait_too(services: Services) -> None:
    access_control = AccessControl(services.tokens, Access(open=True))
    writer = Caller("ann", frozenset({Scope.READ, Scope.RECORD}))
    waiting = [
        not isinstance(access_control.work_slot(Client(caller, "a")), nullcontext)
        for caller in (OPEN_CALLER, READ_ONLY_CALLER, writer)
    ]
    assert waiting == [True, True, False]


async def test_streams_that_catch_up_take_turns_with_each_other_and_with_others(
    services: Services,
) -> None:
    for name in "abcdefgh":
        await services.commands.record(f"{ExportControl.KIND}/{name}", announced())
    turns, told = WorkSlots(1), list[str]()

    async def begun() -> AsyncGenerator[dict[str, Any], None]:
        context = Context(services, Access(), READ_ONLY_CALLER, work_slot=lambda: turns.hold("a"))
        answers = stream(context, 'subscription { events(after: "0") { position } }')
        await anext(answers)
        return answers

    async def follow(name: str, answers: AsyncGenerator[dict[str, Any], None]) -> None:
        for _ in range(7):
            await anext(answers)
            told.append(name)
        await answers.aclose()

    with counted_passes() as passes:
        await asyncio.gather(*[follow(name, await begun()) for name in "xy"])
    assert passes[0] > 16
    assert "xxxx" not in "".join(told)
    assert not turns._at_work


async def test_a_query_over_a_stream_waits_for_its_turn(services: Services) -> None:
    turns = WorkSlots(1)
    context = Context(services, Access(), READ_ONLY_CALLER, work_slot=lambda: turns.hold("a"))
    answers = stream(context, "{ head }")
    async with turns.hold("a"):
        asking = asyncio.ensure_future(anext(answers))
        await asyncio.wait([asking], timeout=0.2)
        assert not asking.done()
    assert await asking == {"data": {"head": "0"}}
    assert not turns._at_work  # a client that does not read the response holds no slot
    await answers.aclose()


async def test_so_many_queries_of_a_client_run_in_one_iteration_and_no_more() -> None:
    turns, done = WorkSlots(2), list[str]()

    async def work(client: str) -> None:
        async with turns.hold(client):
            done.append(client)  # without waiting for anything

    async with asyncio.TaskGroup() as tasks:
        for client in "aaaaab":
            tasks.create_task(work(client))
        await asyncio.sleep(0)
        assert done == ["a", "a", "b"]
    assert len(done) == 6
    await let_all_run()
    assert not turns._at_work


@pytest.fixture
def no_documents() -> None:
    """Forget all documents."""
    for cached in (documents.cache, documents.refused, documents.valid_selections):
        cached.clear()


@pytest.mark.usefixtures("no_documents")
@pytest.mark.parametrize("text", ["{ head }", "{ nothing }", "{", "{" + "head " * 70 + "}"])
async def test_no_document_is_parsed_in_the_event_loop(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []

    def noted(*arguments: Any) -> ParsedDocument:
        threads.append(threading.current_thread())
        return parse_document(*arguments)

    monkeypatch.setattr(documents, "parse_document", noted)
    with counted_passes() as passes:
        for _ in range(2):
            await parsed_document(CORE_SCHEMA, text, True)
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()
    assert passes[0] > 0


async def test_documents_of_two_clients_are_parsed_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    all_sent, parsed = threading.Event(), list[str]()

    def noted(schema: Any, text: str, introspection: bool) -> ParsedDocument:
        all_sent.wait(within(10))
        parsed.append(text[6])
        return parse_document(schema, text, introspection)

    async def ask(client: str, number: int) -> None:
        CURRENT_OPERATION.set(OperationInfo("", "", client))
        await parsed_document(CORE_SCHEMA, f"query {client}{number} {{ head }}", True)

    monkeypatch.setattr(documents, "parse_document", noted)
    async with asyncio.TaskGroup() as tasks:
        for number, client in enumerate("aaaaabb"):
            tasks.create_task(ask(client, number))
        await let_all_run()
        all_sent.set()
    assert "".join(parsed) == "ababaaa"


@pytest.mark.usefixtures("no_documents")
async def test_documents_are_parsed_in_the_slot_of_their_client_over_every_route(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, parsed, hold = Counter[int](), list[bool](), WorkSlots.hold

    @asynccontextmanager
    async def noted_hold(self: WorkSlots, client: str) -> AsyncIterator[None]:
        async with hold(self, client):
            held[self._most] += 1
            yield
            held[self._most] -= 1

    def noted(*arguments: Any) -> ParsedDocument:
        parsed.append(held[Access().queries] > 0 and held[1] > 0)
        return parse_document(*arguments)

    monkeypatch.setattr(WorkSlots, "hold", noted_hold)
    monkeypatch.setattr(documents, "parse_document", noted)
    tool = {"name": "search", "arguments": {"text": "tin"}}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": tool}
    async with serving(services, Access()) as (address, *_):
        async with httpx2.AsyncClient(base_url=f"http://{address}", timeout=within(60)) as client:
            await client.post("/graphql", json={"query": "query A { head }"})
            streamed = {"Accept": "text/event-stream"}
            await client.post("/graphql", json={"query": "query B { head }"}, headers=streamed)
            deferred = {"Accept": "multipart/mixed;deferSpec=20220824, application/json"}
            await client.post("/graphql", json={"query": "query C { head }"}, headers=deferred)
            both = {"Accept": "application/json, text/event-stream"}
            await client.post("/mcp", json=call, headers=both)
            await client.get("/commodities")
            await client.get("/tables/controls.csv")
        many = len(parsed)
        async with connected(f"ws://{address}/graphql") as socket:
            await subscribe(socket, "query D { head }")
            await receive(socket)
    assert len(parsed) == many + 1
    assert many >= 6
    assert all(parsed)


async def test_large_bodies_of_a_client_are_read_while_others_of_it_wait(
    services: Services,
) -> None:
    api, begun, ending = Api(services, Access(queries=2)), list[int](), asyncio.Event()

    async def body(number: int) -> AsyncIterator[bytes]:
        begun.append(number)
        yield b'{"query": "{ head }", "variables": {"a": "' + b"x" * 100_000
        await ending.wait()
        yield b'"}}'

    async def post(number: int) -> int:
        headers = {"Content-Type": "application/json"}
        response = await api.request("POST", "/graphql", content=body(number), headers=headers)
        return response.status_code

    async with asyncio.TaskGroup() as tasks, asyncio.timeout(within(20)):
        posting = [tasks.create_task(post(number)) for number in range(5)]
        while len(begun) < 2:
            await asyncio.sleep(0.01)
        assert await api.ask("{ head }") == {"head": "0"}  # small bodies do not wait
        assert len(begun) == 2
        ending.set()
    assert [task.result() for task in posting] == [200] * 5


async def test_listing_the_tools_of_assistants_takes_a_slot(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    access_control = AccessControl(services.tokens, Access())
    client, loads = Client(READ_ONLY_CALLER, "a"), list[int]()

    async def exchange(*_: Any) -> Response:
        loads.append(access_control._work_slots.load("a"))
        return Response()

    module: Any = SimpleNamespace(exchange=exchange)
    request = Request({"type": "http", "path": "/mcp", "headers": [], "server": ("a", 80)})
    unused: Any = None
    route = AssistantRoute(access_control, unused, unused, unused, unused)
    await route._exchange(module, request, client, b"{}")
    assert loads == [1]
