"""Production without a year is that of the latest year with figures for the product."""

from typing import Any

from schema.services import Services
from tests.support.api import Api
from tests.support.cases import each_case

DOCUMENT = """query ($commodity: String!, $stage: Stage, $form: String, $day: Day) {
  asOf(validAt: $day) {
    production(commodity: $commodity, stage: $stage, form: $form) {
      stage form year world { value } figures { place { code } } }
    supplies(commodity: $commodity, statistic: PRODUCTION) { commodity { key } stage form years } } }"""


async def asked(services: Services, commodity: str, **more: Any) -> tuple[Any, list[Any]]:
    """Query the production of a commodity, and its products with figures."""
    data = (await Api(services).ask(DOCUMENT, commodity=commodity, **more))["asOf"]
    return data["production"], [
        one for one in data["supplies"] if one["commodity"]["key"] == commodity
    ]


@each_case("commodity", ["rare_earths", "cobalt", "gallium"])
async def test_it_is_the_last_year_of_the_product_that_is_meant(
    read_services: Services, commodity: str
) -> None:
    production, supplies = await asked(read_services, commodity)
    [years] = [
        one["years"]
        for one in supplies
        if (one["stage"], one["form"]) == (production["stage"], production["form"])
    ]
    assert production["year"] == max(years)
    assert production["figures"]


async def test_a_day_before_the_editions_has_an_earlier_year(read_services: Services) -> None:
    now, _ = await asked(read_services, "cobalt")
    then, _ = await asked(read_services, "cobalt", day="2023-06-01")
    assert then["year"] < now["year"]


async def test_without_figures_there_is_no_year(read_services: Services) -> None:
    production, _ = await asked(read_services, "cobalt", day="1990-01-01")
    assert (production["year"], production["world"], production["figures"]) == (None, None, [])


async def test_a_form_that_is_not_given_has_none_either(read_services: Services) -> None:
    production, _ = await asked(read_services, "cobalt", stage="REFINERY", form="dust")
    assert (production["year"], production["figures"]) == (None, [])


LATEST = """query ($commodity: String, $day: Day) { asOf(validAt: $day) {
  latestProductions(commodity: $commodity) {
    commodity { key } stage form year world { value } concentration { hhi } figures { place { code } }
    available { stage form } }
  production(commodity: "cobalt") { stage form year world { value } concentration { hhi }
    figures { place { code } } } } }"""


async def test_the_latest_productions_are_those_of_each_commodity_alone(
    read_services: Services,
) -> None:
    data = (await Api(read_services).ask(LATEST, day="2026-11-20"))["asOf"]
    found = {one["commodity"]["key"]: one for one in data["latestProductions"]}
    alone = data["production"]
    assert {name: found["cobalt"][name] for name in alone} == alone
    assert len(found) == len(data["latestProductions"]) > 80
    assert (found["germanium"]["year"], found["germanium"]["stage"]) == (2023, "REFINERY")
    assert found["titanium"]["form"] == "sponge"
    iron_ore = found["iron_ore"]
    assert (iron_ore["year"], iron_ore["figures"]) == (None, []), "two products, and none is meant"
    assert {one["form"] for one in iron_ore["available"]} >= {"usable_ore", "iron_content"}
    keys = list(found)
    assert keys.index("bauxite") + 1 == keys.index("alumina"), "in the order of the tree"


async def test_the_latest_productions_are_those_that_were_public_by_the_day(
    read_services: Services,
) -> None:
    asked = {"commodity": "cobalt", "day": "2023-06-01"}
    [cobalt] = (await Api(read_services).ask(LATEST, **asked))["asOf"]["latestProductions"]
    assert cobalt["year"] == 2022
    asked["day"] = "1990-01-01"
    assert (await Api(read_services).ask(LATEST, **asked))["asOf"]["latestProductions"] == []


async def test_the_table_of_production_is_of_the_latest_year_too(read_services: Services) -> None:
    api = Api(read_services)
    latest, named = [
        (await api.request("GET", f"/tables/production.json?commodity=cobalt{more}")).json()["rows"]
        for more in ("&valid=2026-11-20", "&valid=2026-11-20&year=2025")
    ]
    assert latest == named
    assert latest
