"""The packages of the clients, installed in fresh environments; their examples and their types."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest
import pytest_asyncio

from schema.services import Access, Services
from tests.support.checkout import ROOT
from tests.support.documents import block
from tests.support.node import has_node, node, npm_packages
from tests.support.shared_work import make_once
from tests.support.time_limits import within
from tests.support.web_server import serving
from tools.clients import CLIENTS, main

PAGE = "docs/clients.md"
DEMO = "http://127.0.0.1:8000"
ARGUMENTS = ("2025-11-20", "gallium")
NODE = pytest.mark.skipif(
    not has_node(), reason="this needs node and npm, which this machine does not have"
)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the packages of both clients."""
    return make_once(tmp_path_factory, "client-packages", main)


@pytest.fixture
def python(packages: Path, tmp_path: Path) -> Path:
    """Return the Python of a fresh environment with the client."""
    venv.create(tmp_path / "environment")
    interpreter = tmp_path / "environment" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", interpreter, "install", "--quiet"]
    wheel = next(packages.glob("*.whl"))
    subprocess.run([*pip, "--no-index", wheel], check=True, timeout=within(60))
    return interpreter


@pytest_asyncio.fixture(loop_scope="session")
async def url(read_services: Services) -> AsyncIterator[str]:
    """Run a server with the shipped data, and return its address."""
    async with serving(read_services, Access()) as (address, *_):
        yield f"http://{address}"


async def run(*command: str | Path, directory: Path) -> str:
    """Return the output of a program."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    return printed.decode()


def program(client: str, language: str) -> str:
    """Return the program in the description of a client, which the page of the clients has too."""
    text = (CLIENTS / client / "README.md").read_text("utf-8")
    [found] = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found in (ROOT / PAGE).read_text("utf-8")
    return str(found)


def test_the_packages_have_the_names_of_the_page(packages: Path) -> None:
    installed = re.findall(r"install dist/(\S+)", block(PAGE, "sh", "npm install"))
    assert {*installed} < {path.name for path in packages.iterdir()}
    assert len(installed) == 2


@pytest.mark.asyncio(loop_scope="session")
async def test_the_python_examples_run_where_only_the_client_is_installed(
    python: Path, url: str, tmp_path: Path
) -> None:
    examples = CLIENTS / "python" / "examples"
    printed = await run(python, examples / "controls.py", url, *ARGUMENTS, directory=tmp_path)
    assert "cn-mofcom-2024-46 · " in printed
    follow = (python, examples / "follow.py", url, tmp_path / "token.txt", "--once")
    assert (await run(*follow, directory=tmp_path)).startswith("1 ")
    assert await run(*follow, directory=tmp_path) == ""  # the token is at the head
    text = program("python", "python").replace(DEMO, url)
    printed = await run(python, "-c", text, directory=tmp_path)
    assert "3 instruments with a suspended clause on gallium" in printed


@NODE
@pytest.mark.asyncio(loop_scope="session")
async def test_the_javascript_examples_run_where_only_the_client_is_installed(
    packages: Path, url: str, tmp_path: Path
) -> None:
    (tmp_path / "package.json").write_text('{"type": "module"}')
    archive = next(packages.glob("*.tgz"))
    install = [
        "npm",
        "install",
        "--offline",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        archive,
    ]
    subprocess.run(install, cwd=tmp_path, check=True, capture_output=True, timeout=within(60))
    shutil.copytree(CLIENTS / "javascript" / "examples", tmp_path, dirs_exist_ok=True)
    assert "cn-mofcom-2024-46 · " in await node(tmp_path, "controls.mjs", url, *ARGUMENTS)
    assert (await node(tmp_path, "follow.mjs", url, "token.txt", "--once")).startswith("1 ")
    assert await node(tmp_path, "follow.mjs", url, "token.txt", "--once") == ""
    (tmp_path / "readme.mjs").write_text(program("javascript", "js").replace(DEMO, url))
    assert "cn-mofcom-2024-46" in await node(tmp_path, "readme.mjs")


@pytest.mark.asyncio(loop_scope="session")
async def test_a_table_becomes_a_frame_with_numbers(minerals_tracker: ModuleType, url: str) -> None:
    polars = pytest.importorskip("polars", reason="polars is not installed")
    day = minerals_tracker.Tracker(url).as_of("2025-11-20")
    table = await asyncio.to_thread(partial(day.table, "claims", commodity="gallium"))
    frame = table.polars()
    assert frame.height == len(table.rows)
    assert frame.schema["value"] == polars.Float64
    assert frame["value"].sum() > 0


def test_python_types_are_checked_by_mypy(sources: Path) -> None:
    package = sources / "python"
    wrong = 'from minerals_tracker import Tracker\n\nTracker("").as_of().alliances().__next__()["title"]\n'
    (package / "src" / "wrong.py").write_text(wrong)
    strict = ["--strict", "--config-file", os.devnull, "--cache-dir", os.devnull]
    check = [sys.executable, "-m", "mypy", *strict]
    good = subprocess.run(
        [*check, "-p", "minerals_tracker"],
        cwd=package / "src",
        capture_output=True,
        text=True,
        check=False,
    )
    assert good.returncode == 0, good.stdout
    bad = subprocess.run(
        [*check, "wrong.py"], cwd=package / "src", capture_output=True, text=True, check=False
    )
    assert 'TypedDict "Alliance" has no key "title"' in bad.stdout


@NODE
async def test_javascript_types_are_checked_by_typescript(sources: Path, tmp_path: Path) -> None:
    compiler = npm_packages() / "node_modules" / "typescript" / "bin" / "tsc"
    shutil.copytree(sources / "javascript", tmp_path, dirs_exist_ok=True)
    (tmp_path / "good.ts").write_text(
        'import { Tracker } from "./index.js";\n'
        'const control = await new Tracker("").asOf().exportControl("a");\n'
        "export const statuses: string[] = (control?.clauses ?? []).map((clause) => clause.status);\n"
    )
    options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2022"]
    await node(tmp_path, str(compiler), *options, "good.ts")
    wrong = (tmp_path / "good.ts").read_text().replace("clause.status", "clause.state")
    (tmp_path / "good.ts").write_text(wrong)
    with pytest.raises(AssertionError, match="Property 'state' does not exist on type 'Clause'"):
        await node(tmp_path, str(compiler), *options, "good.ts")


def test_the_clients_have_the_version_of_the_server() -> None:
    def version(path: Path) -> str:
        return str(tomllib.loads(path.read_text("utf-8"))["project"]["version"])

    package = json.loads((CLIENTS / "javascript" / "package.json").read_text("utf-8"))
    expected = version(ROOT / "pyproject.toml")
    assert {version(CLIENTS / "python" / "pyproject.toml"), package["version"]} == {expected}
