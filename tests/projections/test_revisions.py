"""Revisions of a number from edition to edition of its publisher."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from projections.analysis.revisions import Revision, revisions
from schema.services import Services
from tests.support.api import Api
from tests.support.fact_builders import claimed, decided_facts, state
from tracker.domain.figures.figure import FigureState
from tracker.domain.figures.figure_facts import Claimed

STREAM = "figure/rare_earths/CN/production/mine/2023"


def claims(*facts: Claimed) -> list[Revision]:
    """Return the revisions of a figure with these claims."""
    found: FigureState = state(decided_facts(STREAM, *facts), STREAM, "2030-01-01")
    return revisions(found)


def in_year(year: int, value: int, **more: Any) -> Claimed:
    """Return a claim of the edition of a year."""
    published = {"edition": f"MCS {year}", "published_on": f"{year}-01-31"}
    return claimed(value, **(published | more))


def changes(found: list[Revision]) -> list[tuple[str, str]]:
    """Return the change of each claim, in tonnes and in percent."""
    return [(str(of.change), str(of.change_percent)) for of in found]


def test_a_claim_is_set_against_the_one_that_it_restates() -> None:
    found = claims(in_year(2024, 240_000), in_year(2025, 255_000), in_year(2026, 270_000))
    assert changes(found) == [("None", "None"), ("15000", "6.25"), ("15000", "5.88")]
    assert [of.before and of.before.edition for of in found] == [None, "MCS 2024", "MCS 2025"]


def test_publishers_are_not_set_against_each_other() -> None:
    found = claims(in_year(2024, 100), in_year(2025, 500, publisher="bgs"), in_year(2026, 90))
    assert changes(found) == [("None", "None"), ("None", "None"), ("-10", "-10.00")]


def test_units_are_converted_and_what_cant_be_compared_says_why() -> None:
    found = claims(
        in_year(2022, 1000),
        in_year(2023, 2, unit="kt"),
        in_year(2024, 3, unit="kt", basis="gross weight"),
        in_year(2025, 0),
        in_year(2026, 5),
    )
    assert (found[1].change, found[1].change_percent) == (1, 100)
    assert found[2].incomparable_reason == "its basis is gross weight, the earlier is REO"
    assert changes(found)[3] == ("None", "None")
    assert changes(found)[4] == ("5", "None")
    bound = claims(in_year(2024, 5, qualifier="less_than"), in_year(2025, 7))
    assert bound[1].incomparable_reason == "the earlier figure is a bound or a range (less_than)"


@given(
    st.lists(
        st.tuples(st.sampled_from(["usgs", "bgs"]), st.integers(0, 10**9)), min_size=1, max_size=8
    )
)
def test_the_changes_of_a_publisher_add_up_to_its_last_number(
    editions: list[tuple[str, int]],
) -> None:
    found = claims(
        *(in_year(2000 + n, value, publisher=by) for n, (by, value) in enumerate(editions))
    )
    assert len(found) == len(editions)
    for publisher in {by for by, _ in editions}:
        own = [of for of in found if of.claim.publisher == publisher]
        values = [value for by, value in editions if by == publisher]
        assert own[0].change is None
        assert values[0] + sum((of.change or Decimal(0)) for of in own) == values[-1]
        assert all(of.before is before.claim for before, of in pairwise(own))


async def test_the_corpus_says_how_a_figure_was_restated(read_services: Services) -> None:
    """China's rare earths in 2023: 240,000 t in MCS 2024, 255,000 t in MCS 2025."""
    api = Api(read_services)
    data = await api.ask(
        """{ asOf(validAt: "2026-03-01") {
          figure(id: "rare_earths/CN/production/mine/2023") { revisions { publisher edition
            publishedOn value unit change changePercent position before { value }
            claim { position preferred } } }
          revisions(commodity: "rare_earths", place: "CN", statistic: PRODUCTION, stage: MINE,
            years: {from: 2023, to: 2023}) { totalCount nodes { edition value change changePercent
            position claim { figure } } } }
          history(entity: "figure/rare_earths/CN/production/mine/2023", last: 1) { nodes { state {
            ... on Figure { revisions { edition change } } } } } }"""
    )
    told = data["asOf"]["figure"]["revisions"]
    usgs = [of for of in told if of["publisher"] == "usgs"]
    assert [(of["value"], of["change"], of["changePercent"]) for of in usgs] == [
        ("240000", None, None),
        ("255000", "15000", "6.25"),
    ]
    assert [of["before"] and of["before"]["value"] for of in usgs] == [None, "240000"]
    assert all(of["claim"]["position"] == of["position"] for of in told)
    listed = data["asOf"]["revisions"]
    assert listed["totalCount"] == len(told)
    names = ("edition", "value", "change", "changePercent", "position")
    by_position = sorted(told, key=lambda of: int(of["position"]))
    assert [[of[name] for name in names] for of in listed["nodes"]] == [
        [of[name] for name in names] for of in by_position
    ]
    [past] = data["history"]["nodes"]
    assert past["state"]["revisions"][: len(told)] == [
        {"edition": of["edition"], "change": of["change"]} for of in told
    ]


async def test_a_filter_leaves_a_revision_the_claim_that_it_restates(
    read_services: Services,
) -> None:
    data = await Api(read_services).ask(
        """{ asOf(validAt: "2026-03-01") { revisions(commodity: "gallium", place: "CN",
          statistic: PRODUCTION, published: {from: "2026-01-01"}, orderBy: PERIOD) {
            nodes { edition claim { series { period } } before { edition } } } } }"""
    )
    nodes = data["asOf"]["revisions"]["nodes"]
    assert {of["edition"] for of in nodes} == {"MCS 2026"}
    assert [(of["claim"]["series"]["period"], of["before"]) for of in nodes] == [
        (2024, {"edition": "MCS 2025"}),
        (2025, None),
    ]
