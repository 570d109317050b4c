"""Rules on all goods, preferences, exporters, quotas with a tariff, shared questions and obligations."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.support.fact_builders import announced, clause, decided_facts, fact, state
from tracker.domain.codec import from_builtins
from tracker.domain.confirmation import NOTHING_BY_TERMS
from tracker.domain.export_control import ExportControlState
from tracker.domain.export_control_acts import Amended
from tracker.domain.matching import licences_in_force
from tracker.domain.shipments.check import (
    ShipmentCheck,
    VerdictKind,
    check_shipment,
    obligation,
    summary,
)
from tracker.domain.shipments.duties import DutyTotal, duties
from tracker.domain.shipments.shipment import Case, Shipment
from tracker.domain.values import Fact

DAY = "2025-12-01"
ALL_GOODS = {"commodities": ["all_goods"], "measure": "tariff", "ratePercent": "10"}
LINES = [{"name": "Lines of the annex", "hs": ["81129210"]}]


def control(
    *clauses: dict[str, Any], key: str = "x", acts: tuple[Fact, ...] = (), **more: Any
) -> ExportControlState:
    """Return a control of China, or of another issuer."""
    found: ExportControlState = state(
        decided_facts(f"export-control/{key}", announced(*clauses, **more), *acts),
        f"export-control/{key}",
        DAY,
    )
    return found


def american(*clauses: dict[str, Any], key: str = "x") -> ExportControlState:
    """Return an import control of the United States."""
    return control(*clauses, key=key, issuer="US", direction="import", title=key.upper())


def check(*controls: ExportControlState, **shipment: Any) -> ShipmentCheck:
    """Return the check of goods that go from China to the United States."""
    goods = from_builtins(Shipment, {"origin": "CN", "destination": "US", **shipment})
    case = Case(goods, date.fromisoformat(DAY), {})
    return check_shipment(case, controls, licences_in_force(controls), NOTHING_BY_TERMS)


def matches(of: ShipmentCheck) -> dict[str, str]:
    """Return the match of each clause."""
    return {"/".join(one.applicable.key): one.applicable.match.value for one in of.verdicts}


def questions(of: ShipmentCheck) -> list[str]:
    """Return the ids of the open questions."""
    return [question.id for question, _ in of.open_questions]


def fields(of: ShipmentCheck) -> list[str]:
    """Return the fields that answer the open questions."""
    return [question.field for question, _ in of.open_questions]


def total(of: ShipmentCheck) -> DutyTotal:
    """Return the duties on the import."""
    return duties(of, VerdictKind.IMPORT_DUTY)


def bounds(of: ShipmentCheck) -> tuple[int, int] | None:
    """Return the total of the duties on the import in whole percent."""
    low, high = total(of).low, total(of).high
    return None if low is None or high is None else (int(low), int(high))


# --- all goods


@pytest.mark.parametrize(
    "goods",
    [
        {"commodity": "gallium"},
        {"commodity": "permanent_magnets", "form": "magnet"},
        {"hsCode": "284990"},
        {"hsCode": "854230"},
        {"hsCode": "9503"},
    ],
)
def test_a_clause_on_all_goods_certainly_covers_any(goods: dict[str, str]) -> None:
    assert matches(check(american(clause(**ALL_GOODS)), **goods)) == {"x/1": "certain"}


@pytest.mark.parametrize(
    ("goods", "match", "asked"),
    [
        ({"hsCode": "81129210", "codeOf": "US"}, {}, []),
        ({"hsCode": "81129230", "codeOf": "US"}, {"x/1": "certain"}, []),
        ({"hsCode": "850511"}, {"x/1": "certain"}, []),
        ({"hsCode": "811292"}, {"x/1": "possible"}, ["hsCode"]),
        ({"hsCode": "81129210"}, {"x/1": "possible"}, ["codeOf"]),
        ({"commodity": "gallium"}, {"x/1": "possible"}, ["hsCode"]),
        ({"hsCode": "950300"}, {"x/1": "possible"}, []),
    ],
)
def test_lines_that_a_clause_on_all_goods_exempts_limit_it(
    goods: dict[str, str], match: dict[str, str], asked: list[str]
) -> None:
    of = check(american(clause(**ALL_GOODS, exemptItems=LINES)), **goods)
    assert matches(of) == match
    assert fields(of) == asked


def test_an_item_with_codes_that_the_goods_cannot_have_does_not_cover_them() -> None:
    potash = american(clause(**ALL_GOODS, items=[{"name": "Potash", "hs": ["31042000"]}]))
    assert matches(check(potash, commodity="artificial_graphite")) == {}
    assert matches(check(potash, commodity="potash")) == {"x/1": "possible"}


# --- preferences


@pytest.mark.parametrize(
    ("preference", "match", "asked"),
    [
        (None, {"x/1": "possible"}, ["preference"]),
        ("USMCA", {}, []),
        ("usmca", {}, []),
        ("none", {"x/1": "certain"}, []),
        ("CUSMA", {"x/1": "possible"}, ["answers"]),
        ("unknown", {"x/1": "possible"}, ["answers"]),
    ],
)
def test_goods_under_a_preference_are_exempt(
    preference: str | None, match: dict[str, str], asked: list[str]
) -> None:
    of = check(
        american(clause(**ALL_GOODS, exemptPreferences=["USMCA"])),
        commodity="nickel",
        origin="CA",
        preference=preference,
    )
    assert matches(of) == match
    assert fields(of) == asked


# --- exporters


@pytest.mark.parametrize(
    ("measure", "exporter", "match"),
    [
        ("state_trading", None, {"x/1": "certain"}),
        ("state_trading", "Acme Corp", {}),
        ("state_trading", "Other", {"x/1": "certain"}),
        ("trade_licence", None, {"x/1": "possible"}),
        ("trade_licence", "ACME CORP", {"x/1": "certain"}),
        ("trade_licence", "Other", {}),
    ],
)
def test_the_exporter_is_a_condition_of_a_clause_that_names_exporters(
    measure: str, exporter: str | None, match: dict[str, str]
) -> None:
    of = check(
        control(clause(measure=measure, exporters=["Acme Corp"])),
        commodity="gallium",
        exporter=exporter,
    )
    assert matches(of) == match
    assert fields(of) == (["exporter"] if exporter is None else [])


@pytest.mark.parametrize(
    ("firms", "match", "asked"),
    [
        ({}, {"x/1": "possible"}, ["endUser"]),
        ({"importer": "Other", "endUser": "Other"}, {"x/1": "possible"}, ["exporter"]),
        ({"exporter": "Acme Mining"}, {"x/1": "certain"}, []),
        ({"exporter": "Other", "importer": "Other", "endUser": "Other"}, {}, []),
    ],
)
def test_a_list_of_firms_without_destinations_may_be_of_exporters(
    firms: dict[str, str], match: dict[str, str], asked: list[str]
) -> None:
    ban = control(clause(measure="ban", entities=["Acme Mining"]))
    of = check(ban, commodity="gallium", **firms)
    assert matches(of) == match
    assert fields(of) == asked


def test_a_list_of_firms_of_a_destination_is_of_buyers() -> None:
    ban = control(clause(measure="ban", entities=["Acme"], destinations=["US"]))
    assert fields(check(ban, commodity="gallium")) == ["endUser"]
    assert matches(check(ban, commodity="gallium", importer="Other", endUser="Other")) == {}


def test_a_list_of_one_firm_is_in_the_singular() -> None:
    ban = control(clause(measure="ban", entities=["Acme"]), title="Order 1")
    [verdict] = check(ban, commodity="gallium").verdicts
    assert verdict.applicable.reasons == ["it is limited to 1 listed firm"]
    on_some = [{"question": "CN/listed-firm", "yes": True}]
    [(question, _)] = check(ban, commodity="gallium", answers=on_some).open_questions
    assert question.text == "Is a party the firm of Order 1?"


# --- quotas with a tariff


QUOTA = {"measure": "tariff_rate_quota", "ratePercent": "0", "rateUpToPercent": "25"}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([], (0, 25)),
        ([{"question": "x/1/quota", "yes": True}], (25, 25)),
        ([{"question": "x/1/quota", "yes": False}], (0, 0)),
    ],
)
def test_a_tariff_rate_quota_is_a_duty_in_or_above_the_quota(
    answers: list[dict[str, Any]], expected: tuple[int, int]
) -> None:
    of = check(american(clause(**QUOTA)), commodity="gallium", answers=answers)
    assert matches(of) == {"x/1": "certain"}
    assert bounds(of) == expected
    assert questions(of) == ([] if answers else ["x/1/quota"])


def test_a_tariff_rate_quota_without_rates_is_a_line_without_a_number() -> None:
    of = check(american(clause(measure="tariff_rate_quota", rateText="a gap")), commodity="gallium")
    assert bounds(of) is None
    assert "a gap" in total(of).remarks[0]
    assert questions(of) == []  # a quota that changes no recorded rate


# --- rates by place


RATES = {
    "exceptions": [
        {"places": ["CN"], "ratePercent": "84"},
        {"places": ["JP"], "ratePercent": "5", "note": "Under a deal"},
        {"places": ["VN"], "ratePercent": "90", "inForceFrom": "2026-01-01"},
    ]
}


def test_a_duty_without_a_place_has_the_range_of_its_rates_on_the_day() -> None:
    of = check(american(clause(**ALL_GOODS, **RATES)), commodity="gallium", origin=None)
    [verdict] = of.verdicts
    assert "an import duty of 5 to 84 %" in obligation(verdict.applicable)
    assert bounds(of) == (5, 84)


def test_the_condition_of_a_rate_of_a_place_is_no_exception() -> None:
    of = check(american(clause(**ALL_GOODS, **RATES)), commodity="gallium", origin="JP")
    assert [one.applicable.exceptions for one in of.verdicts] == [()]
    assert bounds(of) == (5, 5)
    assert "X, clause 1: Under a deal; the total contains 5 %." in total(of).remarks


# --- alternatives


def duty(id: str, rate: int, *codes: str, **more: Any) -> dict[str, Any]:
    """Return a duty on lines of gallium."""
    items = [{"name": f"Lines of {id}", "hs": codes}] if codes else []
    return clause(id, measure="tariff", ratePercent=str(rate), items=items, **more)


def test_clauses_of_one_instrument_are_alternatives() -> None:
    of = check(american(duty("a", 10), duty("b", 25)), commodity="gallium")
    assert bounds(of) == (10, 25)
    assert "Either X, clause a or X, clause b is paid." in [step.text for step in total(of).steps]


def test_duties_on_different_codes_are_not_added() -> None:
    of = check(
        american(duty("a", 10, "81129210"), key="a"),
        american(duty("b", 25, "81129230"), key="b"),
        commodity="gallium",
    )
    assert bounds(of) == (0, 25)
    assert "different goods" in total(of).steps[-1].text


def test_duties_on_goods_of_different_places_are_not_added() -> None:
    of = check(
        american(duty("a", 10, origins=["CN"]), key="a"),
        american(duty("b", 25, origins=["CA"]), key="b"),
        american(duty("c", 5, exceptions=[{"places": ["CA"], "exempt": True}]), key="c"),
        commodity="gallium",
        origin=None,
        exportCountry="HK",
    )
    assert bounds(of) is None  # nothing relates a and c
    of = check(
        american(duty("b", 25, origins=["CA"]), key="b"),
        american(duty("c", 5, exceptions=[{"places": ["CA"], "exempt": True}]), key="c"),
        commodity="gallium",
        origin=None,
        exportCountry="HK",
    )
    assert bounds(of) == (0, 25)


def test_a_certain_duty_excludes_one_on_other_codes() -> None:
    of = check(
        american(duty("a", 10, "81129210"), key="a"),
        american(duty("b", 25, "81129230"), key="b"),
        hsCode="81129210",
        codeOf="US",
    )
    assert bounds(of) == (10, 10)


def test_duties_of_two_instruments_on_the_same_code_stay_unknown() -> None:
    of = check(
        american(duty("a", 10, "8112"), key="a"),
        american(duty("b", 25, "81129230"), key="b"),
        commodity="gallium",
    )
    assert bounds(of) is None


# --- questions


LICENCE = clause("licence", measure="dual_use_licence", forms=["metal"])


def test_dual_use_items_and_firms_of_an_issuer_are_asked_for_once() -> None:
    lists = [
        control(clause(commodities=["dual_use_items"], entities=[firm]), key=firm.lower())
        for firm in ("A", "B")
    ]
    controls = [control(LICENCE, key="licence"), *lists]
    open_ = check(*controls, commodity="gallium")
    assert questions(open_) == ["CN/dual-use-items", "CN/listed-firm", "licence/licence/form"]
    assert [len(settled) for _, settled in open_.open_questions] == [2, 2, 1]
    no = {"question": "CN/dual-use-items", "yes": False}
    assert {*matches(check(*controls, commodity="gallium", answers=[no]))} == {"licence/licence"}


def test_a_firm_on_some_list_is_asked_for_its_list() -> None:
    lists = [control(clause(entities=[firm]), key=firm.lower(), title=firm) for firm in ("A", "B")]
    some = {"question": "CN/listed-firm", "yes": True}
    of = check(*lists, commodity="gallium", answers=[some])
    assert questions(of) == ["a/1/firm", "b/1/firm"]
    of = check(*lists, commodity="gallium", answers=[{**some, "yes": False}])
    assert matches(of) == {}


def test_an_end_use_is_asked_for_once() -> None:
    acts = [control(clause(endUse="military uses"), key=key) for key in ("a", "b")]
    of = check(*acts, commodity="gallium")
    assert questions(of) == ["CN/end-use/military-uses"]
    yes = {"question": "CN/end-use/military-uses", "yes": True}
    assert set(matches(check(*acts, commodity="gallium", answers=[yes])).values()) == {"certain"}


# --- obligations


def sentence(**more: Any) -> str:
    """Return the obligation of a clause."""
    of = check(american(clause(**more)), commodity="gallium")
    return obligation(of.verdicts[0].applicable)


def test_an_obligation_names_its_rate_or_that_none_is_recorded() -> None:
    assert "pays an import duty of 25 %" in sentence(measure="tariff", ratePercent="25")
    assert "5 to 25 %" in sentence(measure="tariff", ratePercent="5", rateUpToPercent="25")
    assert "the rate is not recorded" in sentence(measure="tariff")
    floor = {"value": "21", "unit": "USD/kg"}
    assert "not recorded" not in sentence(measure="price_floor", priceFloor=floor)


def test_an_obligation_names_its_amount_or_that_none_is_recorded() -> None:
    quota = {"value": "60000", "unit": "t"}
    assert "a quota of 60,000 t set by the authorities of the United States" in sentence(
        measure="quota", quota=quota
    )
    assert "the amount is not recorded" in sentence(measure="quota")


def test_an_obligation_without_an_authority_says_so() -> None:
    assert "the authority is not recorded" in sentence(measure="licence")


def test_an_obligation_cites_the_act_that_words_the_clause() -> None:
    later = fact(Amended, "2025-01-01", instrument="Order 2", clauses=[clause("1"), clause("2")])
    of = check(control(clause("1"), instrument="Order 1", acts=(later,)), commodity="gallium")
    assert [obligation(one.applicable).partition("(")[2] for one in of.verdicts] == [
        "Order 1, clause 1).",  # the later act repeats it
        "Order 2, clause 2).",
    ]


def test_an_obligation_has_plain_english() -> None:
    sources = {"source": {"publisher": "mofcom", "name": "X", "publishedOn": "2024-12-03"}}
    licence = control(clause(measure="dual_use_licence"), **sources)
    [one] = check(licence, commodity="gallium").verdicts
    assert "needs a dual-use licence from the Ministry of Commerce of China" in obligation(
        one.applicable
    )


def test_a_question_names_all_goods_and_forms_that_settle_it() -> None:
    names = ["lanthanum", "cerium", "neodymium", "samarium", "terbium", "dysprosium", "lithium"]
    licence = control(clause(commodities=names, forms=["metal", "oxide"]))
    [goods, forms] = [one.text for one, _ in check(licence, commodity="rare_earths").open_questions]
    assert goods == (
        "Are the goods among these: lanthanum, cerium, neodymium, samarium, terbium and dysprosium?"
    )
    assert forms == "Are the goods in one of these forms: metal or oxide?"
    [one] = check(control(clause()), hsCode="811292").open_questions
    assert one[0].text == "Are the goods gallium?"


# --- order


def test_the_strongest_rule_of_each_certainty_comes_first_and_in_the_summary() -> None:
    of = check(
        control(clause("licence", measure="trade_licence"), key="a"),
        control(clause("review", measure="review"), key="b"),
        control(clause("ban", endUse="military uses"), key="c"),
        control(clause("quota", measure="quota", endUse="jewellery"), key="d"),
        commodity="gallium",
    )
    assert [one.applicable.key[1] for one in of.verdicts] == ["licence", "review", "ban", "quota"]
    first, _, second = summary(of).partition(" Possible: ")
    assert first.startswith("Certain: The exporter needs a trade licence")
    assert second == "The export is prohibited (Gallium to the US, clause ban)."


def test_a_summary_without_rules_says_so() -> None:
    assert summary(check(commodity="gallium")) == "No rule in force is recorded for the shipment."
