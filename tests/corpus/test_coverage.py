"""What is covered, by issuer and year, as docs/data.md has it."""

from __future__ import annotations

from pathlib import Path

from tests.corpus.test_checks import announced, made, repealed
from tests.corpus.test_compiling import ACTS
from tracker.corpus.coverage import coverage

PAGE = Path(__file__).parents[2] / "docs" / "data.md"


def test_acts_are_counted_by_issuer_and_year() -> None:
    later = repealed(on="2026-05-01")
    said = [made(actors=["quad", "US"]), made("b", actors=["US"]), made("c")]
    assert coverage([announced(), later, *said]).splitlines() == [
        "| issuer | instruments | acts by year |",
        "| --- | --- | --- |",
        "| China | 1 | 2025: 1, 2026: 1 |",
        "",
        "| who | announcements | by year |",
        "| --- | --- | --- |",
        "| United States | 1 | 2025: 1 |",
        "| others | 1 | 2025: 1 |",
        "| quad | 1 | 2025: 1 |",
    ]


def test_the_tables_of_the_documentation_are_current() -> None:
    assert coverage(ACTS) in PAGE.read_text("utf-8"), (
        "print them anew: tracker corpus check --coverage"
    )
