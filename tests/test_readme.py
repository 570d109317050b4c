"""Every query and command that the README and the pages for users show is run here, and every link of
a page leads somewhere."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.setting_table import DATA_DIR
from schema.base.context import Context
from schema.execution.execute import execute, stream
from schema.services import Access, Services
from tests.support.checkout import ROOT
from tests.support.processes import Running, command
from tests.support.time_limits import within
from tracker.auth.scopes import Caller, Scope

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [
    README,
    *(
        (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
        for name in ("tour", "commands", "api")
    ),
]
QUERIES = [
    query for page in PAGES for query in re.findall(r"```graphql\n(.*?)```", page, re.DOTALL)
]
COMMANDS = [
    line
    for page in PAGES
    for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    for line in block.splitlines()
]
TABLE_COMMANDS = re.findall(
    r"```sh\n(.*?)```", (ROOT / "docs" / "tables.md").read_text(encoding="utf-8"), re.DOTALL
)
BOSS = Caller("boss", frozenset(Scope))
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


async def test_every_query_has_an_answer_without_errors(corpus_services: Services) -> None:
    assert len(QUERIES) >= 16
    for document in QUERIES:
        if document.startswith("subscription"):
            answers = stream(Context(corpus_services, Access(), Access().anyone()), document)
            answer = await asyncio.wait_for(anext(answers), within(10))
            await answers.aclose()
        else:
            answer = await execute(corpus_services, document, {}, Access(), caller=BOSS)
        assert "errors" not in answer, (document, answer["errors"])
        assert all(value is not None for value in answer["data"].values()), document


@pytest.mark.parametrize("line", [c for c in COMMANDS if c.startswith("tracker ")])
def test_every_command_succeeds_beside_a_running_demo(demo: Running, line: str) -> None:
    result = command(*shlex.split(line)[1:], data_dir=demo.data_dir)
    assert result.returncode == 0, result.stderr


@pytest.mark.skipif(not shutil.which("curl"), reason="this machine has no curl")
@pytest.mark.parametrize("block", TABLE_COMMANDS)
def test_every_command_for_tables_succeeds(demo: Running, tmp_path: Path, block: str) -> None:
    script = block.replace("http://127.0.0.1:8000", demo.url).replace("curl -s", "curl -fs")
    python = shlex.quote(sys.executable)
    script = f'set -e\npython() {{ {python} "$@"; }}\ntracker() {{ {python} -m tracker "$@"; }}\n{script}'
    result = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=within(100),
        env={**os.environ, DATA_DIR.variable: str(demo.data_dir)},
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout or list(tmp_path.iterdir())


def test_the_commands_that_install_are_those_that_ci_runs() -> None:
    install = [c for c in README.splitlines() if c.startswith("python3 -m venv")]
    assert [c.rpartition("&& ")[2] for c in install] == [
        ".venv/bin/tracker demo",
        ".venv/bin/pytest",
    ]
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert ".venv/bin/pytest" in ci
    assert "-e '.[test]'" in ci


def anchors(page: str) -> set[str]:
    """What the headings of a page can be linked to by."""
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(
    "page", sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]), ids=lambda page: page.name
)
def test_every_link_into_the_repository_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if re.match("[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name) if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), link


def test_every_page_is_named_in_the_readme() -> None:
    documents = {page.relative_to(ROOT).as_posix() for page in (ROOT / "docs").rglob("*.md")}
    assert documents <= {*re.findall(r"\]\((docs/[\w/-]+\.md)\)", README), "docs/benchmarks.md"}
