"""The recipes of docs/analysts.md: spreadsheets and a typed client, with a real server."""

import asyncio
import csv
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import pytest

from schema.app import sdl
from schema.services import Access, Services
from tests.support.api import Api
from tests.support.documents import block, blocks
from tests.support.fact_builders import announced, claimed
from tests.support.shared_work import make_in
from tests.support.time_limits import within
from tests.support.web_server import serving

GUIDE = "docs/analysts.md"
CODEGEN = "ariadne-codegen==0.19.0"
RECIPES = [found.text for found in blocks(GUIDE, "text")]
SERVER = "http://127.0.0.1:8000"


async def read(url: str) -> str:
    """Return the text at an address."""

    def get() -> str:
        with urllib.request.urlopen(url) as response:
            return str(response.read().decode())

    return await asyncio.to_thread(get)


async def record_facts(services: Services) -> None:
    """Record an act and a figure."""
    await services.commands.record("export-control/cn-gallium", announced(), idempotency_key="1")
    series = "figure/rare_earths/CN/production/mine/2023"
    await services.commands.record(series, claimed(240000), idempotency_key="2")
    await services.projector.reach(2)


@pytest.mark.parametrize("recipe", RECIPES, ids=["IMPORTDATA", "Power Query"])
async def test_the_address_of_a_recipe_begins_with_its_columns(
    services: Services, recipe: str
) -> None:
    await record_facts(services)
    [address] = re.findall(r'"(http[^"]+)"', recipe)
    async with serving(services, Access()) as (server, *_):
        text = await read(address.replace(SERVER, f"http://{server}"))
    header, *rows = csv.reader(io.StringIO(text))
    assert header[:2] == ["control", "issuer"]
    assert [row[:2] for row in rows] == [["cn-gallium", "CN"]]
    for column in re.findall(r'\{"(\w+)", type', recipe):
        assert column in header


def test_the_power_query_names_each_step_that_it_uses() -> None:
    steps = re.findall(r"^    (\w+) = ", RECIPES[1], re.MULTILINE)
    assert steps == ["Address", "Source", "Named", "Typed"]
    for step in steps:
        assert len(re.findall(rf"\b{step}\b", RECIPES[1])) >= 2
    assert RECIPES[1].count("(") == RECIPES[1].count(")")
    assert RECIPES[1].count("{") == RECIPES[1].count("}")


@pytest.mark.skipif(not shutil.which("soffice"), reason="this machine has no LibreOffice")
async def test_libreoffice_opens_the_file(services: Services, tmp_path: Path) -> None:
    await record_facts(services)
    [address] = re.findall(r'"(http[^"]+)"', RECIPES[0])
    async with serving(services, Access()) as (server, *_):
        text = await read(address.replace(SERVER, f"http://{server}"))
    (tmp_path / "clauses.csv").write_text(text, encoding="utf-8")
    arguments = ["soffice", "--headless", "--convert-to", "fods", "clauses.csv"]
    await run(arguments, tmp_path)
    assert "cn-gallium" in (tmp_path / "clauses.fods").read_text(encoding="utf-8")


# --- the typed client


def install_codegen(directory: Path) -> None:
    """Install the generator in an environment of its own."""
    uv = [sys.executable, "-m", "uv"]
    python = str(directory / "venv" / "bin" / "python")
    for arguments in (
        ["venv", "--quiet", "--python", sys.executable, str(directory / "venv")],
        ["pip", "install", "--quiet", "--python", python, CODEGEN],
    ):
        subprocess.run([*uv, *arguments], check=True, capture_output=True, timeout=within(100))


@pytest.fixture(scope="session")
def codegen() -> Path:
    """Return the directory with the programs of the generator's environment."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "tracker-tests"
    name = hashlib.sha256(f"{CODEGEN} {sys.version}".encode()).hexdigest()[:16]
    try:
        return make_in(cache / name, install_codegen) / "venv" / "bin"
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"{CODEGEN} cannot be installed: {error}")


async def run(arguments: Sequence[str], directory: Path) -> str:
    """Return the output of a program."""
    process = await asyncio.create_subprocess_exec(
        *arguments, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    async with asyncio.timeout(within(100)):
        printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    return printed.decode()


@pytest.mark.timeout(600)
async def test_the_generated_client_has_types_and_answers(
    services: Services, codegen: Path, tmp_path: Path
) -> None:
    await record_facts(services)
    (tmp_path / "schema.graphql").write_text(sdl(), encoding="utf-8")
    for name, language in (("pyproject.toml", "toml"), ("queries.graphql", "graphql")):
        (tmp_path / name).write_text(block(GUIDE, language, ""), encoding="utf-8")
    await run([str(codegen / "ariadne-codegen")], tmp_path)
    async with serving(services, Access()) as (server, *_):
        program = block(GUIDE, "python", "").replace(SERVER, f"http://{server}")
        (tmp_path / "ask.py").write_text(program, encoding="utf-8")
        printed = await run([str(codegen / "python"), "ask.py"], tmp_path)
    assert printed.splitlines() == ["1 ['cn-gallium']", "no world total", "2 [2, 1]"]
    strict = ["--strict", "--config-file", os.devnull, "--cache-dir", os.devnull]
    python = ["--python-executable", str(codegen / "python")]
    mypy = [sys.executable, "-m", "mypy", *strict, *python, "ask.py", "tracker_client"]
    assert "Success: no issues found" in await run(mypy, tmp_path)
    wrong = program.replace("controls.total_count", "controls.total")
    (tmp_path / "ask.py").write_text(wrong, encoding="utf-8")
    with pytest.raises(AssertionError, match='has no attribute "total"'):
        await run(mypy, tmp_path)


async def test_the_queries_of_the_client_are_answered_as_the_page_says(services: Services) -> None:
    """The client's answers equal those of the API, without the generator."""
    await record_facts(services)
    query = block(GUIDE, "graphql", "")
    body = {"query": query, "operationName": "RecentEvents", "variables": {"count": 2}}
    response = await Api(services).request("POST", "/graphql", json=body)
    answer = json.loads(response.text)["data"]
    assert answer["head"] == "2"
    assert [node["position"] for node in answer["events"]["nodes"]] == ["2", "1"]
