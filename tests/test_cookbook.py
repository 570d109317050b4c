"""Every cookbook recipe has the result in `cookbook_answers.json`, and every file is served.

A change of the shipped data that changes a result needs an update there and on the page.
"""

import asyncio
import csv
import hashlib
import json
import re
import shlex
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from deploy.bootstrap import running_tracker
from schema.services import Access
from tests.support.api import Api
from tests.support.cases import each_case
from tests.support.checkout import ROOT
from tests.support.libraries import openpyxl
from tests.support.time_limits import within
from tests.support.waiting import all_signed
from tests.support.web_server import serving
from tests.test_readme import anchors
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.sign.publisher import SigningOptions
from tracker.clock import FixedDay, use_clock
from tracker.postgres.database import Target

PAGE = (ROOT / "docs" / "cookbook.md").read_text(encoding="utf-8")
ANSWERS = json.loads(Path(__file__).with_name("cookbook_answers.json").read_text(encoding="utf-8"))
"""By the number of a recipe."""
LEFT_OUT = "…"
LATER = FixedDay(date(2031, 1, 1))
"""A day on which the page must still be true."""
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Question:
    """A section of the page."""

    title: str
    page: str
    """Address of the page with the result."""
    query: str
    lines: list[str]
    answer: Any
    reading: str


def question(section: str) -> Question:
    """Return the parts of a section, each exactly once and in this order."""
    title, _, rest = section.partition("\n")
    blocks = BLOCK.findall(section)
    assert [kind for kind, _ in blocks] == ["graphql", "sh"], title
    [page] = re.findall(r"\]\(http://127\.0\.0\.1:8000(\S+)\)", section)
    reading = rest.rpartition("```")[2].strip()
    query, lines = (text for _, text in blocks)
    return Question(
        title, page, query, lines.splitlines(), ANSWERS[title.partition(".")[0]], reading
    )


QUESTIONS = [question(section) for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]]


def differences(shown: Any, given: Any, path: str = "") -> Iterator[str]:
    """Yield the differences from a shown result. `…` is any value, and at the end of a list more items."""
    match shown, given:
        case (str(), _) if shown == LEFT_OUT and given is not None:
            return
        case dict(), dict() if list(shown) == list(given):
            for key in shown:
                yield from differences(shown[key], given[key], f"{path}.{key}")
        case [*first, str(last)], [*items] if last == LEFT_OUT and len(items) > len(first):
            yield from differences(first, items[: len(first)], path)
        case [*_], [*_] if len(shown) == len(given):
            for number, (one, other) in enumerate(zip(shown, given, strict=True)):
                yield from differences(one, other, f"{path}[{number}]")
        case _ if (
            type(shown) is not type(given) or shown != given or isinstance(shown, dict | list)
        ):
            yield f"{path}: expected {shown!r}, the answer has {given!r}"


def rows_of(file: Path) -> int:
    """Return the number of rows in a table file."""
    match file.suffix:
        case ".csv":
            text = file.read_text(encoding="utf-8").splitlines()
            return len(list(csv.DictReader(line for line in text if not line.startswith("#"))))
        case ".xlsx":
            return int(openpyxl.load_workbook(file).worksheets[0].max_row) - 1
        case ".parquet":
            parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
            return int(parquet.read_table(file).num_rows)
    return len(json.loads(file.read_text(encoding="utf-8"))["rows"])


@pytest.fixture
async def tracker_and_address(
    corpus_target: Target, tmp_path: Path
) -> AsyncIterator[tuple[Api, str]]:
    """Run a tracker with the corpus and its signed log, and return the address of its web server."""
    keys = KeyStore(tmp_path / "audit")
    keys.load_or_create("example.com/log")
    async with running_tracker(corpus_target, SigningOptions(keys)) as services:
        await all_signed(services)
        async with serving(services, Access()) as (address, _, _):
            yield Api(services, Access()), f"http://{address}"


async def run(lines: list[str], url: str, directory: Path) -> str:
    """Return the output of shell lines, which must succeed."""
    script = "\n".join(lines).replace("http://127.0.0.1:8000", url).replace("curl -s", "curl -fsS")
    script = f'set -e\ntracker() {{ {shlex.quote(sys.executable)} -m tracker "$@"; }}\n{script}'
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", script),
        cwd=directory,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(), within(120))
    assert process.returncode == 0, (lines, errors.decode())
    return output.decode()


@pytest.mark.skipif(not shutil.which("curl"), reason="this machine has no curl")
async def test_answers_pages_and_files_are_as_expected(
    tracker_and_address: tuple[Api, str], tmp_path: Path
) -> None:
    api, url = tracker_and_address
    wrong: list[str] = []
    for one in QUESTIONS:
        directory = tmp_path / one.title.partition(".")[0]
        directory.mkdir()
        (directory / "question.graphql").write_text(one.query, encoding="utf-8")
        answer = await api.post(one.query)
        found = [f": {error['message']}" for error in answer.get("errors", ())]
        found += differences(one.answer, answer["data"])
        with use_clock(LATER):
            later = await api.post(one.query)
        found += [f" on a later day{text}" for text in differences(one.answer, later["data"])]
        shown = await api.request("GET", one.page, headers={"Accept": "text/html"})
        found += [f": {one.page} has status {shown.status_code}"] * (shown.status_code != 200)
        output = await run(one.lines, url, directory)
        for line in one.lines:
            found += [f" {line}: {text}" for text in wrong_file(one, line, directory)]
        if (state := directory / "state.jsonl").exists():
            digest = hashlib.sha256(state.read_bytes()).hexdigest()
            assert digest == answer["data"]["asOf"]["digest"] == output.split()[-2]
        wrong += [f"{one.title}{text}" for text in found]
    assert not wrong, "\n".join(wrong)


def wrong_file(one: Question, line: str, directory: Path) -> Iterator[str]:
    """Return the error in a saved file, or None."""
    if not (name := re.search(r" -o (\S+)", line)):
        return
    file = directory / name[1]
    if "/tables/" in line:
        told = re.search(r"  # (\d+) rows?$", line)
        assert told, line
        if rows_of(file) != int(told[1]):
            yield f"the file has {rows_of(file)} rows"
        [day] = re.findall(r"valid=([\d-]+)", line)
        if day not in one.query:
            yield "the file is of another day than the answer"
    elif "/graphql" in line:
        yield from differences(one.answer, json.loads(file.read_text(encoding="utf-8"))["data"])
    elif "/entries/" in line:
        entry = json.loads(file.read_bytes())
        yield from differences(one.answer["event"]["type"], entry["type"])


def test_the_questions_are_in_the_order_of_the_contents() -> None:
    assert [one.title.partition(".")[0] for one in QUESTIONS] == [str(n) for n in range(1, 34)]
    contents = re.findall(r"^(\d+\. )\[(.+)\]\(#(.+)\)$", PAGE, re.MULTILINE)
    assert [number + title for number, title, _ in contents] == [one.title for one in QUESTIONS]
    assert {anchor for *_, anchor in contents} <= anchors(PAGE)
    assert all(one.lines and one.reading for one in QUESTIONS)
    assert all("validAt:" in one.query or "over(" in one.query for one in QUESTIONS)


@each_case(
    ("shown", "given"),
    [
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ([1, 2], [1, 2, 3]),
        ([1, LEFT_OUT], [1]),
        ([1, LEFT_OUT], [2, 3]),
        ({"a": LEFT_OUT}, {"a": None}),
        ({"a": []}, {"a": None}),
        ({"a": "0.71"}, {"a": "0.7105"}),
    ],
)
def test_a_page_that_shows_anything_else_fails(shown: Any, given: Any) -> None:
    assert list(differences(shown, given))
    assert not list(differences(given, given))


def test_omitted_columns_may_have_any_content() -> None:
    shown = {"hash": LEFT_OUT, "items": [{"a": 1}, LEFT_OUT]}
    assert not list(differences(shown, {"hash": "x", "items": [{"a": 1}, {"a": 2}, {"a": 3}]}))
