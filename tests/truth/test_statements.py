"""Sentences with the expected verdict on each part, on the shipped corpus.

The verdicts in `statements.toml` are written from the acts, not from the results of the code.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.support.api import Api

STATEMENTS: dict[str, str] = tomllib.loads(
    Path(__file__).with_name("statements.toml").read_text("utf-8")
)["statements"]
CHECK = """query ($text: String!) { asOf(validAt: "2026-11-01") {
    checkStatement(text: $text) { kind text verdict statement entities } } }"""


@pytest.mark.parametrize("text", STATEMENTS)
async def test_each_part_of_a_sentence_has_its_verdict(api: Api, text: str) -> None:
    parts = (await api.ask(CHECK, text=text))["asOf"]["checkStatement"]
    verdicts = {f"{one['verdict'][0]} {one['text']}" for one in parts}
    assert verdicts == {*filter(None, STATEMENTS[text].split("; "))}, parts
    assert all(one["entities"] for one in parts if one["verdict"] != "NOT_RECORDED")


@pytest.mark.parametrize(
    ("text", "statement"),
    {
        "China lifted its ban on gallium exports to the US in November 2025": (
            "Recorded: no such day. Suspended from 9 November 2025."
        ),
        "China suspended its ban on gallium exports to the US in November 2025": (
            "Recorded: 9 November 2025."
        ),
        "China banned exports of gallium to the US in December 2024": "Recorded: 3 December 2024.",
        "China restricted antimony exports in August 2024": "Recorded: 15 August 2024.",
    }.items(),
)
async def test_a_date_names_only_the_recorded_days_that_match_it(
    api: Api, text: str, statement: str
) -> None:
    parts = (await api.ask(CHECK, text=text))["asOf"]["checkStatement"]
    assert [one["statement"] for one in parts if one["kind"] == "DATE"] == [statement]


def test_there_are_a_hundred_sentences() -> None:
    assert len(STATEMENTS) >= 100
