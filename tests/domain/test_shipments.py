"""Shipments, their legs and obligations."""

from datetime import date
from typing import Any

import pytest

from tests.support.cases import each_case
from tests.support.shipped_controls import check_on
from tracker.domain.basics.codec import from_builtins
from tracker.domain.basics.control_vocabulary import Direction, Match, VerdictKind
from tracker.domain.shipments.check import Applicable
from tracker.domain.shipments.duties import except_unpaid
from tracker.domain.shipments.legs import assumptions, legs_of
from tracker.domain.shipments.obligations import obligation, summary
from tracker.domain.shipments.shipment import Shipment
from tracker.errors import InvalidInput

DAY = date(2025, 12, 1)


def shipment(**fields: Any) -> Shipment:
    """Return a shipment from fields as in JSON."""
    return from_builtins(Shipment, fields)


def applicable(key: str, day: date = DAY, **fields: Any) -> Applicable:
    """Return a clause that applies to a shipment, in force or not."""
    check = check_on(day, **fields)
    return next(one for one in check.applicable if "/".join(one.key) == key)


def test_goods_are_needed() -> None:
    with pytest.raises(InvalidInput) as refused:
        shipment(origin="CN")
    assert (refused.value.code, refused.value.path) == ("GOODS_REQUIRED", ("commodity",))


@each_case(
    ("fields", "forms"),
    [
        ({"commodity": "neodymium_magnets", "form": "article"}, "magnet"),
        ({"commodity": "bauxite", "form": "metal"}, "concentrate or ore"),
        ({"hsCode": "740811", "form": "metal"}, "article"),
        ({"commodity": "copper", "hsCode": "74081130", "form": "metal"}, "article"),
    ],
)
def test_a_form_that_the_goods_cannot_have_is_refused(fields: dict[str, str], forms: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        shipment(**fields)
    assert (refused.value.code, refused.value.path) == ("CONTRADICTION", ("form",))
    assert str(refused.value).endswith(f"expected {forms}, or no form")


@each_case(("code", "form"), [("280530", "alloy"), ("750400", "alloy"), ("740811", "article")])
def test_a_form_that_a_code_can_have_is_accepted(code: str, form: str) -> None:
    assert shipment(hsCode=code, form=form).form == form


def test_goods_leave_their_origin_unless_another_place_is_stated() -> None:
    assert shipment(commodity="tin", origin="ID").exported_from == "ID"
    assert shipment(commodity="tin", origin="ID", exportCountry="SG").exported_from == "SG"


def test_legs_are_in_the_order_of_the_way() -> None:
    way = shipment(commodity="tin", origin="ID", route=["SG"], destination="DE")
    assert [(leg.direction, leg.place, leg.optional) for leg in legs_of(way)] == [
        (Direction.EXPORT, "ID", False),
        (Direction.EXPORT, "SG", True),
        (Direction.IMPORT, "DE", False),
    ]
    *_, last = legs_of(way)
    assert last.issuers(DAY) == {"DE", "EU"}


def test_the_places_of_production_abroad_are_legs_too() -> None:
    content = [{"commodity": "dysprosium", "origin": "CN"}]
    way = shipment(
        commodity="tin", origin="ID", exportCountry="JP", destination="KR", contents=content
    )
    assert [leg.place for leg in legs_of(way)] == ["JP", "ID", "CN", "KR"]


@each_case("text", [" ", "N/A", "unknown", "\u200b", " - "])
def test_a_word_for_an_unknown_firm_names_none(text: str) -> None:
    assert shipment(commodity="tin", importer=text).parties["importer"] is None


def test_invisible_characters_are_not_part_of_a_name() -> None:
    assert shipment(commodity="tin", importer="Ac\u200bme ").parties["importer"] == "Acme"


def test_a_check_states_its_assumptions() -> None:
    assert [*assumptions(shipment(commodity="tin", origin="ID", destination="DE"))] == [
        "The goods are exported from Indonesia, where they are produced.",
        "The goods pass through no other place.",
    ]
    stated = shipment(
        commodity="tin", origin="ID", exportCountry="SG", route=["NL"], destination="DE"
    )
    assert [*assumptions(stated)] == []


@each_case(
    ("code", "sentence"),
    [
        ("280540", "By the code, the goods are mercury."),
        ("260600", "By the code, the goods are bauxite."),
        ("850760", "By the code, the goods are lithium batteries."),
        ("811292", "By the code, the goods are one of these: gallium, germanium"),
        ("8112", "By the code, the goods are one of these or other goods: beryllium"),
        ("010121", "No commodity has the code 010121; only clauses that list it apply."),
    ],
)
def test_goods_that_only_a_code_describes_are_an_assumption(code: str, sentence: str) -> None:
    [coded] = assumptions(shipment(hsCode=code))
    assert coded.startswith(sentence)


def test_a_code_of_other_goods_may_miss_rules() -> None:
    [coded] = assumptions(shipment(commodity="dysprosium", hsCode="850511"))
    assert coded.endswith("because one of the two statements may be wrong.")


@each_case(
    ("key", "day", "fields", "kind", "sentence"),
    [
        (
            "cn-mofcom-2024-46/2",
            date(2025, 3, 1),
            {"commodity": "gallium", "origin": "CN", "destination": "US"},
            VerdictKind.PROHIBITED,
            "The export is prohibited (MOFCOM Announcement 2024 No. 46, clause 2).",
        ),
        (
            "cn-state-trading-2024/tungsten",
            DAY,
            {"commodity": "tungsten", "origin": "CN", "destination": "DE"},
            VerdictKind.LICENCE_REQUIRED,
            "Only firms designated by",
        ),
        (
            "us-301-2018/list-3",
            DAY,
            {"commodity": "gallium", "origin": "CN", "destination": "US"},
            VerdictKind.IMPORT_DUTY,
            "The importer pays an import duty of 25 % to the United States"
            " (84 FR 20459, clause list-3).",
        ),
    ],
)
def test_an_obligation_says_who_must_do_what(
    key: str, day: date, fields: dict[str, str], kind: VerdictKind, sentence: str
) -> None:
    one = applicable(key, day, **fields)
    assert one.kind is kind
    assert obligation(one).startswith(sentence)


def test_days_of_a_clause_end_before_its_suspension_and_begin_after_it() -> None:
    fields = {"commodity": "gallium", "origin": "CN", "destination": "US"}
    suspended = applicable("cn-mofcom-2024-46/2", DAY, **fields)
    assert suspended.first_day == date(2026, 11, 28)
    quota = applicable(
        "cd-arecoms-2025-004/quota-2025", commodity="cobalt", origin="CD", destination="DE"
    )
    assert (quota.first_day, quota.last_day) == (date(2025, 10, 16), date(2025, 12, 31))


def test_framework_acts_fold_below_the_licence_that_rests_on_them() -> None:
    check = check_on(DAY, commodity="gallium", form="metal", origin="CN", destination="DE")
    [licence] = [
        one for one in check.verdicts if one.applicable.key == ("cn-mofcom-2024-51", "gallium")
    ]
    assert licence.applicable.match is Match.CERTAIN
    bases = {basis.key for basis in licence.legal_bases}
    assert "cn-ecl-2020" in {control for control, _ in bases}
    assert bases.isdisjoint(one.applicable.key for one in check.verdicts)


def test_a_power_over_goods_abroad_is_not_a_licence() -> None:
    content = {"commodity": "gallium", "origin": "CN", "percent": "50"}
    check = check_on(DAY, commodity="gallium", origin="JP", destination="US", contents=[content])
    assert ("cn-sc-792-2024", "abroad") not in {one.applicable.key for one in check.verdicts}


def test_a_duty_that_is_not_paid_beside_a_certain_one_comes_after_it() -> None:
    goods = shipment(hsCode="76012090", codeOf="US", origin="GB", destination="US")
    check = except_unpaid(check_on(date(2026, 5, 1), goods))
    first, second, *_ = (one.applicable for one in check.verdicts)
    assert (first.key[0], second.key[0]) == ("us-232-aluminium", "us-122-2026")
    assert [one.reason for one in second.exceptions] == [
        "it is not paid beside Section 232 tariff on aluminium, clause 1"
    ]
    assert summary(check).startswith("Certain: The importer pays an import duty of 25 %")
