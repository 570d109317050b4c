"""The tools by the official client of the protocol: over HTTP, and over standard input and output."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from schema.app import create_app
from schema.assistants import route
from schema.services import Access, Services
from tests.support.checkout import ROOT
from tests.support.database_urls import database_url
from tests.support.libraries import jsonschema, mcp
from tests.support.processes import TRACKER
from tests.support.time_limits import within
from tests.support.web_server import serving
from tracker.postgres.database import Target

MAX_LIST_BYTES = 39_500
"""Maximum size of the tools as JSON, because a model's context is limited."""
MAX_TOLD_BYTES = 11_500
"""Of it names, descriptions and inputs, which every model is given."""
CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
JSON = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
HANDSHAKE_REVISIONS = ("2025-03-26", "2025-06-18", "2025-11-25")
"""The revisions of the protocol that begin with `initialize`."""
STATELESS_REVISION = "2026-07-28"
BAN = {"control": "cn-mofcom-2024-46", "day": "2025-11-20"}


async def ask(method: str, url: str, **options: Any) -> httpx2.Response:
    """Send a request of a client without protocol state."""
    async with httpx2.AsyncClient(timeout=within(60)) as client:
        return await client.request(method, url, **options)


def size(value: Any) -> int:
    """Return the bytes of a value as JSON on the wire."""
    return len(json.dumps(value, separators=(",", ":")).encode())


async def call(client: mcp.Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """Return the structured result of a call; the client validates it against the tool's schema."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    found: dict[str, Any] = result.structured_content
    return found


async def refused(client: mcp.Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """Return the error of a call, and check that its text is equal."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    told: dict[str, Any] = result.structured_content
    assert told["message"] in result.content[0].text
    return told


@pytest.mark.parametrize("revision", HANDSHAKE_REVISIONS)
async def test_each_revision_with_a_handshake_is_agreed_on_and_answered(
    url: str, revision: str
) -> None:
    about = {"capabilities": {}, "clientInfo": {"name": "a client", "version": "1"}}
    begin = {**CALL, "method": "initialize", "params": {**about, "protocolVersion": revision}}
    agreed = await ask("POST", f"{url}/mcp", json=begin, headers=JSON)
    assert agreed.json()["result"]["protocolVersion"] == revision
    answer = await ask(
        "POST",
        f"{url}/mcp",
        json={**CALL, "method": "tools/call", "params": {"name": "controls", "arguments": BAN}},
        headers={**JSON, "MCP-Protocol-Version": revision},
    )
    [control] = answer.json()["result"]["structuredContent"]["items"]
    assert control["key"] == BAN["control"]
    assert f"`{revision}`" in (ROOT / "docs" / "assistants.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("mode", ["legacy", "auto", STATELESS_REVISION])
async def test_clients_of_both_eras_are_answered(url: str, mode: str) -> None:
    async with mcp.Client(f"{url}/mcp", mode=mode) as client:
        [control] = (await call(client, "controls", **BAN))["items"]
        if mode != STATELESS_REVISION:  # named without a query to the server
            assert "mustSay" in client.instructions
    clauses = {clause["key"]: clause for clause in control["clauses"]}
    assert clauses["2"]["status"] == "suspended"
    assert clauses["2"]["returnsOn"] == "2026-11-28"


async def test_tools_say_that_they_only_read_and_fit_into_a_context(url: str) -> None:
    async with mcp.Client(f"{url}/mcp") as client:
        tools = (await client.list_tools()).tools
    assert len(tools) == 12
    assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools)
    listed = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]
    told = [
        {name: tool[name] for name in ("name", "description", "inputSchema")} for tool in listed
    ]
    assert size(listed) < MAX_LIST_BYTES
    assert size(told) < MAX_TOLD_BYTES
    for tool in tools:
        jsonschema.Draft202012Validator.check_schema(tool.input_schema)
        jsonschema.Draft202012Validator.check_schema(tool.output_schema or {})


async def test_an_answer_can_be_checked_at_its_address(url: str) -> None:
    async with mcp.Client(f"{url}/mcp") as client:
        result = await client.call_tool("controls", BAN)
    answer = result.structured_content
    assert answer["address"].startswith(f"{url}/controls/cn-mofcom-2024-46?")
    page = await ask("GET", answer["address"], headers={"Accept": "application/json"})
    data = (await ask("GET", answer["address"].replace("?", ".json?"))).json()["data"]["asOf"]
    assert page.status_code == 200
    for name in ("validAt", "logRoot", "knownAt"):
        assert data[name] == answer[name]
    assert data["position"] == str(answer["position"])
    text = result.content[0].text
    for told in (answer["logRoot"], answer["address"], *answer["mustSay"]):
        assert told in text
    [seen] = [one for one in answer["sources"] if "pakistantoday" in one["url"]]
    event = (await ask("GET", f"{url}/events/{seen['events'][0]}.json")).json()
    assert seen["url"] in json.dumps(event)


@pytest.mark.parametrize(
    ("tool", "arguments", "code", "path", "said"),
    [
        ("controls", {"commodity": "galium"}, "UNKNOWN_COMMODITY", "commodity", "'gallium'"),
        ("controls", {"issuer": "Chnia"}, "UNKNOWN_PLACE", "issuer", "did you mean"),
        ("controls", {"day": "2025-02-30"}, "INVALID_DATE", "day", "expected"),
        ("controls", {"position": 10**9}, "POSITION_AHEAD", "position", "position"),
        ("controls", {"measure": "bann"}, "INVALID_INPUT", "measure", "'ban'"),
        ("controls", {"comodity": "gallium"}, "INVALID_INPUT", "comodity", "'commodity'"),
        ("controls", {"first": 51}, "INVALID_INPUT", "first", "50"),
        ("controls", {"search": "x" * 301}, "TOO_LARGE", "search", "300"),
        ("controls", {"control": "cn-mofcom-2024-64"}, "NOT_FOUND", "control", "cn-mofcom-2024-46"),
        ("history", {"entity": "alliance/quadd"}, "NOT_FOUND", "entity", "alliance/quad"),
        ("claims", {"figure": "cobalt/CD/production/mine/1801"}, "NOT_FOUND", "figure", "no claim"),
        ("claims", {}, "INVALID_INPUT", "figure", "expected the key"),
        ("search", {"text": "?"}, "INVALID_INPUT", "text", "letter or digit"),
        ("exposure", {}, "INVALID_INPUT", "commodity", "expected a commodity"),
        (
            "dependence",
            {"commodity": "tin"},
            "FIELD_REQUIRED",
            "importer",
            "expected the field importer",
        ),
        ("dependence", {"commodity": "tin", "importer": "XX"}, "UNKNOWN_PLACE", "importer", "XX"),
        ("production", {}, "FIELD_REQUIRED", "commodity", "expected the field commodity"),
        ("production", {"commodity": "tin", "place": "Chnia"}, "UNKNOWN_PLACE", "place", "CN"),
        ("production", {"commodity": "tin", "place": ""}, "UNKNOWN_PLACE", "place", "not a place"),
        ("changes", {"day": "2025-01-01"}, "INVALID_INPUT", "fromDay", "first moment"),
        ("upcoming", {"days": "soon"}, "INVALID_INPUT", "days", "expected"),
    ],
)
async def test_wrong_input_is_refused_at_its_field_with_what_was_expected(
    url: str, tool: str, arguments: dict[str, Any], code: str, path: str, said: str
) -> None:
    async with mcp.Client(f"{url}/mcp") as client:
        told = await refused(client, tool, **arguments)
    assert (told["code"], told["path"]) == (code, [path])
    assert said in told["message"]


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("controls", {"issuer": "CN", "measure": "ban", "hsCode": "8112", "direction": "export"}),
        ("exposure", {"commodity": "gallium", "destination": "US", "stage": "primary"}),
        ("exposure", {"destination": "DE"}),
        ("dependence", {"commodity": "gallium", "importer": "US"}),
        ("production", {"commodity": "titanium", "stage": "mine"}),
        ("claims", {"commodity": "cobalt", "place": "CD", "statistic": "production", "year": 2023}),
        ("changes", {"fromDay": "2025-06-01", "fromPosition": 5000, "kind": "figure"}),
        ("upcoming", {"place": "CN"}),
        ("obligations", {"place": "DE", "role": "importer", "commodity": "tin"}),
        ("history", {"entity": "firm/mp-materials"}),
        ("search", {"text": "gallium licence", "kind": "export_control"}),
    ],
)
async def test_every_tool_names_a_page_of_the_same_state(
    url: str, tool: str, arguments: dict[str, Any]
) -> None:
    async with mcp.Client(f"{url}/mcp") as client:
        answer = await call(client, tool, day="2026-06-01", **arguments)
    page = await ask("GET", answer["address"], headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert answer["logRoot"] in page.text
    assert f"position={answer['position']}" in answer["address"]


async def test_an_answer_is_the_same_for_ever_at_its_position(url: str) -> None:
    async with mcp.Client(f"{url}/mcp") as client:
        now = await call(client, "controls", issuer="CN", day="2025-11-20")
        then = await call(client, "controls", issuer="CN", day="2025-11-20", position=3000)
        again = await call(
            client, "controls", issuer="CN", day="2025-11-20", position=now["position"]
        )
    assert again == now
    assert (then["position"], then["logRoot"] != now["logRoot"]) == (3000, True)


async def test_an_unknown_tool_is_refused_with_the_nearest_one(url: str) -> None:
    async with mcp.Client(f"{url}/mcp") as client:
        with pytest.raises(mcp.MCPError, match="did you mean 'exposure'"):
            await client.call_tool("exposures", {})


async def test_a_list_goes_on_where_it_was_left(url: str) -> None:
    keys: list[str] = []
    after = None
    async with mcp.Client(f"{url}/mcp") as client:
        while True:
            asked = {"issuer": "ID", "day": "2026-06-01", "first": 3, "after": after}
            answer = await call(client, "controls", **asked)
            keys += [item["key"] for item in answer["items"]]
            if "leftOut" not in answer:
                break
            after = answer["leftOut"]["after"]
    assert len(keys) == len(set(keys)) == answer["total"] > 3


async def test_an_answer_has_a_size_and_says_what_it_left_out(url: str) -> None:
    async with mcp.Client(f"{url}/mcp") as client:
        result = await client.call_tool("controls", {"day": "2026-06-01", "first": 50})
    answer = result.structured_content
    assert size(answer["items"]) < 25_000
    assert 0 < len(answer["items"]) < 50
    assert answer["leftOut"]["after"] in result.content[0].text


async def test_tokens_and_limits_hold(read_services: Services) -> None:
    access = Access(token="secret", read_open=False, rate=0.01)
    async with serving(read_services, access) as (address, _, _):
        asked = await ask("POST", f"http://{address}/mcp", json=CALL, headers=JSON)
        assert asked.status_code == 401
        assert asked.headers["www-authenticate"] == "Bearer"
        held = {**JSON, "Authorization": "Bearer secret"}
        assert (await ask("POST", f"http://{address}/mcp", json=CALL, headers=held)).is_success
        asked = await ask("POST", f"http://{address}/mcp", json=CALL, headers=held)
        assert (asked.status_code, "retry-after" in asked.headers) == (429, True)


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Host": "evil.example"}, 421, "UNKNOWN_HOST"),
        ({"Origin": "https://evil.example"}, 403, "UNKNOWN_ORIGIN"),
        ({"Origin": "null"}, 403, "UNKNOWN_ORIGIN"),
    ],
)
async def test_pages_of_other_sites_are_refused(
    url: str, headers: dict[str, str], status: int, code: str
) -> None:
    asked = await ask("POST", f"{url}/mcp", json=CALL, headers={**JSON, **headers})
    assert asked.status_code == status
    assert asked.json()["errors"][0]["extensions"]["code"] == code


async def test_own_pages_and_listed_origins_are_answered(read_services: Services) -> None:
    access = Access(origins=("https://friend.example",))
    async with serving(read_services, access) as (address, _, _):
        for origin in (f"http://{address}", "https://friend.example"):
            asked = await ask(
                "POST", f"http://{address}/mcp", json=CALL, headers={**JSON, "Origin": origin}
            )
            assert asked.status_code == 200
        before = {
            "Origin": "https://friend.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "mcp-method, mcp-name, mcp-protocol-version",
        }
        asked = await ask("OPTIONS", f"http://{address}/mcp", headers=before)
        assert asked.status_code == 200


async def test_only_small_posts_are_taken(url: str) -> None:
    large = await ask("POST", f"{url}/mcp", content=b" " * 65_537, headers=JSON)
    assert large.status_code == 413
    for method in ("GET", "DELETE"):
        assert (await ask(method, f"{url}/mcp", headers=JSON)).status_code == 405
    for body in (b"{", b"[]", b'{"id": 1}', b"\xff", b"[" * 60_000):
        asked = await ask("POST", f"{url}/mcp", content=body, headers=JSON)
        assert 400 <= asked.status_code < 500


async def test_calls_are_counted_like_other_operations(url: str) -> None:
    async with mcp.Client(f"{url}/mcp") as client:
        await call(client, "search", text="quad")
        await refused(client, "controls", commodity="galium")
    metrics = (await ask("GET", f"{url}/metrics")).text
    counted = 'tracker_assistant_seconds_count{operation="%s",outcome="%s"} '
    assert counted % ("AssistantSearch", "ok") in metrics
    assert counted % ("AssistantControls", "UNKNOWN_COMMODITY") in metrics


async def test_without_the_extra_it_is_said_how_to_install_it(
    read_services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(route, "SDK", "no_such_package")
    monkeypatch.setattr(route, "HTTP", "not_imported_yet")
    transport = httpx2.ASGITransport(create_app(read_services, Access()))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        asked = await client.post("/mcp", json=CALL, headers=JSON)
    [error] = asked.json()["errors"]
    assert asked.status_code == 501
    assert error["extensions"]["code"] == "ASSISTANTS_NOT_INSTALLED"
    assert "[mcp]" in error["message"]


async def test_a_command_answers_over_standard_input_and_output(
    read_target: Target, tmp_path: Path
) -> None:
    target = read_target
    database = database_url(target)
    command = mcp.StdioServerParameters(
        command=TRACKER[0],
        args=[*TRACKER[1:], "mcp"],
        env={"TRACKER_DATABASE_URL": database, "TRACKER_DATA_DIR": str(tmp_path / "none")},
    )
    async with mcp.Client(mcp.stdio_client(command)) as client:
        answer = await call(client, "controls", **BAN)
        told = await refused(client, "controls", commodity="galium")
    assert answer["items"][0]["key"] == "cn-mofcom-2024-46"
    assert answer["address"].startswith("/controls/")
    assert told["path"] == ["commodity"]


async def test_a_command_passes_on_to_a_tracker_on_the_web(url: str) -> None:
    from schema.assistants.stdio import connected, create_relay  # loads a large library

    async with (
        httpx2.AsyncClient() as http,
        connected(f"{url}/mcp", http) as remote,
        mcp.Client(create_relay(remote)) as client,
    ):
        assert "mustSay" in client.instructions
        assert len((await client.list_tools()).tools) == 12
        answer = await call(client, "controls", **BAN)
        told = await refused(client, "controls", commodity="galium")
    assert answer["address"].startswith(f"{url}/controls/")
    assert told["path"] == ["commodity"]
