"""Statuses of days after the newest record of the shipped data."""

import pytest

from tests.support.api import Api

COUNTS = """query ($day: Day!) { asOf(validAt: $day) {
  clauseCounts(groupBy: [CONFIRMATION]) { confirmation clauses } } }"""


@pytest.mark.parametrize("day", ["2027-01-01", "2028-06-01", "2040-01-01"])
async def test_no_status_of_a_day_after_all_records_is_confirmed(api: Api, day: str) -> None:
    before, after = [
        {row["confirmation"]: row["clauses"] for row in rows}
        for rows in [
            (await api.ask(COUNTS, day=one))["asOf"]["clauseCounts"] for one in ("2026-12-01", day)
        ]
    ]
    assert before["CONFIRMED"] > 100
    assert "CONFIRMED" not in after
    assert after["AS_RECORDED"] > 100
