"""One rule says which clauses are about which goods and places."""

from datetime import date
from typing import Any

from tests.support.cases import each_case
from tests.support.fact_builders import announced, clause, decided_facts, fact, state
from tracker.domain.basics.codec import from_builtins
from tracker.domain.basics.control_vocabulary import ClauseStatus, Covers, Form, Measure
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Place
from tracker.domain.controls.clause import Clause
from tracker.domain.controls.clause_query import ClauseQuery, matching_clauses
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.export_control_acts import Suspended
from tracker.domain.controls.matching import exception_for, goods_of, has_code, licences_in_force

DAY = "2025-12-01"
ON = date.fromisoformat(DAY)


def saying(**more: Any) -> Clause:
    """Return a clause."""
    return from_builtins(Clause, clause(**more))


def control(*clauses: dict[str, Any], **more: Any) -> ExportControlState:
    """Return a control of China on the day."""
    found: ExportControlState = state(
        decided_facts("export-control/x", announced(*clauses, **more)), "export-control/x", DAY
    )
    return found


def matched(of: ExportControlState, *others: ExportControlState, **asked: Any) -> list[str]:
    """Return the matching clauses."""
    query, licences = ClauseQuery(ON, **asked), licences_in_force([of, *others])
    return [item.clause.id for item in matching_clauses(query, of, licences)]


@each_case(
    ("named", "commodity", "limits"),
    [
        (["gallium"], "gallium", ()),
        (["germanium"], "gallium", None),
        (["critical_minerals"], "gallium", ()),
        (["rare_earths"], "dysprosium", ()),
        (["dysprosium"], "rare_earths", ("of rare_earths it names dysprosium",)),
        (
            ["rare_earths", "terbium", "dysprosium"],
            "rare_earths",
            ("of rare_earths it names dysprosium, terbium",),
        ),
        (["rare_earths", "dysprosium"], "dysprosium", ()),
        (["rare_earths", "dysprosium"], "holmium", ("of rare_earths it names dysprosium",)),
        (["critical_minerals", "lithium"], "gallium", ("of critical_minerals it names lithium",)),
        (["dual_use_items"], "gallium", None),
        (["dual_use_items"], "dual_use_items", ()),
    ],
)
def test_a_clause_is_about_a_commodity_wholly_partly_or_not(
    named: list[str], commodity: str, limits: tuple[str, ...] | None
) -> None:
    found = goods_of(saying(commodities=named), Commodity(commodity))
    assert [goods.limits for goods in found] == ([] if limits is None else [limits])


def test_goods_below_a_commodity_have_only_their_own_forms() -> None:
    of = control(clause("1", commodities=["ferromanganese", "ferrosilicon"]))
    manganese = Commodity("manganese")
    assert matched(of, commodity=manganese, form=Form.ALLOY) == ["1"]
    assert matched(of, commodity=manganese, form=Form.ORE) == []
    assert matched(of, commodity=manganese) == ["1"]


def test_a_clause_is_about_what_its_goods_and_those_asked_for_have_in_common() -> None:
    of = control(clause("1", commodities=["ferroalloys"]))
    nickel = Commodity("nickel")
    assert matched(of, commodity=nickel) == matched(of, commodity=nickel, form=Form.ALLOY) == ["1"]
    assert matched(of, commodity=nickel, form=Form.ORE) == []
    assert matched(of, commodity=Commodity("cobalt")) == []
    assert [found.limits for found in goods_of(of.clauses[0].clause, nickel)] == [
        ("of nickel it names ferronickel",),
        ("of nickel it names nickel_pig_iron",),
    ]
    assert goods_of(saying(commodities=["ferroalloys"], forms=["ore"]), nickel) == ()
    assert matched(control(clause("2", commodities=["nickel"])), commodity=Commodity("ferroalloys"))


def test_a_form_that_goods_cannot_have_finds_no_clause_about_them() -> None:
    of = control(clause("1", commodities=["ferrochromium"]), clause("2", commodities=["gallium"]))
    ferrochromium = Commodity("ferrochromium")
    assert matched(of, commodity=ferrochromium, form=Form.ALLOY) == ["1"]
    assert matched(of, commodity=ferrochromium, form=Form.MAGNET) == []
    assert matched(of, form=Form.ALLOY) == ["1", "2"]
    assert matched(of, form=Form.ORE) == ["2"]


def test_goods_that_are_exempt_as_a_whole_are_not_reached() -> None:
    exempt = [{"name": "Neodymium oxide", "commodity": "neodymium", "forms": ["oxide"]}]
    of = control(clause("1", commodities=["rare_earths"], exemptItems=exempt))
    neodymium = Commodity("neodymium")
    assert matched(of, commodity=neodymium, form=Form.OXIDE) == []
    assert matched(of, commodity=neodymium, form=Form.METAL) == ["1"]
    assert matched(of, commodity=Commodity("cerium"), form=Form.OXIDE) == ["1"]
    assert matched(of, commodity=Commodity("rare_earths"), form=Form.OXIDE) == ["1"]


def test_goods_that_are_exempt_by_a_threshold_are_reached_in_part() -> None:
    exempt = [{"name": "Poor ore", "commodity": "nickel", "threshold": "below 1.7 % Ni"}]
    of = control(clause("1", commodities=["nickel"], exemptItems=exempt))
    assert matched(of, commodity=Commodity("nickel"), form=Form.ORE) == ["1"]


INDIUM = {
    "commodities": ["indium", "tungsten"],
    "items": [
        {
            "name": "indium phosphide",
            "code": "3C004.a",
            "hs": ["285390"],
            "commodity": "indium",
            "forms": ["compound"],
        },
        {"name": "ammonium paratungstate", "hs": ["284180"], "commodity": "tungsten"},
    ],
}
"""Return items named as in announcement 10/2025."""


def test_dual_use_items_are_the_goods_of_every_licence_for_them() -> None:
    """A ban of dual-use items covers gallium oxide too, if metal has a separate licence."""
    ban = control(clause("1", commodities=["dual_use_items"]))
    metal = control(clause("metal", measure="dual_use_licence", forms=["metal"]))
    oxide = control(clause("oxide", measure="dual_use_licence", forms=["oxide"]))
    gallium = Commodity("gallium")
    for form in (Form.METAL, Form.OXIDE):
        assert matched(ban, metal, oxide, commodity=gallium, form=form) == ["1"]
    assert matched(ban, metal, oxide, commodity=gallium, form=Form.SCRAP) == []
    assert matched(ban, metal, commodity=gallium, form=Form.OXIDE) == []


def test_items_count_for_their_commodity_and_make_a_clause_partial_unless_they_are_all() -> None:
    found = goods_of(saying(**INDIUM), Commodity("indium"))
    assert found == ((("only indium phosphide",), {Form.COMPOUND}),)
    found = goods_of(saying(**INDIUM, itemsComplete=True), Commodity("indium"))
    assert found == (((), {Form.COMPOUND}),)
    assert goods_of(saying(**{**INDIUM, "items": INDIUM["items"][1:]}), Commodity("indium")) == ()


def test_a_clause_on_compounds_does_not_answer_for_the_metal() -> None:
    ten_of_2025 = control(clause(**INDIUM))
    assert matched(ten_of_2025, commodity=Commodity("indium"), form=Form.COMPOUND) == ["1"]
    assert matched(ten_of_2025, commodity=Commodity("indium"), form=Form.METAL) == []
    assert matched(ten_of_2025, commodity=Commodity("tungsten"), form=Form.METAL) == ["1"]
    assert matched(control(clause(forms=["ore"])), form=Form.METAL) == []
    assert matched(control(clause(covers="technology")), form=Form.METAL) == []
    assert matched(control(clause()), form=Form.METAL) == ["1"]


@each_case(
    ("said", "code", "expected"),
    [
        ({"commodities": ["natural_graphite"]}, "250410", True),
        ({"commodities": ["graphite"]}, "250410", True),
        ({"commodities": ["graphite"]}, "2604", False),
        ({"commodities": ["rare_earths"]}, "280530", True),
        ({"commodities": ["rare_earths"], "forms": ["ore"]}, "280530", False),
        ({"commodities": ["nickel"], "forms": ["ore", "concentrate"]}, "2604", True),
        ({"commodities": ["nickel"], "forms": ["ore", "concentrate"]}, "7502", False),
        (INDIUM, "28539010", True),
        (INDIUM, "2853", True),
        (INDIUM, "811292", False),
        (
            {"commodities": ["copper"], "exemptItems": [{"name": "cathode", "hs": ["740311"]}]},
            "740311",
            False,
        ),
        (
            {"commodities": ["copper"], "exemptItems": [{"name": "cathode", "hs": ["740311"]}]},
            "7403",
            True,
        ),
        ({"commodities": ["copper"], "items": [{"name": "wire", "hs": ["7408"]}]}, "740311", False),
        ({"commodities": ["graphite"], "covers": "technology"}, "250410", False),
        ({"commodities": ["graphite"], "covers": "equipment"}, "250410", False),
        (
            {
                "commodities": ["graphite"],
                "covers": "equipment",
                "items": [{"name": "graphitisation furnaces", "hs": ["851410"]}],
            },
            "851410",
            True,
        ),
    ],
)
def test_a_code_is_looked_for_in_items_and_else_in_commodities(
    said: dict[str, Any], code: str, expected: bool
) -> None:
    assert has_code(saying(**said), code) is expected


def test_all_that_is_asked_must_hold_of_one_clause() -> None:
    found = control(
        clause("1", commodities=["gallium"], measure="ban", destinations=["US"]),
        clause("2", commodities=["graphite"], measure="review", inForceFrom="2026-01-01"),
        clause("3", commodities=["rare_earths"], covers="technology"),
    )
    gallium, graphite = Commodity("gallium"), Commodity("graphite")
    assert matched(found, commodity=gallium) == ["1"]
    assert matched(found, commodity=Commodity("natural_graphite")) == ["2"]
    assert matched(found, commodity=gallium, status=ClauseStatus.ANNOUNCED) == []
    assert matched(found, commodity=graphite, status=ClauseStatus.ANNOUNCED) == ["2"]
    assert matched(found, commodity=gallium, measure=Measure.REVIEW) == []
    assert matched(found, covers=Covers.TECHNOLOGY) == ["3"]
    assert matched(found, destination=Place("JP")) == ["2", "3"]
    assert matched(found) == ["1", "2", "3"]


def test_goods_go_to_a_destination_and_come_from_an_origin() -> None:
    ban = control(clause("1", destinations=["EU"]), clause("2"))
    assert matched(ban, destination=Place("DE")) == ["1", "2"]
    assert matched(ban, destination=Place("GB")) == ["2"]
    assert matched(ban, destination=Place("CN")) == []
    assert matched(ban, origin=Place("CN")) == ["1", "2"]
    assert matched(ban, origin=Place("US")) == []
    duty = control(clause("1", origins=["CN"]), clause("2"), issuer="EU", direction="import")
    assert matched(duty, origin=Place("CN")) == ["1", "2"]
    assert matched(duty, origin=Place("US")) == ["2"]
    assert matched(duty, destination=Place("FR")) == ["1", "2"]
    assert matched(duty, destination=Place("US")) == []


def test_exempt_goods_are_not_covered_during_the_exemption() -> None:
    free = control(
        clause(exceptions=[{"places": ["EU"], "exempt": True, "inForceUntil": "2025-12-01"}])
    )
    assert matched(free, destination=Place("FR")) == []
    assert matched(free, destination=Place("US")) == ["1"]
    query = ClauseQuery(date(2025, 12, 2), destination=Place("FR"))
    assert len(matching_clauses(query, free, {})) == 1


def test_an_exception_that_names_a_place_goes_before_one_of_its_union() -> None:
    both = saying(
        exceptions=[
            {"places": ["EU"], "ratePercent": "25"},
            {"places": ["DE"], "ratePercent": "15", "inForceFrom": "2025-06-01"},
        ]
    )
    rates = [
        (found := exception_for(both, Place(place), date.fromisoformat(day))) and found.rate_percent
        for place, day in (
            ("DE", "2025-06-01"),
            ("DE", "2025-05-31"),
            ("FR", "2025-06-01"),
            ("US", "2025-06-01"),
        )
    ]
    assert rates == [15, 25, 25, None]


def test_a_firm_is_found_as_buyer_as_exporter_and_as_suspended() -> None:
    facts = (
        announced(
            clause("1", entities=["Acme Corp"]), clause("2", exporters=["ACME CORP"]), clause("3")
        ),
        fact(Suspended, DAY, suspendedFrom=DAY, clauses=["3"], entities=["acme corp"]),
    )
    named = state(decided_facts("export-control/x", *facts), "export-control/x", DAY)
    assert matched(named, firm=frozenset({"acme corp"})) == ["1", "2", "3"]
    assert matched(named, firm=frozenset({"beta"})) == []


@each_case(
    ("dates", "time", "expected"),
    [
        ({}, (None, None), True),
        ({}, (None, "2024-12-02"), False),
        ({"inForceUntil": "2025-01-31"}, ("2025-02-01", None), False),
        ({"inForceUntil": "2025-01-31"}, ("2025-01-31", None), True),
        ({"inForceFrom": None}, (None, None), False),
        ({"legalStage": "proposed"}, (None, None), False),
    ],
)
def test_a_time_can_be_asked_for(
    dates: dict[str, Any], time: tuple[str | None, str | None], expected: bool
) -> None:
    days = tuple(None if day is None else date.fromisoformat(day) for day in time)
    assert (matched(control(clause(**dates)), in_force=days) == ["1"]) is expected
