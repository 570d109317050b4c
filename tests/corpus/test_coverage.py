"""Coverage by issuer and year, as in docs/data.md."""

from datetime import date
from pathlib import Path
from typing import Any

from projections.analysis.grounds import grounds_table
from tests.corpus.test_checks import COPY, SOURCE, act, announced, made, repealed
from tests.corpus.test_compiling import acts
from tests.support.corpus_lines import shipped_events
from tracker.corpus.coverage import coverage, lists_read
from tracker.corpus.files import Act
from tracker.domain.evidence.coverage import Declared

DATA_GUIDE = Path(__file__).parents[2] / "docs" / "data.md"


def control(key: str, source: dict[str, Any], clause: dict[str, Any]) -> Act:
    """Return an instrument of China with one clause."""
    return act(
        f"policy/export-control/{key}.toml",
        id=key,
        type="ExportControl.Announced",
        on="2025-03-01",
        issuer="CN",
        direction="export",
        title="Licence",
        source=source,
        clauses=[clause],
    )


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


def test_a_control_counts_as_read_if_a_copy_has_its_goods_and_dates() -> None:
    clause = {"id": "1", "measure": "licence", "commodities": ["gallium"]}
    dated = clause | {"inForceFrom": "2025-03-01"}
    own = {**SOURCE, "checked": "page"}
    controls = [
        control("read", own | COPY, dated),
        control("no-date", own | COPY | {"unsupported": ["clauses.0.inForceFrom"]}, dated),
        control("report", own, dated),
        control("announced", own | COPY, dated | {"inForceFrom": "2025-09-01"}),
    ]
    rows = grounds_table([act.planned for act in controls], date(2025, 6, 1)).splitlines()
    assert rows[2] == "| China | 3 | 1 | 33 % | – |"
    assert rows[-1] == "| all | 3 | 1 | 33 % | – |"


def test_the_tables_of_the_documentation_are_current() -> None:
    text, events = DATA_GUIDE.read_text("utf-8"), [*shipped_events().values()]
    for table in (coverage(acts()), grounds_table(events, date(2026, 12, 1))):
        assert table in text, "print them anew: tracker corpus check --coverage --day 2026-12-01"
