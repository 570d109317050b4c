"""Differences between a result and the oracle."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest

HALF = Fraction(1, 2)
PLACES = {
    "share": 4,
    "shareAtMost": 4,
    "cumulativeShare": 4,
    "topThreeShare": 4,
    "coveredShare": 4,
    "relativeDifference": 4,
    "relative": 4,
    "controlledShare": 4,
    "partlyControlledShare": 4,
    "changePercent": 2,
    "hhi": 1,
    "order": 4,
}
"""Decimal places of rounded numbers; all others are exact."""


def differences(expected: Any, answer: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the differences between the expected and actual result, each with its path."""
    if isinstance(expected, dict) and isinstance(answer, dict):
        for name in expected:
            yield from differences(expected[name], answer.get(name, "nothing"), (*path, name))
    elif isinstance(expected, list) and isinstance(answer, list) and len(expected) == len(answer):
        for number, (one, other) in enumerate(zip(expected, answer, strict=True)):
            yield from differences(one, other, (*path, str(number)))
    elif not _is_equal(expected, answer, path):
        yield f"{'.'.join(path)}: expected {_shown(expected)}, answered {_shown(answer)}"


def _is_equal(expected: Any, answer: Any, path: tuple[str, ...]) -> bool:
    if isinstance(expected, (Fraction, int)) and not isinstance(expected, bool):
        if not isinstance(answer, (str, int)):
            return False
        name = next((part for part in reversed(path) if not part.isdigit()), "")
        places = PLACES.get(name)
        distance = abs(Fraction(answer) - expected)
        return distance == 0 if places is None else distance <= HALF / 10**places
    return bool(expected == answer)


def _shown(value: Any) -> str:
    return str(float(value)) if isinstance(value, Fraction) else repr(value)


def expect_no(found: list[str]) -> None:
    """Fail with all differences."""
    if found:
        pytest.fail("\n".join(found), pytrace=False)
