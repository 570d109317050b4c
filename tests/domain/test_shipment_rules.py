"""Rules on all goods, preferences, exporters, listed firms, quotas with a tariff, and their order."""

from dataclasses import replace
from typing import Any

from tests.support.cases import each_case
from tests.support.fact_builders import clause
from tests.support.shipment_checks import (
    ALL_GOODS,
    american,
    bounds,
    check,
    control,
    fields,
    matches,
    questions,
    total,
)
from tracker.domain.basics.control_vocabulary import Confirmation
from tracker.domain.shipments.obligations import obligation, summary

LINES = [{"name": "Lines of the annex", "hs": ["81129210"]}]


# --- all goods


@each_case(
    "goods",
    [
        {"commodity": "gallium"},
        {"commodity": "permanent_magnets", "form": "magnet"},
        {"hsCode": "284990"},
        {"hsCode": "854231"},
        {"hsCode": "9503"},
    ],
)
def test_a_clause_on_all_goods_certainly_covers_any(goods: dict[str, str]) -> None:
    assert matches(check(american(clause(**ALL_GOODS)), **goods)) == {"x/1": "certain"}


@each_case(
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


@each_case(
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


@each_case(
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


@each_case(
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
    assert verdict.applicable.reasons == ["it is limited to 1 listed firm (Acme)"]
    on_some = [{"question": "CN/listed-firm", "yes": True}]
    [(question, _)] = check(ban, commodity="gallium", answers=on_some).open_questions
    assert question.text == "Is a party the firm of Order 1?"


# --- quotas with a tariff


QUOTA: dict[str, Any] = {
    "measure": "tariff_rate_quota",
    "ratePercent": "0",
    "rateUpToPercent": "25",
}


@each_case(
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


RATES: dict[str, Any] = {
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


def test_the_condition_of_a_rate_of_a_place_is_not_an_exception() -> None:
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
    assert second == (
        "The export is prohibited (Gallium to the US, clause ban), but it is limited to the end use military"
        " uses."
    )


def test_the_summary_names_the_exceptions_of_a_certain_rule() -> None:
    windows = [{"name": "Windows"}]
    text = summary(check(control(clause(exemptItems=windows)), commodity="gallium"))
    assert text.startswith("Certain: The export is prohibited")
    assert text.endswith(", unless an exception applies: Do the goods fit “Windows”?")


def test_an_exemption_by_a_grade_that_is_not_stated_leaves_a_rule_open_and_asks() -> None:
    lean = control(clause(exemptItems=[{"name": "Lean ore", "threshold": "below 1.7 %"}]))
    exempt = control(clause(exemptions="Ore with less than 100 ppm on average"))
    texts = [summary(check(of, commodity="gallium")) for of in (lean, exempt)]
    assert [text.partition(", but ")[2] for text in texts] == [
        "it exempts Lean ore, below 1.7 %.",
        "it exempts Ore with less than 100 ppm on average.",
    ]
    [(question, _)] = check(lean, commodity="gallium").open_questions
    for yes, rules in ((True, []), (False, ["certain"])):
        answers = [{"question": question.id, "yes": yes}]
        of = check(lean, commodity="gallium", answers=answers)
        assert [one.applicable.match.value for one in of.verdicts] == rules


def test_a_summary_says_once_that_a_status_is_not_confirmed() -> None:
    of = check(control(clause()), commodity="gallium")
    unconfirmed = [
        replace(one, applicable=replace(one.applicable, confirmation=Confirmation.BY_TERMS))
        for one in of.verdicts
    ]
    text = summary(replace(of, verdicts=tuple(unconfirmed)))
    assert text.startswith("Not confirmed: The export is prohibited")


def test_a_ban_that_is_not_confirmed_comes_before_a_certain_licence_in_the_summary() -> None:
    of = check(
        control(clause("licence", measure="trade_licence"), key="a"),
        control(clause("ban"), key="b"),
        commodity="gallium",
    )
    ban, licence = of.verdicts
    unconfirmed = replace(ban.applicable, confirmation=Confirmation.BY_TERMS)
    text = summary(replace(of, verdicts=(replace(ban, applicable=unconfirmed), licence)))
    first, _, second = text.partition(" Certain: ")
    assert first.startswith("Not confirmed: The export is prohibited")
    assert second.startswith("The exporter needs a trade licence")


def test_a_summary_without_rules_gives_the_verdicts_on_the_legs() -> None:
    unknown = "Unknown: no list of export rules of Chile was read."
    assert summary(check(commodity="gallium"), [unknown]) == unknown
