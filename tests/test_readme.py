"""Every query and command that README.md shows is run here, and the queries of docs/api.md."""

from __future__ import annotations

import asyncio
import re
import shlex
from pathlib import Path

import pytest

from schema.base.context import Context
from schema.execution.execute import execute, stream
from schema.services import Access, Services
from tests.support.processes import Running, command

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
API = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```graphql\n(.*?)```", README + API, re.DOTALL)
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
            for line in block.splitlines()]


async def test_every_query_has_an_answer_without_errors(corpus_services: Services) -> None:
    assert len(QUERIES) >= 11
    for document in QUERIES:
        if document.startswith("subscription"):
            answers = stream(Context(corpus_services, Access(), Access().anyone()), document)
            answer = await asyncio.wait_for(anext(answers), 10)
            await answers.aclose()
        else:
            answer = await execute(corpus_services, document, {}, Access(open=True))
        assert "errors" not in answer, (document, answer["errors"])
        assert all(value is not None for value in answer["data"].values()), document


@pytest.mark.parametrize("line", [c for c in COMMANDS if c.startswith("tracker ")])
def test_every_command_succeeds_beside_a_running_demo(
    demo: Running, line: str
) -> None:
    result = command(*shlex.split(line)[1:], data_dir=demo.data_dir)
    assert result.returncode == 0, result.stderr


def test_the_commands_that_install_are_those_that_ci_runs() -> None:
    install = [c for c in COMMANDS if c.startswith("python3 -m venv")]
    assert [c.rpartition("&& ")[2] for c in install] == [".venv/bin/tracker demo",
                                                         ".venv/bin/pytest"]
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert ".venv/bin/pytest" in ci
    assert "-e '.[test]'" in ci
