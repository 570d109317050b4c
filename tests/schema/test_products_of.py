"""Products of one place, with the same shares as in the whole distribution."""

import pytest

from schema.services import Services
from tests.support.api import Api

DOCUMENT = """query ($place: String!, $years: YearRange) { asOf(validAt: "2026-06-01") {
  productsOf(place: $place, years: $years) {
    commodity { key } stage form year figure { share value figure rank } } } }"""
WHOLE = """query ($commodity: String!, $year: Int!, $stage: Stage, $form: String) {
  asOf(validAt: "2026-06-01") { production(
    commodity: $commodity, year: $year, stage: $stage, form: $form
  ) { figures { place { code } share value figure } } } }"""


@pytest.mark.parametrize("place", ["CD", "BH"])
async def test_shares_are_those_of_the_whole_distribution(
    read_services: Services, place: str
) -> None:
    api = Api(read_services)
    products = (await api.ask(DOCUMENT, place=place, years={"from": 2023, "to": 2024}))["asOf"]
    assert {one["year"] for one in products["productsOf"]} == {2023, 2024}
    for one in products["productsOf"]:
        asked = {name: one[name] for name in ("stage", "form", "year")}
        whole = (await api.ask(WHOLE, commodity=one["commodity"]["key"], **asked))["asOf"]
        [own] = [of for of in whole["production"]["figures"] if of["place"]["code"] == place]
        figure = one["figure"]
        assert figure["rank"] is None
        assert [figure[name] for name in ("share", "value", "figure")] == [
            own[name] for name in ("share", "value", "figure")
        ]


async def test_a_place_without_figures_has_no_products(read_services: Services) -> None:
    assert (await Api(read_services).ask(DOCUMENT, place="VA"))["asOf"]["productsOf"] == []


async def test_the_world_has_no_share_of_itself(read_services: Services) -> None:
    assert (await Api(read_services).ask(DOCUMENT, place="WORLD"))["asOf"]["productsOf"] == []
