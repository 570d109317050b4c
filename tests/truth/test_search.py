"""Plain questions of a search with the expected first result, on the shipped corpus.

The questions in `search.toml` are written from the acts, not from the results of the code.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import Api

QUESTIONS: list[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("search.toml").read_text("utf-8")
)["search"]
SEARCH = """query ($text: String!) { asOf(validAt: "2026-12-01") { search(text: $text) {
    statement nearest { entity } nodes { entity } completeness { statement } } } }"""


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question["text"])
async def test_a_search_leads_with_the_expected_result(api: Api, question: dict[str, Any]) -> None:
    found = (await api.ask(SEARCH, text=question["text"]))["asOf"]["search"]
    results = [one["entity"] for one in found["nodes"]]
    if missing := question.get("missing"):
        _, _, lacking = found["statement"].partition("The nearest ones lack ")
        assert [name for name in missing if name not in lacking] == [], found["statement"]
        assert found["nearest"]
        assert not [entity for entity in results if entity.startswith("export-control/")]
        assert found["completeness"]["statement"]
    elif question["first"]:
        assert set(results[:1]) & set(question["first"]), results[:5]
        assert found["statement"] is None
    else:
        assert results == []


def test_no_question_is_asked_twice() -> None:
    assert len({one["text"] for one in QUESTIONS}) == len(QUESTIONS) >= 80
