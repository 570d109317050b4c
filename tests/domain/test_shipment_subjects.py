"""The subject of a shipment: goods, technology or equipment; and goods made abroad, by shipped controls."""

from datetime import date
from typing import Any

import pytest

from tests.support.shipped_controls import check_on
from tracker.domain.basics.codec import from_builtins
from tracker.domain.basics.control_vocabulary import Covers, Match
from tracker.domain.shipments.check import Applicable
from tracker.domain.shipments.legs import assumptions
from tracker.domain.shipments.shipment import Shipment
from tracker.errors import InvalidInput

DAY = date(2026, 12, 1)
RARE_EARTHS = {"commodity": "rare_earths", "origin": "CN", "destination": "DE"}


def rules(**fields: Any) -> dict[str, Applicable]:
    """Return the clauses in force that apply to a shipment, by instrument and clause."""
    return {
        "#".join(one.applicable.key): one.applicable for one in check_on(DAY, **fields).verdicts
    }


def test_technology_has_its_own_rules_and_those_on_dual_use_items() -> None:
    of = rules(**RARE_EARTHS, covers="technology")
    assert "cn-technology-catalogue#rare-earths" in of
    assert {one.state.clause.covers for one in of.values()} == {Covers.GOODS, Covers.TECHNOLOGY}
    for key, one in of.items():
        if one.state.clause.covers is Covers.GOODS:
            assert one.state.clause.commodities == ("dual_use_items",), key
            assert "it names only dual-use items, without codes" in one.reasons


def test_a_check_of_goods_names_the_rules_on_technology_that_it_leaves_out() -> None:
    of = check_on(DAY, **RARE_EARTHS)
    assert {one.state.clause.covers for one in of.left_out} == {Covers.TECHNOLOGY, Covers.SERVICES}
    *_, last = assumptions(of.case.shipment, of.left_out)
    assert last.startswith(
        "Goods are shipped, not technology or services. Rules on these are left out:"
    )
    assert "Catalogue of Technologies Prohibited or Restricted from Export" in last
    assert check_on(DAY, **RARE_EARTHS, covers="goods").left_out == ()
    assert check_on(DAY, **RARE_EARTHS, covers="technology").left_out == ()
    assert check_on(DAY, commodity="tin", origin="ID", destination="DE").left_out == ()


def test_equipment_and_materials_are_certain_if_stated_and_pay_duties_on_all_goods() -> None:
    asked = rules(**RARE_EARTHS)["cn-mofcom-2025-56#equipment"]
    stated = rules(**RARE_EARTHS, covers="equipment")["cn-mofcom-2025-56#equipment"]
    assert "it covers equipment, not the minerals" in asked.reasons
    assert "it covers equipment, not the minerals" not in stated.reasons
    assert "cn-mofcom-2025-56#equipment" not in rules(**RARE_EARTHS, covers="goods")
    american = {**RARE_EARTHS, "destination": "US"}
    assert "us-301-2026-labour#1" in rules(**american, covers="equipment")
    assert "us-301-2026-labour#1" not in rules(**american, covers="technology")


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"commodity": "gallium", "covers": "technology", "form": "metal"}, "form"),
        ({"commodity": "gallium", "covers": "equipment", "form": "metal"}, "form"),
        ({"hsCode": "811292", "covers": "services"}, "hsCode"),
    ],
)
def test_only_goods_have_a_form_and_things_a_code(fields: dict[str, str], path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        from_builtins(Shipment, fields)
    assert (refused.value.code, refused.value.path) == ("CONTRADICTION", (path,))
    assert from_builtins(Shipment, {"hsCode": "811292", "covers": "equipment"})


@pytest.mark.parametrize("destination", ["US", "DE", "JP"])
@pytest.mark.parametrize("commodity", ["gallium", "dysprosium", "tungsten", "neodymium_magnets"])
def test_rules_on_goods_made_abroad_ask_for_the_content_of_their_issuer(
    commodity: str, destination: str
) -> None:
    shipment = {"commodity": commodity, "origin": "VN", "destination": destination}
    abroad = [one for one in rules(**shipment).values() if one.control.issuer == "CN"]
    assert abroad
    for one in abroad:
        assert one.match is Match.POSSIBLE
        asked = [question.text for question in one.questions]
        assert any(text.startswith("Do the goods contain ") for text in asked), one.key
    assert not any(one.control.issuer == "CN" for one in rules(**shipment, contents=[]).values())


def test_a_rule_with_a_scope_asks_for_it_without_two_negatives() -> None:
    shipment = {"commodity": "gallium", "origin": "VN", "destination": "US"}
    re_export = rules(**shipment)["cn-mofcom-2024-46#re-export"]
    asked = [question.text for question in re_export.questions]
    assert "Is it one of these: transfers against articles 1 and 2?" in asked
    assert not any("xempt" in text for text in asked)
    id = "cn-mofcom-2024-46/re-export/scope"
    answers = [{"question": id, "yes": False}]
    assert "cn-mofcom-2024-46#re-export" not in rules(**shipment, answers=answers)
