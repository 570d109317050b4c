"""Lists say whether a clause covers the goods of a query for certain."""

from typing import Any

import pytest

from schema.services import Services
from tests.support.api import Api, claim, clause, control

LIST = """query ($commodity: String, $hsCode: String, $match: Match) {
  asOf(validAt: "2025-01-01") {
    exportControls(commodity: $commodity, hsCode: $hsCode, match: $match) {
      totalCount edges { node { key } matchingClauses { match } } }
    clauseCounts(groupBy: [MATCH], commodity: $commodity, hsCode: $hsCode) { match clauses }
    exportControl(id: "group") { clauses(commodity: $commodity) { match } } } }"""
EXPOSURE = """{ asOf(validAt: "2025-01-01") { exposure(commodity: "rare_earths") {
  controlledShare partlyControlledShare places { inForce { control { key } full match limits } } } } }"""


@pytest.fixture
async def api(services: Services) -> Api:
    """Run the API with a control of gallium, and one of critical minerals without codes."""
    api = Api(services)
    await api.do("announceExportControl", control("gallium"))
    group = {**clause(), "commodities": ["critical_minerals"]}
    await api.do("announceExportControl", control("group", group))
    return api


@pytest.mark.parametrize("goods", [{"commodity": "gallium"}, {"hsCode": "811292"}])
async def test_lists_and_counts_tell_certain_and_possible_matches_apart(
    api: Api, goods: dict[str, Any]
) -> None:
    found = (await api.ask(LIST, **goods))["asOf"]
    matches = {
        edge["node"]["key"]: edge["matchingClauses"] for edge in found["exportControls"]["edges"]
    }
    assert matches == {"gallium": [{"match": "CERTAIN"}], "group": [{"match": "POSSIBLE"}]}
    assert found["clauseCounts"] == [
        {"match": "CERTAIN", "clauses": 1},
        {"match": "POSSIBLE", "clauses": 1},
    ]
    for match, key in (("CERTAIN", "gallium"), ("POSSIBLE", "group")):
        found = (await api.ask(LIST, **goods, match=match))["asOf"]["exportControls"]
        assert [edge["node"]["key"] for edge in found["edges"]] == [key]


async def test_without_goods_in_the_query_there_is_no_match(api: Api) -> None:
    found = (await api.ask(LIST))["asOf"]
    assert {
        one["match"] for edge in found["exportControls"]["edges"] for one in edge["matchingClauses"]
    } == {None}
    assert found["exportControl"]["clauses"] == [{"match": None}]


async def test_a_possible_match_is_never_full_in_exposure(api: Api) -> None:
    await api.do("recordFigure", claim("240000"))
    await api.do("recordFigure", claim("300000", place="WORLD"))
    [found] = (await api.ask(EXPOSURE))["asOf"]["exposure"]
    assert (found["controlledShare"], found["partlyControlledShare"]) == ("0.0000", "0.8000")
    [applied] = found["places"][0]["inForce"]
    assert (applied["full"], applied["match"]) == (False, "POSSIBLE")
    assert "it names only a group of goods" in applied["limits"][0]
