"""Coverage by issuer and year, as in docs/data.md."""

from pathlib import Path

from tests.corpus.test_checks import announced, made, repealed
from tests.corpus.test_compiling import acts
from tracker.corpus.coverage import coverage, lists_read
from tracker.domain.evidence.coverage import Declared

DATA_GUIDE = Path(__file__).parents[2] / "docs" / "data.md"


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


def test_each_list_that_was_read_is_a_row_with_its_omissions() -> None:
    rows = lists_read(acts()).splitlines()[2:]
    declared = [act for act in acts() if isinstance(act.planned.fact, Declared)]
    assert len(rows) == len(declared) > 40
    [row] = [row for row in rows if "watch list of China" in row]
    assert row.startswith("| China | entity lists | Export control list and watch list")
    assert row.endswith(
        "| 2025-01-02 | 2026-08-24 | Removals of firms from the two lists were not looked for. |"
    )


def test_the_tables_of_the_documentation_are_current() -> None:
    assert coverage(acts()) in DATA_GUIDE.read_text("utf-8"), (
        "print them anew: tracker corpus check --coverage"
    )
