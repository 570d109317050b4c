"""Trade flows in GraphQL: by code, commodity, importer, origin and year, on both time axes."""

from typing import Any

import pytest

from schema.services import Services
from tests.support.api import Api, flow


@pytest.fixture
async def api(services: Services) -> Api:
    """Run the API on some flows."""
    api = Api(services)
    for claim in (
        flow(),
        flow(("CN", "50", "5"), ("DE", "20", None), importer="FR"),
        flow(("CD", "80", "8"), code="282200", importer="US"),
        flow(("CD", "70", "7"), code="282200", importer="US", year=2022),
        flow(("AU", "10", "1"), code="280530", importer="JP"),
    ):
        await api.do("recordTradeFlow", claim)
    return api


async def keys(api: Api, arguments: str, day: str = "2026-06-01") -> list[str]:
    """Return the keys of a list of flows."""
    query = (
        f'{{ asOf(validAt: "{day}") {{ trade({arguments}) {{ totalCount nodes {{ key }} }} }} }}'
    )
    found = (await api.ask(query))["asOf"]["trade"]
    assert found["totalCount"] == len(found["nodes"])
    return [node["key"] for node in found["nodes"]]


GERMANY, FRANCE = "hs17/811292/DE/2024", "hs17/811292/FR/2024"
COBALT = ["hs17/282200/US/2022", "hs17/282200/US/2024"]


async def test_flows_are_listed_by_code_and_heading(api: Api) -> None:
    assert await keys(api, 'hsCode: "811292"') == [GERMANY, FRANCE]
    assert await keys(api, 'hsCode: "8112.92.6000"') == [GERMANY, FRANCE]
    assert await keys(api, 'hsCode: "2822"') == COBALT
    assert await keys(api, 'hsCode: "811231"') == [GERMANY, FRANCE]
    assert await keys(api, 'hsCode: "250490"') == []


async def test_a_commodity_selects_the_codes_that_may_have_its_goods(api: Api) -> None:
    assert await keys(api, 'commodity: "gallium"') == [GERMANY, FRANCE]
    assert await keys(api, 'commodity: "cobalt"') == COBALT
    assert await keys(api, 'commodity: "cobalt", hsCode: "811292"') == []
    assert await keys(api, 'commodity: "cobalt", hsCode: "2822"') == COBALT
    assert await keys(api, 'commodity: "rare_earths"') == []


async def test_the_answer_says_which_goods_share_a_code_and_whether_editions_agree(
    api: Api,
) -> None:
    found = await api.ask(
        """{ asOf(validAt: "2026-06-01") { trade(first: 5) {
             nodes { hsCode goods { commodities { key } isBundle exact hs22Codes reason } } } } }"""
    )
    goods = {one["hsCode"]: one["goods"] for one in found["asOf"]["trade"]["nodes"]}
    assert goods["280530"] is None
    assert goods["282200"] == {
        "commodities": [{"key": "cobalt"}],
        "isBundle": False,
        "exact": True,
        "hs22Codes": ["282200"],
        "reason": "Unchanged. Cobalt oxides and hydroxides together.",
    }
    bundle = goods["811292"]
    assert len(bundle["commodities"]) == 7
    assert bundle["isBundle"]
    assert not bundle["exact"]
    assert bundle["hs22Codes"] == ["811231", "811241", "811292"]


async def test_flows_are_listed_by_importer_origin_and_year(api: Api) -> None:
    assert await keys(api, 'importer: "DE"') == [GERMANY]
    assert await keys(api, 'importer: "EU"') == [GERMANY, FRANCE]
    assert await keys(api, 'importer: "EU", origin: "CA"') == [GERMANY]
    assert await keys(api, 'hsCode: "811292", origin: "EU"') == [FRANCE]
    assert await keys(api, 'importer: "US", years: { to: 2023 }') == COBALT[:1]
    assert await keys(api, 'commodity: "cobalt", orderBy: YEAR_DESC') == COBALT[::-1]


async def test_an_origin_alone_is_refused(api: Api) -> None:
    answer = await api.post('{ asOf { trade(origin: "CN") { totalCount } } }')
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "FILTER_REQUIRED"
    assert error["message"] == "expected hsCode, commodity or importer beside origin"


async def test_parts_have_shares_by_weight_and_by_value(api: Api) -> None:
    parts = "parts { place { code } quantity { value unit } value { value unit } "
    found = await api.ask(
        f"""query ($id: String!) {{ asOf(validAt: "2026-06-01") {{ tradeFlow(id: $id) {{
              importer {{ code }} year hsEdition {parts} quantityPercent valuePercent }}
              preferred {{ value {{ value unit }} quantity {{ value qualifier }} }} }} }} }}""",
        id=GERMANY,
    )
    assert found["asOf"]["tradeFlow"] == {
        "importer": {"code": "DE"},
        "year": 2024,
        "hsEdition": "HS17",
        "parts": [
            _part("CN", "60", "9000", "60.00", "90.00"),
            _part("CA", "40", "1000", "40.00", "10.00"),
        ],
        "preferred": {
            "value": {"value": "10000", "unit": "USD"},
            "quantity": {"value": "100", "qualifier": None},
        },
    }


def _part(place: str, tonnes: str, dollars: str, *percents: str) -> dict[str, Any]:
    return {
        "place": {"code": place},
        "quantity": {"value": tonnes, "unit": "t"},
        "value": {"value": dollars, "unit": "USD"},
        "quantityPercent": percents[0],
        "valuePercent": percents[1],
    }


async def test_a_later_edition_restates_a_flow_and_earlier_days_keep_theirs(api: Api) -> None:
    later = flow(("JP", "3", "1"), edition="BACI 202701", published_on="2027-01-15")
    await api.do("recordTradeFlow", later)
    ask = """query ($id: String!, $day: Day!, $position: Position) {
      asOf(validAt: $day, position: $position) { tradeFlow(id: $id) {
        preferred { edition origins { parts { place { code } } } } claims { edition latest } } } }"""

    async def claims(day: str, position: str | None = None) -> Any:
        data = await api.ask(ask, id=GERMANY, day=day, position=position)
        return data["asOf"]["tradeFlow"]

    assert (await claims("2027-02-01"))["claims"] == [
        {"edition": "BACI 202601", "latest": False},
        {"edition": "BACI 202701", "latest": True},
    ]
    for before in (await claims("2027-01-14"), await claims("2027-02-01", "5")):
        assert before["preferred"]["edition"] == "BACI 202601"
    assert await keys(api, 'hsCode: "811292", origin: "CN"', "2027-02-01") == [FRANCE]
    assert await claims("2025-12-31") is None


async def test_a_search_for_flows_finds_them_by_goods_code_and_importer(api: Api) -> None:
    for text in ("811292 Germany", "gallium Germany", "hafnium Germany"):
        found = await api.ask(
            """query ($text: String!) { asOf(validAt: "2026-06-01") {
                 search(text: $text, kinds: [FLOW]) { nodes { entity title } } } }""",
            text=text,
        )
        [first, *_] = found["asOf"]["search"]["nodes"]
        plain = '{ asOf(validAt: "2026-06-01") { search(text: "811292") { totalCount } } }'
        assert (await api.ask(plain))["asOf"]["search"] == {"totalCount": 0}
        assert first == {
            "entity": f"flow/{GERMANY}",
            "title": "Imports of 811292 (gallium, germanium, hafnium, indium and 3 more) by Germany, 2024",
        }


async def test_a_refused_flow_names_the_field(api: Api) -> None:
    wrong = flow()
    wrong["value"]["value"] = "1"
    answer = await api.post(
        "mutation ($input: RecordTradeFlowInput!) { recordTradeFlow(input: $input) { position } }",
        input=wrong,
    )
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "PARTS_DO_NOT_SUM"
    assert error["extensions"]["path"] == ["input", "origins", "parts"]
