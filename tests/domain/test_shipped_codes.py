"""Codes of shipments against the clauses of the shipped corpus: lines, exempt lines, forms and names."""

from collections.abc import Iterator
from datetime import date

import pytest

from tests.support.shipped_controls import check_on, controls_on
from tracker.domain.basics.control_vocabulary import ClauseStatus, Match, VerdictKind
from tracker.domain.controls.clause_query import ClauseQuery, match_of, matching_clauses
from tracker.domain.controls.matching import licences_in_force
from tracker.domain.shipments.check import ShipmentCheck
from tracker.domain.shipments.duties import duties

TODAY = date(2026, 12, 1)
WAY = {"origin": "CN", "destination": "US"}


def matches(of: ShipmentCheck) -> dict[str, str]:
    """Return the match of each clause, by control and clause."""
    return {"/".join(one.applicable.key): one.applicable.match.value for one in of.verdicts}


def subheadings_with_exempt_lines() -> Iterator[tuple[date, str, str, str]]:
    """Yield days with a subheading, the control and the clause that exempts a line below it."""
    for day in (date(2025, 9, 1), date(2025, 12, 1), TODAY):
        for control in controls_on(day):
            for state in control.clauses:
                if state.status is ClauseStatus.IN_FORCE:
                    for item in state.clause.exempt_items:
                        for code in item.hs:
                            if len(code) > 6:
                                yield day, code[:6], control.id, state.clause.id


def test_six_digits_with_an_exempt_line_below_are_never_certain_in_check_and_list() -> None:
    found = set(subheadings_with_exempt_lines())
    assert {code for _, code, _, _ in found} >= {"740311", "280461", "261210"}
    for day, code, control, clause in sorted(found):
        controls = controls_on(day)
        [of] = [one for one in controls if one.id == control]
        query = ClauseQuery(day, hs_code=code)
        listed = matching_clauses(query, of, licences_in_force(controls))
        assert not [
            one
            for one in listed
            if one.clause.id == clause and match_of(query, one.clause) is Match.CERTAIN
        ], (day, code, control, clause)
        checked = matches(check_on(day, hsCode=code, **WAY))
        assert checked.get(f"{control}/{clause}") != "certain", (day, code)


@pytest.mark.parametrize("code", ["740610", "740620", "281830"])
def test_a_listed_line_is_certain_by_its_code_whatever_form_the_goods_have(code: str) -> None:
    assert matches(check_on(TODAY, hsCode=code, **WAY))["us-301-2018/list-3"] == "certain"


@pytest.mark.parametrize("destination", ["DE", "US"])
def test_flake_graphite_is_not_asked_whether_it_is_flake_graphite(destination: str) -> None:
    of = check_on(TODAY, commodity="flake_graphite", origin="CN", destination=destination)
    assert matches(of)["cn-mofcom-2024-51/natural-graphite"] == "certain"
    texts = [question.text for question, _ in of.open_questions]
    assert not [text for text in texts if "flake" in text or "dual-use items" in text], texts


def test_a_duty_that_yields_to_a_certain_one_is_not_added_and_the_certain_one_is() -> None:
    total = duties(check_on(date(2025, 12, 1), hsCode="741220", **WAY), VerdictKind.IMPORT_DUTY)
    [unpaid] = [step.text for step in total.steps if step.low is None]
    assert unpaid.startswith("IEEPA reciprocal duty")
    assert "not paid beside Section 232" in unpaid
    assert (total.low, total.high, total.complete) == (35, 85, False)  # 0 to 50, 25 and 10 %


def test_a_line_that_ends_in_zeros_covers_its_subheading() -> None:
    lines = [
        (control.id, state.clause, code)
        for control in controls_on(TODAY)
        for state in control.clauses
        if state.status is ClauseStatus.IN_FORCE
        for item in state.clause.items
        if not item.threshold and not state.clause.exempt_items
        for code in item.hs
        if len(code) > 6 and set(code[6:]) == {"0"}
    ]
    assert len(lines) > 100
    for control, clause, code in lines:
        query = ClauseQuery(TODAY, hs_code=code[:6])
        [of] = [one for one in controls_on(TODAY) if one.id == control]
        found = {one.clause.id for one in matching_clauses(query, of, {})}
        assert clause.id in found, (control, code)


def test_a_ban_on_raw_minerals_reaches_concentrates_if_they_are_not_processed() -> None:
    way = {"commodity": "titanium_minerals", "origin": "MW", "destination": "CN"}
    ban = {form: matches(check_on(TODAY, **way, form=form)) for form in ("ore", "concentrate")}
    assert ban["ore"]["mw-2025-raw/1"] == "certain"
    assert ban["concentrate"]["mw-2025-raw/concentrates"] == "possible"


def test_technology_for_cathodes_is_found_under_cathodes_with_its_threshold() -> None:
    of = check_on(
        TODAY, commodity="cathode_materials", covers="technology", origin="CN", destination="DE"
    )
    assert "cn-technology-catalogue/batteries-lithium-gallium" in matches(of)
    texts = " ".join(question.text for question, _ in of.open_questions)
    assert "160 mAh/g" in texts
