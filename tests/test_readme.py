"""Every query and command that the README and the pages for users show is run here, and every link of
a page leads somewhere."""

import asyncio
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.config.table import TABLE
from schema.base.context import Context
from schema.execution.execute import execute, stream
from schema.services import Access, Services
from tests.support.cases import each_case
from tests.support.checkout import ROOT
from tests.support.documents import Block, block, blocks
from tests.support.processes import Running, command
from tests.support.time_limits import within
from tracker.auth.scopes import Caller, Scope

INDEX = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
PAGES_WITH_QUERIES = (
    "tour",
    "api",
    "figures",
    "writing",
    "subscriptions",
    "events",
    "time",
    "shipments",
)
QUERIES = [
    found.text
    for page in ("README.md", *(f"docs/{name}.md" for name in PAGES_WITH_QUERIES))
    for found in blocks(page, "graphql")
]
COMMANDS = [
    line
    for page in ("docs/commands.md", "docs/access.md", "docs/operating/configure.md")
    for found in blocks(page, "sh")
    for line in found.text.splitlines()
]
SCRIPTS = [
    found
    for page in ("docs/tables.md", "docs/api.md", "docs/events.md", "docs/shipments.md")
    for found in blocks(page, "sh")
]
FUNCTIONS = """
set -eo pipefail
python() { "$PYTHON" "$@"; }
tracker() { "$PYTHON" -m tracker "$@"; }
curl() {
  case $1 in
    -N) timeout 5 curl -fsS "$@" || [ $? = 124 ] ;;
    *) command curl -fsS "$@" ;;
  esac
}
"""
"""Refusals are failures, and a stream that has no end is followed for five seconds."""
BOSS = Caller("boss", frozenset(Scope))
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


async def test_every_query_has_an_answer_without_errors(corpus_services: Services) -> None:
    assert len(QUERIES) >= 30
    for document in QUERIES:
        if document.startswith("subscription"):
            answers = stream(Context(corpus_services, Access(), Access().anyone()), document)
            answer = await asyncio.wait_for(anext(answers), within(10))
            await answers.aclose()
        else:
            answer = await execute(corpus_services, document, {}, Access(), caller=BOSS)
        assert "errors" not in answer, (document, answer["errors"])
        assert all(value is not None for value in answer["data"].values()), document


@pytest.mark.parametrize("line", [line for line in COMMANDS if "tracker " in line])
def test_every_command_succeeds_beside_a_running_demo(demo: Running, line: str) -> None:
    words = shlex.split(line)
    place = words.index("tracker")
    environment = dict(word.split("=", 1) for word in words[:place])
    result = command(*words[place + 1 :], data_dir=demo.data_dir, **environment)
    assert result.returncode == 0, result.stderr


@pytest.mark.skipif(not shutil.which("curl"), reason="this machine has no curl")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda found: f"{found.page}:{found.line}")
def test_every_script_succeeds_beside_a_running_demo(
    demo: Running, tmp_path: Path, script: Block
) -> None:
    text = script.text.replace("http://127.0.0.1:8000", demo.url)
    result = subprocess.run(
        ["bash", "-c", f"{FUNCTIONS}\n{text}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=within(100),
        env={
            **os.environ,
            TABLE["DATA_DIR"].variable: str(demo.data_dir),
            "PYTHON": sys.executable,
        },
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout or list(tmp_path.iterdir())


def test_the_commands_that_install_are_those_that_ci_runs() -> None:
    install = [found.text.strip() for found in blocks("README.md", "sh")]
    assert [line.rpartition("&& ")[2] for line in install] == [
        ".venv/bin/tracker demo",
        ".venv/bin/pytest",
    ]
    tested = install[1].split(" && ")
    assert " && ".join(tested[:2]) + f"\n{tested[2]}\n" == block("CONTRIBUTING.md", "sh", "venv")
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert all(part in ci for part in (".venv/bin/pytest", "-e '.[test,drill]'"))


def anchors(page: str) -> set[str]:
    """Return the anchors of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_case(
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


def test_every_page_is_named_in_the_index() -> None:
    pages = {page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs").rglob("*.md")}
    assert pages <= {*re.findall(r"\]\(([\w/-]+\.md)\)", INDEX), "index.md"}
