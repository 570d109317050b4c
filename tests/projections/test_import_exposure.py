"""Imports under export controls: bounds that never claim more than a list and the recorded acts."""

from datetime import date
from decimal import Decimal
from typing import Any

from projections.analysis.flow_lists import flow_lists
from projections.analysis.import_exposure import ImportExposure
from projections.analysis.origin_lists import OriginList, newest_lists
from tests.support.cases import each_case
from tests.support.fact_builders import claimed, decided_facts, flow_claimed, state, suspended
from tests.support.origin_lists import (
    GALLIUM,
    LONG_AFTER,
    control_of,
    exposed,
    figure_state,
    origin_list,
)
from tracker.domain.basics.control_vocabulary import Measure
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.hs_concordance import goods_by_code
from tracker.domain.catalogue.places import Place
from tracker.domain.catalogue.unions import members_of
from tracker.domain.controls.confirmation import NO_GROUNDS
from tracker.domain.figures.figure import FigureState
from tracker.domain.figures.trade_flow import FlowClaimed, TradeFlowState


def output(place: str, value: int, commodity: str = "gallium", **more: Any) -> FigureState:
    """Return the output of a place."""
    return figure_state(claimed(value, place=place, commodity=commodity, **more))


def bounds(of: ImportExposure) -> tuple[str, str, str]:
    """Return the lower, tight and upper bound."""
    return str(of.lower), str(of.tight), str(of.upper)


def statuses(of: ImportExposure) -> dict[str, str]:
    """Return the status of each origin."""
    return {str(one.origin.place): str(one.controls.status) for one in of.origins}


def sums(of: ImportExposure) -> dict[str, str]:
    """Return the sums that are not 0."""
    names = ("certain", "assumed", "partly", "none", "unnamed", "remainder")
    return {name: str(getattr(of.sums, name)) for name in names if getattr(of.sums, name)}


def test_an_origin_with_a_clause_in_force_on_all_of_the_product_is_certainly_controlled() -> None:
    found = exposed(origin_list(), control_of("CN"))
    assert statuses(found) == {"CA": "none", "JP": "none", "CN": "certain", "DE": "none"}
    assert sums(found) == {"certain": "18", "none": "66", "unnamed": "16"}
    assert bounds(found) == ("18", "18", "18")


@each_case(
    ("clause", "status"),
    [
        ({}, "certain"),
        ({"destinations": ["US"]}, "certain"),
        ({"destinations": ["JP"]}, "none"),
        ({"exceptions": [{"places": ["US"], "exempt": True}]}, "none"),
        ({"commodities": ["germanium"]}, "none"),
        ({"commodities": ["critical_minerals"]}, "partly"),
        ({"forms": ["metal"]}, "certain"),
        ({"forms": ["metal", "oxide"]}, "certain"),
        ({"forms": ["ore"]}, "none"),
        ({"items": [{"name": "gallium arsenide"}]}, "partly"),
        ({"endUse": "military"}, "partly"),
        ({"entities": ["A"]}, "partly"),
        ({"exemptions": "samples"}, "partly"),
        ({"covers": "technology"}, "none"),
        ({"measure": "investigation"}, "none"),
        ({"inForceFrom": "2026-06-02"}, "none"),
        ({"inForceUntil": "2026-05-31"}, "none"),
        ({"legalStage": "proposed"}, "none"),
        ({"end": "unknown"}, "partly"),
    ],
)
def test_the_status_is_that_of_the_clause(clause: dict[str, Any], status: str) -> None:
    assert statuses(exposed(origin_list(), control_of("CN", clause)))["CN"] == status


def test_the_strongest_clause_of_an_origin_counts() -> None:
    weak, strong = control_of("CN", {"entities": ["A"]}, id="a"), control_of("CN", id="b")
    for controls in ((weak, strong), (strong, weak)):
        assert statuses(exposed(origin_list(), *controls))["CN"] == "certain"


def test_a_suspended_clause_stands_beside_with_its_days_and_does_not_count() -> None:
    act = suspended("1", start="2025-11-09", end="2026-11-27")
    found = exposed(origin_list(), control_of("CN", then=[act]))
    china = found.origins[2].controls
    assert (china.status, china.in_force) == ("none", ())
    [beside] = china.beside
    assert beside.clause.returns_on == date(2026, 11, 28)
    assert bounds(found) == ("0", "0", "0")


@each_case("clause", [{"inForceFrom": "2026-06-02"}, {"legalStage": "proposed"}])
def test_announced_and_proposed_clauses_stand_beside(clause: dict[str, Any]) -> None:
    china = exposed(origin_list(), control_of("CN", clause)).origins[2].controls
    assert (len(china.in_force), len(china.beside)) == (0, 1)


def test_a_status_that_no_record_confirms_is_assumed() -> None:
    found = exposed(origin_list(), control_of("CN"), grounds=NO_GROUNDS)
    assert statuses(found)["CN"] == "assumed"
    assert bounds(found) == ("0", "18", "18")


def test_the_law_of_a_union_is_that_of_its_members() -> None:
    found = exposed(origin_list({"DE": 60, "NO": 40}, None), control_of("EU"))
    assert statuses(found) == {"DE": "certain", "NO": "none"}
    found = exposed(origin_list({"EU": 60, "NO": 40}, None), control_of("DE"))
    assert statuses(found) == {"EU": "partly", "NO": "none"}


def test_a_group_with_some_controlling_members_is_partly_controlled() -> None:
    group = origin_list({"AU_CA_CN_NA": 100}, None)
    assert statuses(exposed(group)) == {"AU_CA_CN_NA": "none"}
    found = exposed(group, control_of("CN"))
    assert (statuses(found), bounds(found)) == ({"AU_CA_CN_NA": "partly"}, ("0", "100", "100"))
    everyone = [control_of(issuer) for issuer in ("AU", "CA", "CN", "NA")]
    assert statuses(exposed(group, *everyone)) == {"AU_CA_CN_NA": "certain"}


# --- the unnamed part


def test_the_unnamed_part_counts_if_a_place_outside_the_list_controls_and_produces() -> None:
    found = exposed(origin_list(), control_of("RU"), output=[output("RU", 5)])
    assert bounds(found) == ("0", "16", "16")
    [russia] = found.unnamed_suppliers
    assert (russia.place, russia.status) == ("RU", "certain")
    assert russia.supply is not None
    assert russia.supply[1].quantity.value == Decimal(5)


@each_case(
    "figures",
    [
        (),
        (output("RU", 0, qualifier="nil"),),
        (output("RU", 5, commodity="germanium"),),
        (output("WORLD", 5),),
    ],
)
def test_without_output_a_control_adds_nothing_and_is_named(
    figures: tuple[FigureState, ...],
) -> None:
    found = exposed(origin_list(), control_of("RU"), output=figures)
    assert bounds(found) == ("0", "0", "0")
    assert [str(one.place) for one in found.controlling_without_supply] == ["RU"]
    assert found.unnamed_suppliers == ()


def test_a_controlling_producer_in_a_list_without_unnamed_part_adds_nothing() -> None:
    found = exposed(origin_list({"CA": 100}, None), control_of("RU"), output=[output("RU", 5)])
    assert (bounds(found), found.unnamed_suppliers) == (("0", "0", "0"), ())


def test_the_tight_bound_counts_the_smallest_named_part_for_each_unnamed_place() -> None:
    parts: dict[str, int | str] = {"CA": 50, "JP": 10}
    russia, india = output("RU", 5), output("IN", 5)
    one = exposed(origin_list(parts, 40), control_of("RU"), output=[russia, india])
    assert bounds(one) == ("0", "10", "40")
    both = control_of("RU"), control_of("IN")
    assert bounds(exposed(origin_list(parts, 40), *both, output=[russia, india])) == (
        "0",
        "20",
        "40",
    )
    assert any("inference" in limit for limit in one.limits)


def test_the_importer_is_not_an_origin_of_its_imports() -> None:
    found = exposed(origin_list(), control_of("US"), output=[output("US", 5)])
    assert (found.unnamed_suppliers, found.controlling_without_supply) == ((), ())


def test_a_place_that_a_listed_origin_includes_is_not_unnamed() -> None:
    claim = origin_list(includes={"CN": ["HK"]})
    found = exposed(claim, control_of("HK"), output=[output("HK", 5)])
    assert (bounds(found), found.unnamed_suppliers) == (("0", "0", "0"), ())
    assert "The part of China includes Hong Kong; the controls are those of China." in found.limits


# --- intervals and rounding


def test_an_interval_widens_both_ends() -> None:
    claim = origin_list({"CN": ">99"}, "<1")
    found = exposed(claim, control_of("CN"))
    assert sums(found) == {"certain": "99", "remainder": "1"}
    assert bounds(found) == ("99", "100", "100")
    found = exposed(claim, control_of("RU"), output=[output("RU", 5)])
    assert bounds(found) == ("0", "1", "1")


def test_a_remainder_of_rounding_is_said_and_given_to_no_origin() -> None:
    found = exposed(origin_list({"CN": 33, "CA": 33, "JP": 33}, None), control_of("CN"))
    assert sums(found) == {"certain": "33", "none": "66", "remainder": "1"}
    found = exposed(origin_list({"CN": 51, "CA": 50}, None), control_of("CN"), control_of("CA"))
    assert sums(found) == {"certain": "101", "remainder": "-1"}
    assert bounds(found) == ("100", "100", "100")
    assert "Each part is rounded and may differ by 0.5 percent." in found.limits


def test_amounts_are_added_in_their_unit() -> None:
    claim = origin_list({"CN": 30, "CA": 20}, 10, whole=60, unit="t", form="metal")
    found = exposed(claim, control_of("CN"))
    assert sums(found) == {"certain": "30", "none": "20", "unnamed": "10"}
    assert (found.listed.whole, bounds(found)) == (Decimal(60), ("30", "30", "30"))
    assert not any("rounded" in limit for limit in found.limits)


# --- measures, and the age of figures


def test_only_the_requested_measures_count_and_each_is_shown_alone() -> None:
    controls = (
        control_of("CN", {"measure": "licence", "entities": ["A"]}, id="a"),
        control_of("CN", {"measure": "state_trading"}, id="b"),
        control_of("CA", {"measure": "licence"}),
    )
    found = exposed(origin_list(), *controls)
    assert bounds(found) == ("46", "46", "46")
    shown = [(one.measure, str(one.certain), str(one.partly)) for one in found.measures]
    assert shown == [(Measure.LICENCE, "28", "18"), (Measure.STATE_TRADING, "18", "0")]
    licences = exposed(origin_list(), *controls, measures={Measure.LICENCE})
    assert bounds(licences) == ("28", "46", "46")
    assert [one.measure for one in licences.measures] == [Measure.LICENCE]
    assert bounds(exposed(origin_list(), *controls, measures=set())) == ("0", "0", "0")


def test_a_control_that_is_younger_than_the_figures_is_marked() -> None:
    young = control_of("CN", {"inForceFrom": "2025-01-01"})
    old = control_of("CA", {"inForceFrom": "2024-12-31"})
    found = exposed(origin_list(), young, old)
    days = {str(one.origin.place): one.controlled_since_figures for one in found.origins}
    assert days == {"CA": None, "JP": None, "CN": date(2025, 1, 1), "DE": None}
    assert found.controlled_since_figures == date(2025, 1, 1)
    one_year = origin_list(first=2025, last=None)
    assert exposed(one_year, young).controlled_since_figures is None


def test_a_clause_on_a_group_does_not_date_a_control_that_names_the_goods() -> None:
    group = control_of("CN", {"commodities": ["critical_minerals"], "entities": ["A"]}, id="a")
    named = control_of("CN", {"inForceFrom": "2025-02-04", "entities": ["A"]}, id="b")
    found = exposed(origin_list(), group, named)
    assert found.controlled_since_figures == date(2025, 2, 4)


# --- the choice of lists


def test_the_newest_list_of_each_product_and_publisher_is_chosen_and_none_are_combined() -> None:
    older = figure_state(
        origin_list(first=2020, last=2023, edition="MCS 2025", published_on="2025-01-31")
    )
    newer = figure_state(origin_list())
    oxide = figure_state(origin_list(form="oxide"))
    yearly = figure_state(origin_list(publisher="bgs", first=2023, last=None))
    found = newest_lists([newer, older, oxide, yearly])
    assert [(one.form, one.publisher, one.last_year) for one in found] == [
        ("metal", "usgs", 2024),
        ("oxide", "usgs", 2024),
        ("metal", "bgs", 2023),
    ]
    [named] = newest_lists([newer, older, oxide, yearly], edition="MCS 2025")
    assert named.edition == "MCS 2025"
    assert newest_lists([newer], edition="MCS 2030") == []


def test_a_restated_list_is_read_in_its_latest_edition() -> None:
    again = origin_list({**GALLIUM, "CA": 30}, 14, edition="MCS 2027", published_on="2027-01-31")
    figure = figure_state(origin_list(), again)
    [found] = newest_lists([figure])
    assert found.edition == "MCS 2027"
    [found] = newest_lists([figure], edition="MCS 2026")
    assert found.edition == "MCS 2026"


# --- trade flows


def flow_state(claim: FlowClaimed) -> TradeFlowState:
    """Return a trade flow."""
    found: TradeFlowState = state(decided_facts(claim.stream, claim), claim.stream, LONG_AFTER)
    return found


def of_code(*claims: FlowClaimed, importer: str = "DE", **more: Any) -> OriginList:
    """Return the list of origins of antimony under its code."""
    place = Place(importer)
    flows = [flow_state(claim) for claim in claims]
    members = members_of(place, date(2026, 6, 1))
    [found] = flow_lists(flows, goods_by_code(Commodity("antimony")), place, members, **more)
    return found


METAL = {"CN": ("900", "60"), "VN": ("100", "40")}


def test_a_flow_is_a_list_in_tonnes_or_in_dollars_if_a_weight_is_missing() -> None:
    found = of_code(flow_claimed(METAL, code="811010"))
    assert (found.quantity.unit, found.whole, found.has_other_goods) == ("t", Decimal(100), False)
    found = of_code(flow_claimed({**METAL, "VN": ("100", None)}, code="811010"))
    assert (found.quantity.unit, found.whole, found.origins.places) == ("USD", 1000, ("CN", "VN"))


def test_flows_into_a_union_are_those_from_outside_and_members_without_a_record_are_named() -> None:
    germany = flow_claimed({**METAL, "FR": ("500", "50")}, code="811010")
    france = flow_claimed({"CN": ("100", "10")}, code="811010", importer="FR")
    japan = flow_claimed({"CN": ("100", "10")}, code="811010", importer="JP")
    found = of_code(germany, france, japan, importer="EU")
    parts = {str(one.place): one.quantity and one.quantity.value for one in found.origins.parts}
    assert parts == {"CN": Decimal(70), "VN": Decimal(40)}
    assert len(found.flows) == 2
    ban = control_of("CN", {"commodities": ["antimony"]})
    limits = exposed(found, ban).limits
    assert any("No flow of AT, BE" in limit and "FR" not in limit for limit in limits)


def test_a_clause_toward_one_member_covers_a_part_of_the_imports_of_the_union() -> None:
    found = of_code(flow_claimed(METAL, code="811010"), importer="EU")
    some = control_of("CN", {"commodities": ["antimony"], "destinations": ["DE"]})
    assert statuses(exposed(found, some)) == {"CN": "partly", "VN": "none"}
    everyone = control_of("CN", {"commodities": ["antimony"]})
    assert bounds(exposed(found, everyone)) == ("60", "60", "60")


def test_a_code_with_other_goods_is_at_most_partly_controlled() -> None:
    flows = [flow_state(flow_claimed())]
    [found] = flow_lists(flows, goods_by_code(Commodity("gallium")), Place("DE"), frozenset())
    assert found.has_other_goods
    assert statuses(exposed(found, control_of("CN"))) == {"CN": "partly", "CA": "none"}


def test_a_flow_in_the_newest_year_or_in_a_named_edition_is_chosen() -> None:
    older = flow_claimed(METAL, code="811010", year=2022)
    newer = flow_claimed(METAL, code="811010", edition="BACI 202701", published_on="2027-01")
    assert of_code(older, newer).last_year == 2024
    named = of_code(older, newer, edition="BACI 202601")
    assert (named.last_year, named.edition) == (2022, "BACI 202601")


def test_a_flow_to_the_importer_shows_that_a_place_may_be_in_the_unnamed_part() -> None:
    metal = origin_list({"CN": 60}, 40, commodity="antimony", form="unwrought_metal_and_powder")
    vietnam = control_of("VN", {"commodities": ["antimony"]})
    flow = flow_state(flow_claimed(METAL, code="811010", importer="US"))
    found = exposed(metal, vietnam, flows=[flow])
    [supplier] = found.unnamed_suppliers
    assert (supplier.place, supplier.supply, bounds(found)) == ("VN", flow, ("0", "40", "40"))
    oxide = origin_list({"CN": 60}, 40, commodity="antimony", form="oxide")
    assert exposed(oxide, vietnam, flows=[flow]).unnamed_suppliers == ()
