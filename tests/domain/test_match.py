"""A clause that names only a group may cover a mineral, a form or a code; it does not certainly cover it."""

from datetime import date
from typing import Any

from tests.support.cases import each_case
from tests.support.fact_builders import clause
from tracker.domain.basics.codec import from_builtins
from tracker.domain.basics.control_vocabulary import Form, Match
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.controls.clause import Clause
from tracker.domain.controls.clause_query import ClauseQuery, match_of


def match(fields: dict[str, Any], **query: Any) -> Match:
    """Return the match of a clause with these fields."""
    return match_of(ClauseQuery(date(2026, 1, 1), **query), from_builtins(Clause, clause(**fields)))


GALLIUM = Commodity("gallium")
CODED = [{"name": "gallium, unwrought", "hs": ["811292"], "commodity": "gallium"}]


@each_case("group", ["critical_minerals", "dual_use_items"])
@each_case("query", [{"commodity": GALLIUM}, {"hs_code": "811292"}, {"form": Form.METAL}])
def test_a_group_without_codes_is_a_possible_match(group: str, query: dict[str, Any]) -> None:
    assert match({"commodities": [group]}, **query) is Match.POSSIBLE


@each_case(
    ("fields", "query"),
    [
        ({"commodities": ["gallium"]}, {"commodity": GALLIUM}),
        ({"commodities": ["rare_earths"]}, {"commodity": Commodity("dysprosium")}),
        ({"commodities": ["gallium", "dual_use_items"]}, {"commodity": GALLIUM}),
        ({"commodities": ["critical_minerals"]}, {"commodity": Commodity("critical_minerals")}),
        ({"commodities": ["critical_minerals"]}, {}),
        ({"commodities": ["critical_minerals"], "items": CODED}, {"hs_code": "811292"}),
        ({"commodities": ["critical_minerals"], "items": CODED}, {"commodity": GALLIUM}),
    ],
)
def test_goods_that_are_named_by_themselves_or_by_codes_are_a_certain_match(
    fields: dict[str, Any], query: dict[str, Any]
) -> None:
    assert match(fields, **query) is Match.CERTAIN


def test_a_group_beside_another_mineral_stays_a_possible_match() -> None:
    fields = {"commodities": ["germanium", "dual_use_items"]}
    assert match(fields, commodity=GALLIUM) is Match.POSSIBLE
