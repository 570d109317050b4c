"""More than fifty dated questions to an assistant.

The tools are called without a model, by the official client over HTTP. Their results must have the
facts of acts and publications.
"""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.support.libraries import mcp

QUESTIONS: list[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("questions.toml").read_text(encoding="utf-8")
)["question"]
NEEDED = {"ask", "tool", "arguments", "why", "source"}
KNOWN = {*NEEDED, "expected", "lacks", "says", "refused"}
CHECKABLE = {"validAt", "position", "logRoot", "address", "mustSay", "horizon", "sources"}


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question["ask"])
async def test_a_tool_has_the_facts(url: str, question: dict[str, Any]) -> None:
    async with mcp.Client(f"{url}/mcp") as client:
        result = await client.call_tool(question["tool"], question["arguments"])
    answer, text = result.structured_content, result.content[0].text
    wrong = [word for word in question.get("says", ()) if word not in text]
    if code := question.get("refused"):
        wrong += [] if result.is_error and answer["code"] == code else ["it was not refused"]
    else:
        wrong += [] if answer.keys() >= CHECKABLE else ["it can't be checked"]
        wrong += differences(question.get("expected", {}), answer)
        if "lacks" in question and not differences(question["lacks"], answer):
            wrong.append(f"it has {question['lacks']}")
    if wrong:
        told = f"{question['ask']}\n  wrong: {wrong}\n  why: {question['why']}\n  source:"
        pytest.fail(f"{told} {question['source']}\n  answered: {text}\n{answer}", pytrace=False)


def differences(expected: Any, answer: Any, path: str = "") -> list[str]:
    """Yield the missing expected parts of a result: a field of an object, or a matching list item."""
    if isinstance(expected, dict):
        if not isinstance(answer, dict):
            return [f"{path}: {answer!r} is not an object"]
        return [
            wrong
            for name, value in expected.items()
            for wrong in differences(value, answer.get(name), f"{path}.{name}")
        ]
    if isinstance(expected, list):
        found = answer if isinstance(answer, list) else []
        if not expected:
            return [f"{path}: {found!r} is not empty"] if found else []
        return [
            f"{path}: nothing like {value!r}"
            for value in expected
            if not any(not differences(value, one) for one in found)
        ]
    return [] if expected == answer else [f"{path}: {answer!r} is not {expected!r}"]


def test_there_are_at_least_fifty_questions_with_their_reasons() -> None:
    assert len(QUESTIONS) == len({question["ask"] for question in QUESTIONS}) >= 50
    for question in QUESTIONS:
        assert question.keys() >= NEEDED, question["ask"]
        assert question.keys() <= KNOWN, question["ask"]
        assert question.keys() & {"expected", "refused"}, question["ask"]
