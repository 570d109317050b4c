"""The goods of a shipment: national digits of codes, items, dual-use items and scopes of exemptions."""

from datetime import date
from typing import Any

import pytest

from tests.support.cases import each_case
from tests.support.fact_builders import announced, clause, decided_facts, state
from tests.support.grounds import ALL_CONFIRMED
from tests.support.shipment_checks import check_shipment
from tracker.domain.basics.codec import from_builtins
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.matching import licences_in_force
from tracker.domain.shipments.check import ShipmentCheck
from tracker.domain.shipments.shipment import Case, Shipment
from tracker.errors import InvalidInput

DAY = "2025-12-01"
FLAKES = {"name": "Flakes", "hs": ["2504101000"], "commodity": "flake_graphite"}


def control(*clauses: dict[str, Any], key: str = "x", **more: Any) -> ExportControlState:
    """Return a control of China."""
    found: ExportControlState = state(
        decided_facts(f"export-control/{key}", announced(*clauses, **more)),
        f"export-control/{key}",
        DAY,
    )
    return found


def check(*controls: ExportControlState, **shipment: Any) -> ShipmentCheck:
    """Return the check of goods that go from China to the United States."""
    goods = from_builtins(Shipment, {"origin": "CN", "destination": "US", **shipment})
    case = Case(goods, date.fromisoformat(DAY), {})
    return check_shipment(case, controls, licences_in_force(controls), ALL_CONFIRMED)


def matches(of: ShipmentCheck) -> dict[str, str]:
    """Return the match of each clause."""
    return {one.applicable.key[1]: one.applicable.match.value for one in of.verdicts}


@each_case(
    ("code", "match", "fields"),
    [
        ({"hsCode": "2504101000", "codeOf": "CN"}, {"1": "certain"}, []),
        ({"hsCode": "2504109900", "codeOf": "CN"}, {}, []),
        ({"hsCode": "2504101000", "codeOf": "US"}, {"1": "possible"}, ["answers"]),
        ({"hsCode": "25041050", "codeOf": "US"}, {"1": "possible"}, ["answers"]),
        ({"hsCode": "250410"}, {"1": "possible"}, ["answers"]),
        ({"hsCode": "2504101000"}, {"1": "possible"}, ["codeOf", "answers"]),
        ({"hsCode": "280530"}, {}, []),
    ],
)
def test_national_digits_count_only_in_their_tariff(
    code: dict[str, str], match: dict[str, str], fields: list[str]
) -> None:
    of = check(control(clause(commodities=["natural_graphite"], items=[FLAKES])), **code)
    assert matches(of) == match
    assert [question.field for question, _ in of.open_questions] == fields


def test_a_tariff_without_a_code_is_refused() -> None:
    with pytest.raises(InvalidInput, match="code"):
        from_builtins(Shipment, {"commodity": "gallium", "codeOf": "US"})


@each_case(
    ("item", "match"),
    [
        ({"name": "Gallium oxide", "commodity": "gallium_oxide"}, "certain"),
        ({"name": "Gallium oxide", "commodity": "gallium_oxide", "forms": ["oxide"]}, "certain"),
        ({"name": "Gallium oxide and its products", "commodity": "gallium_oxide"}, "certain"),
        ({"name": "Gallium oxide for lasers", "commodity": "gallium_oxide"}, "possible"),
        ({"name": "Products and gallium oxide", "commodity": "gallium_oxide"}, "possible"),
        ({"name": "Gallium oxide", "commodity": "gallium_oxide", "threshold": "99 %"}, "possible"),
    ],
)
def test_an_item_with_the_name_of_the_goods_is_certain(item: dict[str, Any], match: str) -> None:
    of = check(control(clause(items=[item])), commodity="gallium_oxide")
    assert matches(of) == {"1": match}


@each_case(
    ("forms", "goods", "match"),
    [
        ([], {"commodity": "gallium"}, "certain"),
        (["metal"], {"commodity": "gallium", "form": "metal"}, "certain"),
        (["metal"], {"commodity": "gallium"}, "possible"),
    ],
)
def test_goods_under_a_licence_are_dual_use_items(
    forms: list[str], goods: dict[str, str], match: str
) -> None:
    licence = control(clause("licence", measure="dual_use_licence", forms=forms), key="licence")
    ban = control(clause("ban", commodities=["dual_use_items"]), key="ban")
    assert matches(check(licence, ban, **goods))["ban"] == match


@each_case(("exemptions", "match"), [("All but re-exports", "possible"), ("Samples", "certain")])
def test_an_exemption_of_all_goods_limits_a_clause(exemptions: str, match: str) -> None:
    of = check(control(clause(exemptions=exemptions)), commodity="gallium")
    assert matches(of) == {"1": match}


def test_an_exempt_item_with_another_code_is_not_an_exception() -> None:
    scrap = {"name": "Scrap", "hs": ["7404"]}
    of = check(control(clause(commodities=["copper"], exemptItems=[scrap])), hsCode="740311")
    assert [one.applicable.exceptions for one in of.verdicts] == [()]


@each_case(
    ("item", "match"),
    [
        ({"name": "Ferrotungsten", "hs": ["720280"]}, {}),
        ({"name": "Ferrotungsten", "hs": ["72028010"]}, {"1": "possible"}),
        ({"name": "Ferrotungsten", "hs": ["720280"], "threshold": "50 %"}, {"1": "possible"}),
        ({"name": "Ferrotungsten for steel", "hs": ["720280"]}, {"1": "possible"}),
        ({"name": "Ferrotungsten made before 2024"}, {"1": "possible"}),
        ({"name": "Ferrotungsten for steel"}, {"1": "certain"}),
    ],
)
def test_goods_that_an_exempt_item_names_with_all_codes_are_exempt(
    item: dict[str, Any], match: dict[str, str]
) -> None:
    of = check(
        control(clause(commodities=["tungsten"], exemptItems=[item])), commodity="ferrotungsten"
    )
    assert matches(of) == match


def test_goods_without_a_commodity_are_matched_by_the_codes_of_items() -> None:
    plate = {"name": "Plate", "hs": ["720852"], "commodity": "iron_and_steel"}
    of = check(control(clause(commodities=["iron_and_steel"], items=[plate])), hsCode="720852")
    assert matches(of) == {"1": "certain"}


def test_an_item_of_a_clause_on_another_commodity_needs_the_whole_code() -> None:
    substrates = {"name": "Germanium epitaxy substrates", "hs": ["8112921090"]}
    of = control(clause(commodities=["germanium"], items=[substrates]))
    assert matches(check(of, commodity="germanium", hsCode="811292")) == {"1": "possible"}
    for goods in (
        {"commodity": "gallium", "hsCode": "81129210", "codeOf": "US"},
        {"commodity": "gallium", "hsCode": "811292"},
    ):
        assert matches(check(of, **goods)) == {}
    whole = {"commodity": "gallium", "hsCode": "8112921090", "codeOf": "CN"}
    assert matches(check(of, **whole)) == {"1": "certain"}


@each_case(
    ("groups", "phrase"),
    [
        (["minerals", "critical_minerals"], "other minerals and metals and critical minerals"),
        (["critical_minerals", "minerals"], "critical minerals and other minerals and metals"),
    ],
)
def test_groups_are_named_in_the_order_of_the_clause_in_every_process(
    groups: list[str], phrase: str
) -> None:
    (one,) = check(control(clause(commodities=groups)), commodity="gallium").verdicts
    assert [*one.applicable.reasons] == [f"it names only {phrase}, without codes"]
