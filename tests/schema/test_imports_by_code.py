"""Imports under export controls by trade flows: the EU, and places without a published list."""

import csv
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from schema.services import Services
from tests.support.api import Api
from tracker.domain.catalogue.places import Place
from tracker.domain.catalogue.unions import members_of

FIELDS = """commodity { key } form hsCode publisher edition firstYear lastYear measured unit whole
  claim { edition } flows { key } figuresPublicLater certain assumed partly none unnamed remainder
  lower tight upper limits
  origins { place { code } least controls { status inForce { control { key } reach limits } } }"""
MEMBERS = 27


@pytest.fixture
def api(read_services: Services) -> Api:
    """Run the API on the shipped corpus."""
    return Api(read_services)


async def lists(api: Api, arguments: str, day: str = "2026-06-01") -> list[dict[str, Any]]:
    """Return the lists of a query for imports under export controls."""
    data = await api.ask(
        f'{{ asOf(validAt: "{day}") {{ importExposure({arguments}) {{ lists {{ {FIELDS} }} }} }} }}'
    )
    found: list[dict[str, Any]] = data["asOf"]["importExposure"]["lists"]
    return found


def check_sums(of: dict[str, Any]) -> None:
    """Check that the sums are the whole and the bounds are in order."""
    names = ("certain", "assumed", "partly", "none", "unnamed", "remainder")
    assert sum(Decimal(of[name]) for name in names) == Decimal(of["whole"])
    assert Decimal(of["lower"]) <= Decimal(of["tight"]) <= Decimal(of["upper"])
    assert Decimal(of["upper"]) <= Decimal(of["whole"])


async def test_the_imports_of_the_eu_are_those_from_outside_added_over_its_members(
    api: Api,
) -> None:
    [found] = await lists(api, 'importer: "EU", commodity: "fluorspar"')
    assert (found["hsCode"], found["claim"], found["form"]) == ("252922", None, None)
    assert (found["firstYear"], found["lastYear"], found["edition"]) == (2024, 2024, "BACI 202601")
    check_sums(found)
    assert len(found["flows"]) <= MEMBERS
    origins = {one["place"]["code"] for one in found["origins"]}
    assert origins.isdisjoint({"DE", "FR", "ES", "IT", "NL", "BE"})
    assert any("Trade between members is not counted" in limit for limit in found["limits"])
    data = await api.ask("""{ asOf(validAt: "2026-06-01") {
      trade(hsCode: "252922", importer: "EU", first: 100) { nodes {
        importer { code } parts { place { code } quantity { value } value { value } } } } } }""")
    nodes = data["asOf"]["trade"]["nodes"]
    members = {node["importer"]["code"] for node in nodes}
    field = "quantity" if found["unit"] == "t" else "value"
    china = [
        Decimal(part[field]["value"])
        for node in nodes
        for part in node["parts"]
        if part["place"] and part["place"]["code"] == "CN"
    ]
    [shown] = [one for one in found["origins"] if one["place"]["code"] == "CN"]
    assert Decimal(shown["least"]) == sum(china)
    assert shown["controls"]["status"] == "CERTAIN"
    assert members <= {one["key"].split("/")[2] for one in found["flows"]} | {"EU"}


async def test_a_code_with_other_goods_is_at_most_partly_controlled(api: Api) -> None:
    [found] = await lists(api, 'importer: "JP", commodity: "gallium"')
    assert found["hsCode"] == "811292"
    check_sums(found)
    [china] = [one for one in found["origins"] if one["place"]["code"] == "CN"]
    assert china["controls"]["status"] == "PARTLY"
    for clause in china["controls"]["inForce"]:
        assert clause["limits"][0] == "the code also has goods of other commodities"
    assert (found["lower"], found["certain"]) == ("0", "0")
    assert any("germanium" in limit.lower() for limit in found["limits"])


async def test_a_published_list_has_precedence_and_an_edition_selects_flows(api: Api) -> None:
    published = await lists(api, 'importer: "US", commodity: "fluorspar"')
    assert [one["edition"] for one in published] == ["MCS 2026"]
    [flows] = await lists(api, 'importer: "US", commodity: "fluorspar", figures: "BACI 202601"')
    assert (flows["hsCode"], flows["publisher"]) == ("252922", "cepii")
    check_sums(flows)


async def test_flows_are_used_from_the_day_on_which_they_were_public(api: Api) -> None:
    asked = 'importer: "EU", commodity: "fluorspar"'
    assert await lists(api, asked, "2025-12-31") == []
    [later] = await lists(api, f'{asked}, figures: "BACI 202601"', "2025-12-31")
    assert later["figuresPublicLater"]
    assert await lists(api, f'{asked}, form: "all"') == []


async def test_a_place_without_flows_has_no_list(api: Api) -> None:
    assert await lists(api, 'importer: "CH", commodity: "fluorspar"') == []
    assert await lists(api, 'importer: "EU", commodity: "zeolites"') == []


@pytest.mark.parametrize("importer", ["EU", "DE"])
async def test_without_a_commodity_all_codes_of_an_importer_are_listed(
    api: Api, importer: str
) -> None:
    found = await lists(api, f'importer: "{importer}"')
    pairs = [(one["hsCode"], one["commodity"]["key"]) for one in found]
    assert len({*pairs}) == len(pairs)
    assert {("811292", "gallium"), ("811292", "germanium"), ("283691", "lithium_carbonate")} <= {
        *pairs
    }
    for one in found:
        check_sums(one)
    alone = await lists(api, f'importer: "{importer}", commodity: "gallium"')
    assert [one for one in found if one["commodity"]["key"] == "gallium"] == alone


async def test_without_a_commodity_flows_complete_published_lists(api: Api) -> None:
    found = await lists(api, 'importer: "US"')
    published = {one["commodity"]["key"] for one in found if one["claim"]}
    by_code = {one["commodity"]["key"] for one in found if not one["claim"]}
    assert "gallium" in published
    assert published.isdisjoint(by_code)
    for key in sorted(by_code):
        alone = await lists(api, f'importer: "US", commodity: "{key}"')
        assert {one["hsCode"] for one in alone if one["hsCode"]}, key


async def test_completeness_is_about_the_importer(api: Api) -> None:
    for importer, statement in (
        ("DE", "No list of figures on the imports of Germany was read in full"),
        ("US", "Figures on the imports of the United States were read in part"),
    ):
        data = await api.ask(f"""{{ asOf {{
          importExposure(importer: "{importer}") {{ completeness {{ statement }} }}
          reliance(importer: "{importer}") {{ completeness {{ statement }} }}
          trade(importer: "{importer}", first: 1) {{
            completeness {{ statement }} nodes {{ completeness {{ statement }} }} }} }} }}""")
        state = data["asOf"]
        for of in (state["importExposure"], state["reliance"], state["trade"]):
            assert statement in of["completeness"]["statement"]
            assert "acts" not in of["completeness"]["statement"]
        assert statement in state["trade"]["nodes"][0]["completeness"]["statement"]


async def test_magnets_into_the_eu_are_those_of_the_file_without_trade_between_members(
    api: Api, shared_data: Path
) -> None:
    members = {place.alpha3 for place in members_of(Place("EU"), date(2026, 6, 1))}
    imports = defaultdict[str, Decimal](Decimal)
    with (shared_data / "raw" / "baci" / "baci_hs17_v202601_2024.csv").open() as file:
        for row in csv.DictReader(file):
            into = row["importer"] in members and row["exporter"] not in members
            if into and row["hs6"] == "850511":
                imports[row["exporter"]] += Decimal(row["value_kusd"])
    whole = sum(imports.values())
    assert (imports["CHN"], whole) == (Decimal("1077193.795"), Decimal("1215556.922"))
    answers = await lists(api, 'importer: "EU", commodity: "permanent_magnets"')
    [found] = [one for one in answers if one["hsCode"] == "850511"]
    [china] = [one["least"] for one in found["origins"] if one["place"]["code"] == "CN"]
    assert found["unit"] == "USD"
    assert Decimal(found["whole"]) == 1000 * whole
    assert Decimal(china) == 1000 * imports["CHN"]
