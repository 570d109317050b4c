"""Admission: refusals before values are read, and the document caches."""

import asyncio
import gc
import time
import tracemalloc
from typing import Any

import pytest
import strawberry
from graphql import parse
from strawberry.extensions import SchemaExtension

from schema.base.memo import MAX_CACHED_WEIGHT, memoize_by_identity
from schema.execution.admission import (
    MAX_BODY_BYTES,
    MAX_COMMANDS,
    MAX_LIST_ITEMS,
    MAX_READER_BODY_BYTES,
)
from schema.execution.documents import (
    BYTES_PER_TOKEN,
    MAX_CACHE_BYTES,
    MAX_DOCUMENT_CHARACTERS,
    cache,
    parse_document,
    parsed_document,
    without_cycles,
)
from schema.execution.execute import execute
from schema.execution.plans.operation_plans import MAX_PLAN_VARIANTS, cached_plans
from schema.execution.schema import CORE_SCHEMA, TrackerSchema
from schema.root.query import Query
from schema.services import READ_ONLY_CALLER, Access, Services
from tests.contract.test_security import codes
from tests.support.api import Api, control
from tests.support.cases import each_case
from tests.support.time_limits import within
from tests.support.web_server import serving
from tests.support.websocket_client import connected, receive, subscribe
from tracker.auth.scopes import Caller, Scope, expand_scopes

RECORD = "mutation ($all: [CommandInput!]!) { record(commands: $all) { position } }"
NONSENSE = [{"nonsense": "x" * 100}]


@pytest.fixture
def reading(services: Services) -> Api:
    """Run the API for anonymous clients."""
    return Api(services, Access())


async def test_a_reader_is_refused_before_a_large_body_is_read(reading: Api) -> None:
    commands = NONSENSE * 100_000
    assert len(str(commands)) < MAX_BODY_BYTES
    started = time.process_time()
    answer = await reading.post(RECORD, all=commands)
    assert codes(answer) == {"TOO_LARGE"}
    assert str(MAX_READER_BODY_BYTES) in str(answer)
    assert time.process_time() - started < 5  # nearly all of it is the test's own writing


@pytest.mark.parametrize(
    "text",
    [
        RECORD,
        "mutation ($all: [CommandInput!]!) { record: record(commands: $all) { position } }",
        "mutation ($all: [CommandInput!]!) { ...f } fragment f on Mutation { record(commands: $all)"
        " { position } }",
        "mutation ($all: [CommandInput!]!) { ... { __typename record(commands: $all) { position } } }",
    ],
)
async def test_a_reader_is_refused_before_the_values_are_read(reading: Api, text: str) -> None:
    answer = await reading.post(text, all=NONSENSE)
    assert codes(answer) == {"UNAUTHENTICATED"}
    assert (answer["data"], answer["errors"][0]["path"]) == (None, ["record"])


async def test_a_mutation_asks_for_the_scope_that_it_needs(services: Services) -> None:
    text = "mutation ($in: RedactEventInput!) { redactEvent(input: $in) { position } }"
    for caller, code in (
        (READ_ONLY_CALLER, "UNAUTHENTICATED"),
        (Caller("ann", expand_scopes([Scope.RECORD])), "FORBIDDEN"),
        (Caller("eve", expand_scopes([Scope.ADMIN])), "BAD_USER_INPUT"),
    ):
        answer = await execute(services, text, {"in": 1}, Access(), caller=caller)
        assert codes(answer) == {code}


async def test_requests_that_change_nothing_need_no_token(reading: Api) -> None:
    assert await reading.ask("mutation { __typename }") == {"__typename": "Mutation"}


async def test_all_operations_but_the_one_asked_for_are_nobodys_business(reading: Api) -> None:
    text = "query a { head } mutation b { record(commands: []) { position } }"
    body = {"query": text, "operationName": "a"}
    assert (await reading.request("POST", "/graphql", json=body)).json()["data"] == {"head": "0"}


async def test_a_batch_is_counted_before_its_commands_are_read(api: Api) -> None:
    refused = ("INVALID_BATCH_SIZE", ["commands"])
    assert await api.refused(RECORD, all=NONSENSE * (MAX_COMMANDS + 1)) == refused
    assert await api.refused(RECORD, all=[]) == refused
    commands = [{"announceExportControl": control(f"x{n}")} for n in range(3)]
    assert (await api.ask(RECORD, all=commands))["record"]["position"] == "3"


@each_case(
    "text",
    [
        "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename } }",
        "query ($ids: [String!]) { events(types: $ids) { totalCount } }",
        "subscription ($ids: [String!]) { events(types: $ids) { position } }",
    ],
)
async def test_no_list_in_a_variable_is_longer_than_it_may_be(api: Api, text: str) -> None:
    headers = {"accept": "text/event-stream"} if text.startswith("sub") else {}
    body = {"query": text, "variables": {"ids": ["x"] * (MAX_LIST_ITEMS + 1)}}
    told = (await api.request("POST", "/graphql", json=body, headers=headers)).text
    assert "TOO_LARGE" in told
    assert '["ids"]' in told


async def test_a_socket_takes_no_more_of_those_who_may_not_write(services: Services) -> None:
    async with (
        serving(services, Access()) as (address, _, _),
        connected(f"ws://{address}/graphql") as socket,
    ):
        await subscribe(socket, RECORD, all=NONSENSE)
        assert "UNAUTHENTICATED" in str(await receive(socket))
        await subscribe(socket, "x" * MAX_READER_BODY_BYTES)
        await asyncio.wait_for(socket.wait_closed(), within(10))
        assert socket.close_code == 1009


# --- documents


def test_fields_are_not_repeated_until_validation_takes_seconds() -> None:
    text = "{ asOf {" + "exportControls { totalCount nodes { key title } } " * 180 + "} }"
    started = time.process_time()
    [error] = parse_document(CORE_SCHEMA, text).errors
    assert (error.extensions or {}).get("code") == "TOO_MANY_FIELDS"
    assert time.process_time() - started < 4  # it was six seconds on a machine at rest


def test_neither_fragments_nor_circles_hide_repeated_fields() -> None:
    spread = "{ asOf {" + "... { ...f } " * 180 + "} } fragment f on AsOf { position digest }"
    circles = "{ ...f0 }" + " ".join(
        f"fragment f{n} on Query {{ ...f{(n + 1) % 50} ... {{ ...f{(n + 1) % 50} }} }}"
        for n in range(50)
    )
    for text, code in ((spread, "TOO_MANY_FIELDS"), (circles, "GRAPHQL_VALIDATION_FAILED")):
        found = [error.extensions or {} for error in parse_document(CORE_SCHEMA, text).errors]
        assert found[0].get("code", "GRAPHQL_VALIDATION_FAILED") == code


def test_a_document_may_have_so_many_letters_and_no_more() -> None:
    text = "{ head }" + " " * (MAX_DOCUMENT_CHARACTERS - 8)
    assert not parse_document(CORE_SCHEMA, text).errors
    [error] = parse_document(CORE_SCHEMA, text + " ").errors
    assert (error.extensions or {}).get("code") == "TOO_LARGE"


async def test_documents_that_are_kept_take_no_more_memory_than_they_may() -> None:
    for number in range(50):
        name = f"a{number}"
        await parsed_document(
            CORE_SCHEMA, "{" + f"{name}: head " + "... { head } " * 140 + "}", True
        )
    assert 0 < cache.bytes <= MAX_CACHE_BYTES
    assert 20 < len(cache) < 50


@each_case("part", ["... { head } ", "asOf { position } ", "... on Query { head } "])
def test_the_memory_of_a_document_is_not_underestimated(part: str) -> None:
    text = "{" + part * 100 + "}"
    parse(text)
    tracemalloc.start()
    documents = [without_cycles(parse(text)) for _ in range(20)]
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    tokens = sum(document.token_count or 0 for document in documents)
    assert tokens > 20 * 100
    assert taken <= BYTES_PER_TOKEN * tokens


def test_a_document_that_is_forgotten_leaves_nothing_to_the_garbage_collector() -> None:
    gc.collect()
    for _ in range(3):
        without_cycles(parse("{ asOf { position } ...f } fragment f on Query { head }"))
    assert gc.collect() < 20  # each would leave a hundred objects


async def test_plans_are_not_kept_for_every_way_to_include_fields(api: Api) -> None:
    names = [f"v{n}" for n in range(5)]
    text = (
        f"query ({' '.join(f'${name}: Boolean!' for name in names)}) {{ commodities {{ key "
        + " ".join(f"n{name}: name @include(if: ${name})" for name in names)
        + " } }"
    )
    for number in range(2**5):
        values = {name: bool(number >> at & 1) for at, name in enumerate(names)}
        found = (await api.ask(text, **values))["commodities"][0]
        assert set(found) == {"key", *(f"n{name}" for name in names if values[name])}
    [operation] = (await parsed_document(CORE_SCHEMA, text, True)).operations
    plans = cached_plans(operation, [])
    assert len(plans.variants) <= MAX_PLAN_VARIANTS
    assert len(plans.serializers) <= 2 * MAX_PLAN_VARIANTS


def test_memoized_values_are_evicted_by_size() -> None:
    made: list[Any] = []

    @memoize_by_identity(len)
    def make(one: list[int], other: str) -> int:
        made.append(one)
        return len(one)

    lists = [[0] * (MAX_CACHED_WEIGHT // 3) for _ in range(4)]
    for of in (*lists[:3], lists[2], lists[0], *lists[1:]):
        assert make(of, "x") == MAX_CACHED_WEIGHT // 3
    assert [lists.index(of) for of in made if of is lists[0]] == [0]
    make(lists[0], "x")
    assert sum(of is lists[0] for of in made) == 2


# --- extensions


class Counting(SchemaExtension):
    """A custom extension."""


@each_case("extension", [Counting, Counting(), lambda: Counting()])
def test_an_extension_that_would_not_run_is_refused_at_the_start(extension: Any) -> None:
    with pytest.raises(TypeError, match="would not run"):
        TrackerSchema(
            query=Query, extensions=[extension], config=strawberry.schema.config.StrawberryConfig()
        )
