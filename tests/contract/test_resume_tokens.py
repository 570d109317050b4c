"""Resume tokens detect a different log; positions alone do not."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from deploy.bootstrap import running_tracker
from schema.services import Access
from tests.support.cases import each_case
from tests.support.checkout import ROOT
from tests.support.published_log import fill, restored, superuser
from tests.support.time_limits import within
from tests.support.web_server import serving
from tracker.errors import InvalidInput
from tracker.log.resume_token import ResumeToken, parse_resume_token
from tracker.postgres.database import Target

SSE = {"Accept": "text/event-stream", "Accept-Encoding": "identity"}
FOLLOW = "subscription ($after: Position) { events(after: $after) { position resumeToken } }"
LIST = "query ($after: Position) { events(after: $after, first: 9) { nodes { position resumeToken } } }"


async def ids(client: httpx2.AsyncClient, after: str = "", last: str = "") -> list[str]:
    """Return the ids of the server-sent events."""
    asked = {"follow": "false"} | ({"after": after} if after else {})
    response = await client.get("/events", params=asked, headers=SSE | {"Last-Event-ID": last})
    assert response.status_code == 200, response.text
    return re.findall("^id: (.*)$", response.text, re.MULTILINE)


@pytest.fixture
async def diverged(target: Target) -> AsyncIterator[tuple[httpx2.AsyncClient, list[str]]]:
    """Run a server on a log that was reset to 20 of 40 events and has grown to 60, with the tokens of
    40."""
    await fill(target, 40)
    async with (
        running_tracker(target) as services,
        serving(services, Access(open=True)) as (address, _, _),
        httpx2.AsyncClient(base_url=f"http://{address}", timeout=within(30)) as client,
    ):
        tokens = await ids(client)
    await superuser(target, *restored(20))
    await fill(target, 40, word="other")
    async with (
        running_tracker(target) as services,
        serving(services, Access(open=True)) as (address, _, _),
        httpx2.AsyncClient(base_url=f"http://{address}", timeout=within(30)) as client,
    ):
        yield client, tokens


async def refusals(client: httpx2.AsyncClient, after: str) -> set[tuple[int, str]]:
    """Return the refusal of every way to resume."""
    found = set()
    for response in (
        await client.get("/events", params={"after": after}),
        await client.get("/events?follow=false&after=0", headers={"Last-Event-ID": after}),
        await client.get("/events", params={"after": after, "follow": "false"}),
    ):
        found.add((response.status_code, response.json()["errors"][0]["extensions"]["code"]))
    for document, headers in ((LIST, {}), (FOLLOW, SSE)):
        body = {"query": document, "variables": {"after": after}}
        response = await client.post("/graphql", json=body, headers=headers)
        code = re.search('"code": ?"([A-Z_]+)"', response.text)
        found.add((409, code[1] if code else response.text))
    return found


async def test_a_token_of_what_is_gone_is_refused_and_the_common_part_is_found(
    diverged: tuple[httpx2.AsyncClient, list[str]],
) -> None:
    client, tokens = diverged
    assert [token.partition("-")[0] for token in tokens] == [str(n) for n in range(1, 41)]
    assert await refusals(client, tokens[39]) == {(409, "LOG_DIVERGED")}
    assert await refusals(client, tokens[20]) == {(409, "LOG_DIVERGED")}
    page = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    [example] = re.findall("```python\n(.*?)```", page, re.DOTALL)
    words: dict[str, Any] = {}
    exec(example, words)
    for kept, common in ((tokens, tokens[19]), (tokens[4::10], tokens[14]), (tokens[30:], "0")):
        assert await asyncio.to_thread(words["common_part"], str(client.base_url), kept) == common
    assert (await ids(client, last=tokens[19]))[0].startswith("21-")


async def test_clients_with_positions_go_on_as_they_did(
    diverged: tuple[httpx2.AsyncClient, list[str]],
) -> None:
    client, _ = diverged
    assert len(await ids(client, last="30")) == 30
    assert len(await ids(client, "55")) == 5
    body = {"query": LIST, "variables": {"after": 58}}
    nodes = (await client.post("/graphql", json=body)).json()["data"]["events"]["nodes"]
    assert [node["position"] for node in nodes] == ["59", "60"]
    body["variables"] = {"after": nodes[0]["resumeToken"]}
    assert (await client.post("/graphql", json=body)).json()["data"]["events"]["nodes"] == nodes[1:]
    body = {"query": FOLLOW, "variables": {"after": "59"}}
    async with client.stream("POST", "/graphql", json=body, headers=SSE) as response:
        async for line in response.aiter_lines():
            if line.startswith("data: "):
                assert json.loads(line[6:])["data"]["events"] == nodes[1]
                break
    lines = {"Accept": "application/x-ndjson"}
    raw = (await client.get("/events?follow=false&after=59", headers=lines)).content
    assert b"resume" not in raw
    assert raw.startswith(b'{"specversion"')


@each_case("text", ["", "-1", "1-", "1-9F86d081884c7d65", "1-9f86d081884c7d6", "1.0"])
def test_a_value_that_is_neither_position_nor_token_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="or a resume token"):
        parse_resume_token(text, "after")


def test_a_position_above_all_that_there_can_be_is_said_to_be_too_large() -> None:
    for text in (str(2**63), "9" * 40, f"{2**63}-9f86d081884c7d65"):
        with pytest.raises(
            InvalidInput, match=r"too large.* at most 9223372036854775807"
        ) as caught:
            parse_resume_token(text, "after")
        assert (caught.value.code, caught.value.path) == ("INVALID_POSITION", ("after",))


def test_a_token_is_a_position_and_a_hash() -> None:
    assert parse_resume_token("7", "after") == ResumeToken(7)
    assert str(parse_resume_token("7-9f86d081884c7d65", "after")) == "7-9f86d081884c7d65"
