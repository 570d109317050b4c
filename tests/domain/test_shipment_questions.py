"""Questions that clauses share, and obligations in words."""

from typing import Any

from tests.support.cases import each_case
from tests.support.fact_builders import clause, fact
from tests.support.shipment_checks import american, check, control, matches, questions
from tracker.domain.controls.export_control_acts import Amended
from tracker.domain.shipments.obligations import obligation

# --- questions


LICENCE = clause("licence", measure="dual_use_licence", forms=["metal"])


def test_dual_use_items_and_firms_of_an_issuer_are_asked_for_once() -> None:
    lists = [
        control(clause(commodities=["dual_use_items"], entities=[firm]), key=firm.lower())
        for firm in ("A", "B")
    ]
    controls = [control(LICENCE, key="licence"), *lists]
    open_ = check(*controls, commodity="gallium")
    assert questions(open_) == ["licence/licence/form", "CN/dual-use-items", "CN/listed-firm"]
    assert [len(settled) for _, settled in open_.open_questions] == [1, 2, 2]
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


@each_case(
    ("stated", "match"),
    [
        ("military", "certain"),
        ("Military end use", "certain"),
        ("military users", "certain"),
        ("terrorism", "certain"),
        ("Jewellery", "possible"),
        ("not military", "possible"),
        ("use", "possible"),
    ],
)
def test_a_use_that_a_clause_names_among_others_meets_it(stated: str, match: str) -> None:
    uses = control(clause(endUse="military users, military uses, and terrorism"))
    of = check(uses, commodity="gallium", endUse=stated)
    assert matches(of) == {"x/1": match}


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
    source = {"publisher": "mofcom", "name": "X", "publishedOn": "2024-12-03"}
    licence = control(clause(measure="dual_use_licence"), source=source)
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
