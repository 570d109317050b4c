"""`@defer`: a response in parts for clients that accept it, and complete for all others."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from functools import partial
from typing import Any

import orjson
import pytest
from graphql import parse

from schema.base.context import Context
from schema.execution.document_cost import cost
from schema.execution.execute import QUERIES, parts
from schema.execution.schema import CORE_SCHEMA, SCHEMA
from schema.http.response_format import DEFER_MEDIA_TYPE, takes_parts
from schema.services import Access, Services
from tests.support.api import Api
from tests.support.cases import each_case
from tests.support.time_limits import within

ACCEPT = {"Accept": "multipart/mixed;incrementalSpec=v0.2,application/graphql-response+json"}
DEFERRED = """query ($put: Boolean = true) { asOf(validAt: "2025-11-20") {
    position
    ... @defer(if: $put, label: "controls") {
      exportControls(issuer: "CN", first: 3) { totalCount nodes { key clauses { key status } } } }
    alliance(id: "quad") { name ... @defer { announcements(first: 2) { nodes { key } } } } } }"""
PLAIN = DEFERRED.replace('@defer(if: $put, label: "controls")', "@include(if: $put)").replace(
    "@defer", ""
)
FAILING = """{ asOf { position ... @defer { exportControls(first: 2000) { totalCount } } } }"""


@pytest.fixture
def api(corpus_services: Services) -> Api:
    """Run the API on the shipped corpus."""
    return Api(corpus_services, Access())


async def in_parts(
    api: Api, query: str, headers: Mapping[str, str] = ACCEPT, **variables: Any
) -> list[dict[str, Any]]:
    """Return the parts of a response."""
    body = {"query": query, "variables": variables}
    response = await api.request("POST", "/graphql", json=body, headers=dict(headers))
    assert response.status_code == 200
    assert response.headers["content-type"] == DEFER_MEDIA_TYPE
    begin, *found, end = response.content.split(b"\r\n--graphql")
    assert (begin, end) == (b"", b"--\r\n")
    return [orjson.loads(part.partition(b"\r\n\r\n")[2]) for part in found]


def assembled(found: list[dict[str, Any]]) -> Any:
    """Return the data of all parts merged as by clients."""
    first, *later = found
    data, pending = first["data"], {one["id"]: one for one in first.get("pending", ())}
    for part in later:
        pending.update({one["id"]: one for one in part.get("pending", ())})
        for increment in part.get("incremental", ()):
            target = data
            path = [*pending[increment["id"]]["path"], *increment.get("subPath", ())]
            for step in path:
                target = target[step]
            merge(target, increment["data"])
    return data


def merge(target: dict[str, Any], more: dict[str, Any]) -> None:
    """Merge fields into an object, recursively."""
    for name, value in more.items():
        if isinstance(value, dict) and isinstance(target.get(name), dict):
            merge(target[name], value)
        else:
            target[name] = value


async def test_deferred_parts_come_last_and_make_the_same_answer(api: Api) -> None:
    found = await in_parts(api, DEFERRED)
    assert len(found) > 1
    assert [part["hasNext"] for part in found] == [True] * (len(found) - 1) + [False]
    first = found[0]["data"]["asOf"]
    assert first["position"]
    assert "exportControls" not in first
    assert found[0]["pending"][0] | {"id": ""} == {"id": "", "path": ["asOf"], "label": "controls"}
    assert assembled(found) == await api.ask(PLAIN)
    announced = [one["id"] for part in found for one in part.get("pending", ())]
    completed = [one["id"] for part in found for one in part.get("completed", ())]
    assert sorted(announced) == sorted(completed)
    moment = {"position": first["position"], "validAt": "2025-11-20"}
    assert all(part["extensions"]["moments"] == {"asOf": moment} for part in found)


async def test_clients_without_multipart_get_one_response(api: Api) -> None:
    expected = await api.ask(PLAIN)
    assert await api.ask(DEFERRED) == expected
    for accept in ("multipart/mixed;deferSpec=20220824,application/json", "multipart/mixed", "*/*"):
        response = await api.request(
            "GET", "/graphql", params={"query": DEFERRED}, headers={"Accept": accept}
        )
        assert response.headers["content-type"].startswith("application/json")
        assert response.json()["data"] == expected
    streamed = await api.request(
        "POST", "/graphql", json={"query": DEFERRED}, headers={"Accept": "text/event-stream"}
    )
    data = streamed.text.partition("event: next\ndata: ")[2].partition("\n")[0]
    assert orjson.loads(data)["data"] == expected


async def test_a_condition_that_does_not_hold_defers_nothing(api: Api) -> None:
    found = await in_parts(api, DEFERRED, put=False)
    assert "exportControls" in found[0]["data"]["asOf"]
    assert "announcements" not in found[0]["data"]["asOf"]["alliance"]
    whole = await in_parts(api, '{ asOf(validAt: "2025-11-20") { position } }')
    assert [set(part) for part in whole] == [{"data", "extensions"}]


async def test_an_error_in_what_is_deferred_leaves_the_rest(api: Api) -> None:
    first, last = await in_parts(api, FAILING)
    assert first["data"]["asOf"]["position"]
    assert "errors" not in first
    [completed] = last["completed"]
    [error] = completed["errors"]
    assert error["extensions"]["code"] == "INVALID_PAGE_SIZE"
    assert last["hasNext"] is False


@each_case(
    ("query", "code"),
    [
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ places @stream { code } }", "GRAPHQL_VALIDATION_FAILED"),
        ('{ ... @defer(label: "a") { head } ... @defer(label: "a") { head } }', None),
        ("subscription { events { position } }", "OPERATION_NOT_ALLOWED"),
        ("mutation { retractEvent(input: {}) { position } }", "GRAPHQL_VALIDATION_FAILED"),
        ("", "BAD_REQUEST"),
    ],
)
async def test_a_refusal_has_one_part(api: Api, query: str, code: str | None) -> None:
    [part] = await in_parts(api, query)
    assert part["errors"][0]["extensions"]["code"] == (code or "GRAPHQL_VALIDATION_FAILED")
    assert "data" not in part


async def test_a_late_part_is_abandoned_and_ends_with_the_reason(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: Any, **__: Any) -> None:
        await asyncio.sleep(60)

    await in_parts(api, FAILING.replace("2000", "20"))  # the document is known then
    monkeypatch.setattr("schema.execution.executor.ANSWER_TIMEOUT_SECONDS", within(0.5))
    monkeypatch.setattr(type(api.services.as_of.lists), "page", never)
    first, last = await in_parts(api, FAILING.replace("2000", "20"))
    assert first["data"]["asOf"]["position"]
    [completed] = last["completed"]
    assert completed["id"] == first["pending"][0]["id"]
    assert completed["errors"][0]["extensions"]["code"] == "TIMEOUT"
    assert last["hasNext"] is False


async def test_a_client_that_leaves_or_reads_slowly_holds_no_turn(
    corpus_services: Services,
) -> None:
    turns: list[str] = []

    class Turn:
        async def __aenter__(self) -> None:
            turns.append("taken")

        async def __aexit__(self, *_: object) -> None:
            turns.append("given back")

    context = Context(corpus_services, Access(), Access().anyone(), work_slot=Turn)
    made = partial(parts, context, DEFERRED, {}, None, QUERIES, orjson.dumps)
    async with aclosing(made()) as found:
        assert "data" in orjson.loads(await anext(found))
        async with asyncio.timeout(within(10)):
            while len(turns) < 2:
                await asyncio.sleep(
                    0.01
                )  # the next part is not read, and the slot is still released
        assert turns == ["taken", "given back"]
        assert orjson.loads([part async for part in found][-1])["hasNext"] is False
    async with aclosing(made()) as found:
        await anext(found)
    assert turns == ["taken", "given back"] * 2


async def test_where_many_parts_wait_an_answer_is_given_whole(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("schema.http.streaming.MAX_UNSENT_BYTES", 1)
    for _ in range(3):  # sent parts no longer count as waiting
        assert len(await in_parts(api, DEFERRED)) > 1
    monkeypatch.setattr("schema.http.streaming.MAX_UNSENT_BYTES", 0)
    whole = await api.request("POST", "/graphql", json={"query": DEFERRED}, headers=ACCEPT)
    assert whole.headers["content-type"].startswith("application/graphql-response+json")
    assert whole.json()["data"] == await api.ask(PLAIN)


def test_a_deferred_fragment_costs_as_many_times_as_it_may_be_sent() -> None:
    text = (
        "{ asOf { announcements(first: 100) { nodes { key ... %s { aboutEntities { key } } } } } }"
    )
    plain, deferred = (cost(CORE_SCHEMA, parse(text % part), {}) for part in ("", "@defer"))
    assert deferred - plain == 100 * 20


@each_case(
    ("accept", "expected"),
    [
        ("multipart/mixed;incrementalSpec=v0.2", True),
        ('Multipart/Mixed; incrementalSpec="v0.2", application/json', True),
        ("application/json, multipart/mixed;incrementalSpec=v0.2", False),
        ("multipart/mixed;incrementalSpec=v0.1", False),
        ("multipart/mixed;subscriptionSpec=1.0", False),
        ("", False),
    ],
)
def test_the_first_type_says_whether_parts_are_taken(accept: str, expected: bool) -> None:
    assert takes_parts(accept) is expected


def test_the_schema_has_the_directive() -> None:
    assert "directive @defer" in SCHEMA.as_str()
