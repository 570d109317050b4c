"""Legal questions with expected results, from question files."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

QUESTIONS = Path(__file__).with_name("questions")
FIELDS = {"ask", "kind", "day", "of", "expected", "why", "source"}


@dataclass(frozen=True, slots=True)
class Question:
    """A question: filters, day, expected result, reason and source.

    `of` are the arguments and `expected` the result of a question of this `kind`: see README.md.
    """

    ask: str
    kind: str
    day: date
    of: dict[str, Any]
    expected: dict[str, Any]
    why: str
    source: str

    def told_with(self, answer: Any) -> str:
        """Return the question with an unexpected result."""
        return (
            f"\n{self.ask}\n  {self.kind} on {self.day}: {self.of}"
            f"\n  expected: {self.expected}\n  answered: {answer}"
            f"\n  why: {self.why}\n  source: {self.source}"
        )


def read_questions(directory: Path = QUESTIONS) -> list[Question]:
    """Return the questions of all files, in order. Raises ValueError for an incomplete one."""
    return [
        _question(path.name, fields)
        for path in sorted(directory.glob("*.toml"))
        for fields in tomllib.loads(path.read_text())["question"]
    ]


def _question(file: str, fields: dict[str, Any]) -> Question:
    if fields.keys() != FIELDS:
        wrong = ", ".join(sorted(fields.keys() ^ FIELDS))
        raise ValueError(f"{file}: {fields.get('ask', '?')}: missing or unknown: {wrong}")
    return Question(**fields)


def differences(expected: dict[str, Any], answer: Any) -> list[str]:
    """Return the differences between the expected and actual result."""
    if isinstance(answer, list):
        return [
            wrong
            for field, value in expected.items()
            for wrong in _wrong_in_list(field, value, answer)
        ]
    return [
        f"{field}: {answer.get(field)!r}"
        for field, value in expected.items()
        if not _is_expected(answer.get(field), value)
    ]


def _is_expected(answer: Any, expected: Any) -> bool:
    """Whether a value is expected; a list matches a list, or any of its items."""
    if isinstance(expected, list) and not isinstance(answer, list):
        return answer in expected
    return bool(answer == expected)


def _wrong_in_list(field: str, expected: Any, items: list[str]) -> list[str]:
    """Yield the differences of items with words: `cn-mofcom-2024-46/2 ban in_force`, or an amount."""
    match field:
        case "has":
            return [f"lacks {one}" for one in expected if not any(_is(i, one) for i in items)]
        case "lacks":
            return [f"has {item}" for one in expected for item in items if _is(item, one)]
        case "controls":
            return _unlike(set(expected), {item.split("/")[0] for item in items})
        case "measures":
            return _unlike(set(expected), {item.split()[1] for item in items})
        case "rates":
            return _unlike(set(expected), set(items))
    starts = [any(item.startswith(one) for one in expected) for item in items]
    missing = [one for one in expected if not any(item.startswith(one) for item in items)]
    return missing + [item for item, known in zip(items, starts, strict=True) if not known]


def _is(item: str, wanted: str) -> bool:
    """Whether an item has all wanted words: a control, a clause, a measure, a status."""
    words = set(item.split())
    words |= {word.split("/")[0] for word in words}
    return set(wanted.split()) <= words


def _unlike(expected: set[str], found: set[str]) -> list[str]:
    return [f"lacks {one}" for one in sorted(expected - found)] + [
        f"has {one}" for one in sorted(found - expected)
    ]
