"""Queries of reliance and prices: lines of years that break where the basis changes."""

from typing import Any

from schema.services import Services
from tests.support.api import Api
from tests.support.dependence_facts import APPARENT, record, yearly

WITHOUT_SCRAP = f"{APPARENT}; traded scrap excluded"
LINE = """form publisher points { year basisChanged change changeUnavailableReason
  claim { value qualifier edition basis } editions { edition value } }"""


async def lines(api: Api, field: str, day: str = "2026-06-01") -> list[dict[str, Any]]:
    """Return the lines of a query for reliance or prices."""
    data = await api.ask(f'{{ asOf(validAt: "{day}") {{ {field} {{ lines {{ {LINE} }} }} }} }}')
    found: list[dict[str, Any]] = data["asOf"][field.partition("(")[0]]["lines"]
    return found


async def test_reliance_is_a_line_of_years_and_a_change_of_basis_breaks_it(
    services: Services,
) -> None:
    api = await record(
        services,
        yearly("47", 2023, edition="MCS 2025", published_on="2025-01-31"),
        yearly("44", 2022, edition="MCS 2025", published_on="2025-01-31"),
        yearly("62", 2024, basis=WITHOUT_SCRAP),
    )
    [line] = await lines(api, 'reliance(importer: "US", commodity: "aluminium")')
    points = [
        (p["year"], p["claim"]["value"], p["basisChanged"], p["change"]) for p in line["points"]
    ]
    assert points == [(2022, "44", False, None), (2023, "47", False, "3"), (2024, "62", True, None)]
    assert line["points"][0]["changeUnavailableReason"] is None
    assert "basis" in line["points"][2]["changeUnavailableReason"]


async def test_a_net_exporter_has_no_number_and_no_change(services: Services) -> None:
    api = await record(
        services,
        yearly("10", 2023),
        yearly(None, 2024, qualifier="net_exporter"),
        yearly("5", 2025),
        yearly("4", 2027),
    )
    [line] = await lines(api, 'reliance(importer: "US")')
    assert [(p["claim"]["value"], p["claim"]["qualifier"]) for p in line["points"][:3]] == [
        ("10", None),
        (None, "NET_EXPORTER"),
        ("5", None),
    ]
    assert [p["change"] for p in line["points"]] == [None] * 4
    assert line["points"][3]["changeUnavailableReason"] == "no claim for 2026 is recorded"


async def test_each_year_has_its_latest_claim_that_was_public_or_that_of_an_edition(
    services: Services,
) -> None:
    api = await record(
        services,
        yearly("47", 2023, edition="MCS 2025", published_on="2025-01-31"),
        yearly("41", 2023),
    )

    async def value(field: str, day: str) -> list[str]:
        return [
            p["claim"]["value"] for line in await lines(api, field, day) for p in line["points"]
        ]

    asked = 'reliance(importer: "US", commodity: "aluminium"'
    assert await value(f"{asked})", "2025-06-01") == ["47"]
    assert await value(f"{asked})", "2026-06-01") == ["41"]
    assert await value(f"{asked})", "2024-06-01") == []
    assert await value(f'{asked}, figures: "MCS 2026")', "2025-06-01") == ["41"]
    assert await value(f'{asked}, figures: "MCS 2025")', "2026-06-01") == ["47"]
    [line] = await lines(api, f"{asked})")
    assert [one["edition"] for one in line["points"][0]["editions"]] == ["MCS 2025", "MCS 2026"]


async def test_prices_of_different_products_and_bases_stay_apart(services: Services) -> None:
    nominal, real = "battery grade, nominal", "battery grade, real"
    price = {"statistic": "price", "commodity": "lithium", "unit": "USD/t"}
    api = await record(
        services,
        yearly("68000", 2022, form="carbonate", basis=nominal, **price),
        yearly("41000", 2023, form="carbonate", basis=nominal, **price),
        yearly("12000", 2024, form="carbonate", basis=real, **price),
        yearly("900", 2024, form="spodumene", basis=nominal, **price),
    )
    carbonate, spodumene = await lines(api, 'prices(commodity: "lithium", place: "US")')
    assert [(p["basisChanged"], p["change"]) for p in carbonate["points"]] == [
        (False, None),
        (False, "-27000"),
        (True, None),
    ]
    assert (spodumene["form"], len(spodumene["points"])) == ("spodumene", 1)
    assert await lines(api, 'prices(commodity: "lithium", place: "DE")') == []
