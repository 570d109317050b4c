"""Pairs of shipments that differ in one field: the answers differ as the field requires, and no more."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.support.api import Api
from tests.truth.shipment import QUERY, input_of

GALLIUM = {"commodity": "gallium", "form": "metal", "origin": "CN", "destination": "US"}
FITTINGS = {"hsCode": "74122000", "codeOf": "US", "destination": "US"}
TRIOXIDE = {"commodity": "antimony_trioxide", "origin": "CN", "destination": "DE"}
PURITY = "cn-mofcom-2024-51/antimony-compounds/item/0"


async def answer(api: Api, day: date, shipment: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to a shipment."""
    data = await api.ask(QUERY, day=day.isoformat(), input=input_of(shipment))
    return dict(data["asOf"]["shipment"])


async def rules(api: Api, day: date, shipment: dict[str, Any]) -> dict[str, str]:
    """Return the match of each rule by its clause."""
    verdicts = (await answer(api, day, shipment))["verdicts"]
    return {_key(one["clause"]): one["match"] for one in verdicts if one["clause"]}


def _key(clause: dict[str, Any]) -> str:
    return f"{clause['control']['key']}/{clause['clause']['key']}"


@pytest.mark.parametrize("commodity", ["gallium", "germanium", "bismuth", "tellurium"])
async def test_the_metal_and_a_compound_are_under_different_clauses(
    api: Api, commodity: str
) -> None:
    day, goods = date(2025, 6, 1), {"commodity": commodity, "origin": "CN", "destination": "DE"}
    metal = await rules(api, day, goods | {"form": "metal"})
    compound = await rules(api, day, goods | {"form": "compound"})
    either = await rules(api, day, goods)

    licences = {
        key for key in either if key.startswith(("cn-mofcom-2024-51/", "cn-mofcom-2025-10/"))
    }
    assert licences == {
        key
        for key in metal | compound
        if key.startswith(("cn-mofcom-2024-51/", "cn-mofcom-2025-10/"))
    }
    assert {key for key in licences if f"/{commodity}-" in key} == licences - metal.keys()
    assert all(metal[key] == "CERTAIN" for key in licences & metal.keys())
    assert all(either[key] == "POSSIBLE" for key in licences)


@pytest.mark.parametrize(
    ("firm", "clause"),
    [
        ("L3 Harris Technologies", "cn-mofcom-2025-1/1"),
        ("Huntington Ingalls Industries, Inc.", "cn-mofcom-2025-51/1"),
        ("MP Materials", "cn-mofcom-2026-06-22-us/1"),
    ],
)
async def test_a_listed_end_user_makes_one_ban_certain(api: Api, firm: str, clause: str) -> None:
    day = date(2026, 7, 1)
    unnamed = await rules(api, day, GALLIUM)
    listed = await rules(api, day, GALLIUM | {"endUser": firm})

    assert unnamed[clause] == "POSSIBLE"
    assert listed[clause] == "CERTAIN"
    assert {key for key in listed if listed[key] != unnamed[key]} == {clause}


async def test_unlisted_parties_only_remove_lists_of_firms(api: Api) -> None:
    day = date(2026, 7, 1)
    unnamed = await rules(api, day, GALLIUM)
    parties = {"importer": "Example Trading LLC", "endUser": "Example Foundry Inc."}
    unlisted = await rules(api, day, GALLIUM | parties)

    assert unnamed.keys() - unlisted.keys() == {
        "cn-mofcom-2025-1/1",
        "cn-mofcom-2025-51/1",
        "cn-mofcom-2026-06-22-us/1",
    }
    assert unlisted.items() <= unnamed.items()


async def test_a_higher_grade_needs_a_licence_and_a_lower_one_does_not(api: Api) -> None:
    day = date(2025, 6, 1)
    low = await rules(
        api,
        day,
        TRIOXIDE | {"answers": [{"question": PURITY.replace("item", "exempt"), "yes": True}]},
    )
    high = await rules(api, day, TRIOXIDE | {"answers": [{"question": PURITY, "yes": True}]})

    assert high["cn-mofcom-2024-51/antimony-compounds"] == "CERTAIN"
    assert high.keys() - low.keys() == {"cn-mofcom-2024-51/antimony-compounds"}


@pytest.mark.parametrize(
    ("origin", "ordinary"), [("CL", 3), ("KR", 3), ("CA", 0), ("MX", 0), ("TR", 3)]
)
async def test_a_preference_does_not_lower_an_additional_duty(
    api: Api, origin: str, ordinary: int
) -> None:
    """A free-trade agreement replaces the ordinary duty only, of 3 %, and only for goods of its parties.
    The duty on copper is 50 % of the value of the copper."""
    shipment = FITTINGS | {"origin": origin, "preference": "USMCA"}
    total = (await answer(api, date(2025, 9, 1), shipment))["importDuties"]

    assert (total["low"], total["high"]) == (f"{ordinary}", f"{ordinary + 50}")
    assert total["steps"][0]["text"].startswith("Ordinary duty: ")


@pytest.mark.parametrize(
    ("preference", "total"), [("USMCA", ("0", "50")), ("none", ("38", "88")), (None, ("0", "88"))]
)
async def test_a_preference_exempts_canadian_goods_from_the_duty_over_fentanyl(
    api: Api, preference: str | None, total: tuple[str, str]
) -> None:
    shipment = FITTINGS | {"origin": "CA", "preference": preference}
    duties = (await answer(api, date(2025, 9, 1), shipment))["importDuties"]
    assert (duties["low"], duties["high"]) == total


async def test_a_later_day_of_the_same_rates_gives_the_same_highest_total(api: Api) -> None:
    """The duty over fentanyl, 20 % in August 2025, ended in February 2026. Until 5 April 2026 the duty on
    copper was on its content."""
    shipment = FITTINGS | {"origin": "CN"}
    days = [date(2025, 8, 1), date(2026, 4, 5), date(2026, 4, 6), date(2026, 10, 1)]
    totals = [(await answer(api, day, shipment))["importDuties"] for day in days]

    assert [(total["low"], total["high"]) for total in totals] == [
        ("48", "98"),
        ("28", "78"),
        *[("78", "78")] * 2,
    ]
