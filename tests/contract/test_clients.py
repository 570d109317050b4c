"""Clients and audits of the ecosystem, unmodified, against the running server.

They come from npm, at the versions in `tests/contract/clients/package-lock.json`.
"""

import json
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema, is_scalar_type, specified_scalar_types

from schema.execution.persisted_documents import TrustedDocuments
from schema.http import graphiql
from schema.http.response_format import MULTIPART, SSE
from schema.services import Services
from tests.support.api import OPEN
from tests.support.documents import Program, block, running_program
from tests.support.node import CLIENTS, node, npm_packages
from tests.support.ports import free_port
from tests.support.relays import append
from tests.support.waiting import until
from tests.support.web_server import serving
from tracker.domain.controls.export_control import ExportControlState

SCHEMA = Path(__file__).parents[2] / "schema" / "schema.graphql"
DOCS = Path(__file__).parents[2] / "docs" / "api.md"
GRAPHIQL = (Path(__file__).parents[2] / "docs" / "graphiql.md").read_text(encoding="utf-8")
AUDITS = 61


@pytest.fixture(scope="session")
def programs() -> Path:
    """Return the directory of the programs in `tests/contract/clients` with their packages."""
    return npm_packages()


@pytest.fixture
def workplace(programs: Path) -> Iterator[Path]:
    """Create a separate directory with the programs, below the packages."""
    with tempfile.TemporaryDirectory(dir=programs) as directory:
        shutil.copytree(CLIENTS, directory, dirs_exist_ok=True)
        shutil.copy(SCHEMA, directory)
        yield Path(directory)


async def compile_for_relay(workplace: Path, **options: Any) -> Path:
    """Return the directory of programs for Relay, with compiled artifacts."""
    directory = workplace / "relay"
    (directory / "artifacts").mkdir()
    (directory / "documents.json").write_text("{}")
    config = directory / "relay.config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | options))
    await node(directory, "../../node_modules/relay-compiler/cli.js")
    return directory


@pytest.fixture
async def url(corpus_services: Services) -> AsyncIterator[str]:
    """Run a server with the shipped corpus, open for writing, and return the address of the API."""
    async with serving(corpus_services, OPEN) as (address, *_):
        yield f"http://{address}/graphql"


async def run(workplace: Path, name: str, url: str) -> Any:
    """Return the result of a program of `tests/contract/clients` for a server."""
    return json.loads(await node(workplace, name, url))


async def test_the_server_passes_every_audit_of_graphql_over_http(
    workplace: Path, url: str
) -> None:
    results = await run(workplace, "graphql-http.js", url)
    assert [result for result in results if result["status"] != "ok"] == []  # no notices either
    assert len(results) == AUDITS


POST_JSON = ["POST", "application/graphql-response+json", "application/graphql-response+json"]
GET_JSON = ["GET", *POST_JSON[1:]]
REQUESTS = {
    "graphql-ws": None,
    "graphql-sse": [["POST", SSE, SSE]] * 3,
    "urql": [POST_JSON, ["POST", SSE, SSE], ["POST", SSE, SSE]],
    "apollo": [
        POST_JSON,
        GET_JSON,
        GET_JSON,
        POST_JSON,
        GET_JSON,
        ["POST", MULTIPART, MULTIPART],
        ["POST", MULTIPART, MULTIPART],
    ],
}


@pytest.mark.parametrize("client", REQUESTS)
async def test_clients_ask_and_follow_unmodified(
    workplace: Path, url: str, corpus_services: Services, client: str
) -> None:
    head = await corpus_services.recorder.head()
    before = await corpus_services.as_of.counts(await corpus_services.as_of.resolve())
    found = await run(workplace, f"{client}.js", url)
    for controls in found["controls"] if client == "apollo" else [found["controls"]]:
        assert controls["totalCount"] == before["export-control"]
        assert len({control["id"] for control in controls["nodes"]}) == 2
    assert [position for position, _ in found["events"]] == [str(head), str(head + 1)]
    assert found["events"][1][1] == f"export-control/{client}-1"
    count = before["export-control"] + 1
    assert found["world"] == [[str(head + 1), count], [str(head + 2), count + 1]]
    assert found.get("requests") == REQUESTS[client]


def follower(workplace: Path, *arguments: str) -> AbstractContextManager[Program]:
    """Return the program of docs/subscriptions.md that follows the log with graphql-ws."""
    text = block("docs/subscriptions.md", "js", "// node follow.mjs")
    return running_program(workplace, "follow.mjs", text, *arguments)


async def test_the_documented_follower_prints_each_event_once_though_its_server_is_stopped(
    workplace: Path, services: Services
) -> None:
    port = free_port()
    with follower(workplace, f"ws://127.0.0.1:{port}/graphql") as program:
        for number in range(4):
            async with serving(services, OPEN, port=port):
                await append(services.recorder, f"{number}a", 50)
                wanted = f"{number * 100 + 50} "
                await until(lambda wanted=wanted: wanted in program.read())
                await append(services.recorder, f"{number}b", 50)
        printed = re.findall(r"^(\d+) ExportControl\.Announced$", program.read(), re.MULTILINE)
    assert [*map(int, printed)] == [*range(1, len(printed) + 1)]
    assert len(printed) >= 350


async def test_the_documented_follower_ends_when_the_log_is_another_one(
    workplace: Path, services: Services
) -> None:
    await append(services.recorder, "a", 2)
    async with serving(services, OPEN) as (address, *_):
        arguments = f"ws://{address}/graphql", "1-9f86d081884c7d65"
        with follower(workplace, *arguments) as program:
            await until(lambda: program.process.poll() is not None)
    assert program.process.returncode == 1
    assert "LOG_DIVERGED" in program.output.read_text(encoding="utf-8")


async def test_apollo_shows_an_answer_before_what_it_defers(workplace: Path, url: str) -> None:
    found = await run(workplace, "apollo-defer.js", url)
    assert [answer[2].partition(";")[0] for answer in found["requests"]] == ["multipart/mixed"]
    first, *_, last = found["seen"]
    assert first[0] == "streaming"
    assert first[1]["position"] == last[1]["position"]
    assert "exportControls" not in first[1]
    assert last[0] == "complete"
    assert len(last[1]["exportControls"]["nodes"]) == 2


async def test_relay_compiles_its_queries_and_finds_connections_and_nodes(
    workplace: Path, url: str, corpus_services: Services
) -> None:
    found = await run(await compile_for_relay(workplace), "main.js", url)
    as_of = corpus_services.as_of
    states = await as_of.states(ExportControlState, await as_of.resolve(), limit=4)
    assert found == {"keys": [state.id for state in states], "node": states[0].id}


@pytest.mark.parametrize("client", ["apollo", "urql", "relay"])
async def test_caches_that_keep_objects_by_id_never_show_one_moment_as_another(
    workplace: Path, url: str, client: str
) -> None:
    if client == "relay":
        await compile_for_relay(workplace)
    found = json.loads(await node(workplace, "moments.js", client, url))
    assert found["again"] == found["fresh"]
    january, november, gallium, _, *links, over, later = found["fresh"]
    assert january != november != gallium
    assert links[0]["asOf"]["announcement"]["aboutEntities"][0]["entity"] == (
        "export-control/cn-mofcom-2025-18"
    )
    assert links[0] != links[1], "the ban was suspended between the two days"
    statuses = [
        {clause["key"]: clause["status"] for clause in of["exportControl"]["clauses"]}["2"]
        for of in [*over["over"], *later["over"]]
    ]
    assert statuses == ["IN_FORCE", "SUSPENDED", "SUSPENDED"]


async def test_relay_asks_a_strict_server_by_the_documents_that_its_compiler_persisted(
    workplace: Path, corpus_services: Services
) -> None:
    directory = await compile_for_relay(
        workplace, persistConfig={"file": "./documents.json", "algorithm": "SHA256"}
    )
    manifest = (directory / "documents.json").read_bytes()
    trusted = TrustedDocuments.from_manifest(manifest, only=True)
    async with serving(corpus_services, OPEN, trusted=trusted) as (address, *_):
        found = await run(directory, "main.js", f"http://{address}/graphql")
    assert len(found["keys"]) == 4
    assert found["node"] == found["keys"][0]


def scalar_map() -> dict[str, str]:
    """Return the scalars and their JSON types, from the documentation for code generators."""
    text = DOCS.read_text(encoding="utf-8").partition("\n## Scalars\n")[2]
    shown: dict[str, str] = json.loads(text.partition("```json\n")[2].partition("```")[0])
    return shown


def test_the_docs_say_what_every_scalar_is() -> None:
    schema = build_schema(SCHEMA.read_text(encoding="utf-8"))
    scalars = {name for name, type_ in schema.type_map.items() if is_scalar_type(type_)}
    assert set(scalar_map()) == scalars - set(specified_scalar_types)


async def test_codegen_makes_types_that_typescript_takes(workplace: Path) -> None:
    directory = workplace / "codegen"
    (directory / "scalars.json").write_text(json.dumps(scalar_map()))
    await node(directory, "generate.js")
    await node(directory, "../../node_modules/typescript/bin/tsc", "-p", ".")


async def test_graphiql_is_what_npm_has_and_the_licences_of_all_in_it_are_reported(
    workplace: Path,
) -> None:
    directory = graphiql.graphiql()
    if directory is None:
        pytest.skip("graphene-django-graphiql-static is not installed")
    found = await run(workplace, "licences.js", str(directory))
    assert found["files"] == dict.fromkeys(sorted(graphiql.ASSETS), True)
    for licence, packages in found["licences"].items():
        assert f"| {licence} | {', '.join(f'`{name}`' for name in packages)} |" in GRAPHIQL
    notices = await node(workplace, "licences.js", "texts")
    assert all(f"{name}\n\n" in notices for of in found["licences"].values() for name in of)
