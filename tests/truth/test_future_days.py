"""Statuses of days after the newest record of the shipped data."""

from decimal import Decimal

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


SHARES = """query ($day: Day!) { asOf(validAt: $day) {
  exposure(commodity: "cobalt", stage: MINE) {
    controlledShare assumedShare contradictedShare asRecordedShare }
  importExposure(importer: "US", commodity: "terbium") { lists { lower limits } } } }"""


@pytest.mark.parametrize(("day", "is_later"), [("2026-12-01", False), ("2029-03-01", True)])
async def test_a_share_of_a_day_after_all_records_is_as_recorded(
    api: Api, day: str, is_later: bool
) -> None:
    data = (await api.ask(SHARES, day=day))["asOf"]
    [share] = data["exposure"]
    confirmed, *parts = (Decimal(one) for one in share.values())
    assert confirmed > 0
    assert (parts[-1] > 0) == is_later
    assert sum(parts) <= confirmed
    assert not is_later or sum(parts) == confirmed
    limits = [limit for one in data["importExposure"]["lists"] for limit in one["limits"]]
    assert any("no later record names them" in limit for limit in limits) == is_later
