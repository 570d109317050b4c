"""docs/watching.md is correct: its table of sources, its source file, its adapter."""

import re
from datetime import date
from pathlib import Path
from typing import Any

from tests.support.publishers.publisher import Publisher, as_json, driven_by
from tests.watch.adapters.drive import drive, source_of
from tests.watch.test_request_budget import requests_of_a_day
from tracker.review.finding import LeadCode
from tracker.watch.adapter import Adapter
from tracker.watch.registry import ADAPTERS, adapter_named
from tracker.watch.settings import load_sources

PAGE = (Path(__file__).parents[2] / "docs" / "watching.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| \[?`([a-z0-9-]+)`.* \| `([a-z-]+)` \| ([0-9]+[mhd]) \| ([0-9]+) \|$", re.M)
HOURS = {"m": 1 / 60, "h": 1, "d": 24}
MAX_LINES_OF_AN_ADAPTER = 40


def block(language: str) -> str:
    [found] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def test_all_sources_that_ship_are_listed_with_how_often_and_how_many_requests() -> None:
    listed = {
        key: (adapter, int(every[:-1]) * HOURS[every[-1]], int(requests))
        for key, adapter, every, requests in ROW.findall(PAGE)
    }
    shipped = load_sources(None, adapter_named)
    assert {key: value[:2] for key, value in listed.items()} == {
        each.key: (each.adapter, each.every_hours) for each in shipped
    }
    for each in shipped:
        assert requests_of_a_day(each) <= listed[each.key][2], each.key


def test_every_adapter_has_a_section() -> None:
    for adapter in ADAPTERS:
        assert re.search(rf"^### .*\(`{adapter.name}`\)$", PAGE, re.M), adapter.name


def test_the_file_of_sources_adds_some_and_leaves_one_out(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text(block("toml"), encoding="utf-8")
    before = {each.key for each in load_sources(None, adapter_named)}
    after = {each.key for each in load_sources(file, adapter_named)}
    assert (after - before, before - after) == ({"fr-ecologie-mines", "cl-mineria"}, {"wto-news"})


def test_the_adapter_of_the_page_works_in_40_lines() -> None:
    code = block("python")
    lines = [line for line in code.splitlines() if line.strip()]
    assert len(lines) <= MAX_LINES_OF_AN_ADAPTER
    names: dict[str, Any] = {"__name__": "tests.watch.shown_adapter"}
    exec(compile(code, "watching.md", "exec", dont_inherit=True), names)
    adapter: Adapter = names["ADAPTER"]
    acts = [
        {"number": f"{n}", "title": f"Decreto {n}", "day": "2026-03-01", "url": "https://x.example"}
        for n in (1, 2)
    ]
    publisher = Publisher({"/acts": as_json(acts[:1])})
    source = source_of(adapter, "https://x.example/acts", {"language": "es"})
    first = drive(adapter, source, driven_by(publisher))
    publisher.pages["/acts"] = as_json(acts)
    second = drive(adapter, source, driven_by(publisher), cursor=first.cursor)
    assert (first.items, second.items) == (["1"], ["2"])
    [lead] = second.leads
    assert (lead.code, lead.origin.language, lead.origin.published_on) == (
        LeadCode.ANNOUNCED,
        "es",
        date(2026, 3, 1),
    )
