"""Rules that ended by their own terms: a check of a shipment says so, because a record may be missing."""

from datetime import date, timedelta
from typing import Any

import pytest

from schema.services import Services
from tests.support.api import Api

ENDED = """{ asOf(validAt: "2026-12-01") { exportControls(status: EXPIRED, first: 200) {
  totalCount nodes { key direction issuer { code } clauses(status: EXPIRED, confirmation: BY_TERMS) {
    key measure commodities { key } destinations { code } forms statuses { status from } } } } } }"""
CHECK = """query ($day: Day!, $of: ShipmentInput!) { asOf(validAt: $day) { shipment(input: $of) {
  notInForce { control { key } clause { key } obligation } } } }"""


@pytest.fixture
def api(read_services: Services) -> Api:
    """Run the API on the shipped corpus."""
    return Api(read_services)


async def ended_bans(api: Api) -> list[tuple[str, str, date, dict[str, Any]]]:
    """Return instruments with a clause on exports that bans goods or reserves them and ended by its terms:
    the first day after it, and a shipment that it covered."""
    found = (await api.ask(ENDED))["asOf"]["exportControls"]
    assert found["totalCount"] <= 200
    return [
        (
            control["key"],
            clause["key"],
            date.fromisoformat(clause["statuses"][-1]["from"]),
            {
                "commodity": clause["commodities"][0]["key"],
                "origin": control["issuer"]["code"],
                "destination": (clause["destinations"] or [{"code": "CL"}])[0]["code"],
                **({"form": clause["forms"][0]} if clause["forms"] else {}),
            },
        )
        for control in found["nodes"]
        if control["direction"] == "EXPORT"
        for clause in control["clauses"]
        if clause["measure"] == "BAN"
    ]


async def sentences_of(api: Api, day: date, of: dict[str, Any]) -> dict[tuple[str, str], str]:
    """Return the sentences on rules that do not apply on a day, by instrument and clause."""
    found = (await api.ask(CHECK, day=day.isoformat(), of=of))["asOf"]["shipment"]["notInForce"]
    return {
        (one["control"]["key"], one["clause"]["key"]): one["obligation"]
        for one in found
        if one["obligation"].startswith("Ended by its terms on ")
    }


async def test_a_ban_that_ended_by_its_terms_is_said_for_a_year(api: Api) -> None:
    bans = await ended_bans(api)
    assert {"cd-2025-001", "cd-2025-3t-red"} <= {control for control, *_ in bans}
    for control, clause, day, shipment in bans:
        said = await sentences_of(api, day, shipment)
        assert "not confirmed" in said[control, clause], (control, shipment)
        later = await sentences_of(api, day + timedelta(366), shipment)
        assert (control, clause) not in later
