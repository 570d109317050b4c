"""Dated questions on obligations, each with its article, asked over the API."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from schema.services import Services
from tests.support.api import Api

QUESTIONS = tomllib.loads(Path(__file__).with_name("obligations.toml").read_text())["question"]
QUERY = """query ($day: Day, $role: ObligationRole, $place: String, $commodity: String, $dueBefore: Day) {
  asOf(validAt: $day) { obligations(
    role: $role, place: $place, commodity: $commodity, dueBefore: $dueBefore, first: 200
  ) { pageInfo { hasNextPage } nodes { key unit nextDue { status day notBefore } } } } }"""


@pytest.fixture
def api(read_services: Services) -> Api:
    """Run the API on the shipped corpus."""
    return Api(read_services)


def in_words(node: dict[str, Any]) -> str:
    """Return the article of an obligation with its status and day."""
    due = node["nextDue"]
    status = str(due["status"]).lower()
    day = f" {due['day']}" if due["day"] else ""
    least = f", not before {due['notBefore']}" if due["notBefore"] else ""
    return f"{node['unit']}: {status}{day}{least}"


async def test_dated_questions_have_the_answers_of_the_acts(api: Api) -> None:
    wrong = []
    for question in QUESTIONS:
        variables = {**question["of"], "day": str(question["day"])}
        found = (await api.ask(QUERY, **variables))["asOf"]["obligations"]
        assert not found["pageInfo"]["hasNextPage"]
        answers = {node["key"]: in_words(node) for node in found["nodes"]}
        has = question.get("has", {})
        differing = {
            key: answers.get(key) for key, value in has.items() if answers.get(key) != value
        }
        surplus = [key for key in question.get("lacks", ()) if key in answers]
        if differing or surplus:
            wrong.append(f"{question['ask']} {question['day']}: {differing}, has {surplus}")
    assert not wrong, "\n".join(wrong)
    assert len(QUESTIONS) >= 40


async def test_an_obligation_with_an_open_event_is_in_no_list_of_due_days(api: Api) -> None:
    query = """{ asOf(validAt: "2026-12-03") {
      all: obligations(status: OPEN, first: 200) { totalCount }
      due: obligations(status: OPEN, dueBefore: "9999-01-01", first: 200) { totalCount } } }"""
    found = (await api.ask(query))["asOf"]
    assert found["all"]["totalCount"] > 10
    assert found["due"]["totalCount"] == 0


async def test_the_lists_that_were_read_are_named_as_partial(api: Api) -> None:
    query = """{ asOf(validAt: "2026-12-03") { obligations(place: "CN", commodity: "gallium") {
      completeness { level statement } } } }"""
    found = (await api.ask(query))["asOf"]["obligations"]["completeness"]
    assert found == {
        "level": "PARTIAL",
        "statement": "Obligations of China were read in part to 9 October 2025; later obligations may be"
        " missing.",
    }


async def test_each_obligation_has_an_article_and_a_text_that_was_read(api: Api) -> None:
    query = """{ asOf(validAt: "2026-12-03") { obligations(first: 200) { totalCount nodes {
      key unit because { source { url level } } } } } }"""
    found = (await api.ask(query))["asOf"]["obligations"]
    assert found["totalCount"] >= 60
    levels = {
        one["key"]: {each["source"]["level"] for each in one["because"]} for one in found["nodes"]
    }
    reported = {key.rsplit("-", 1)[0] for key, of in levels.items() if "SECONDARY" in of}
    assert set.union(*levels.values()) == {"ISSUER_TEXT_COPY", "SECONDARY"}
    assert {key[:2] for key in reported} == {"cn", "us", "cd", "id"}  # 61/2025 in an extract
    assert all(one["unit"] and one["because"][0]["source"]["url"] for one in found["nodes"])
