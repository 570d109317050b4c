"""Totals of duties: sums, duties that yield, caps, possible duties, and the ordinary duty."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cases import each_case
from tests.support.fact_builders import announced, clause, decided_facts, fact, state
from tests.support.grounds import ALL_CONFIRMED
from tests.support.shipment_checks import check_shipment
from tracker.domain.basics.codec import from_builtins
from tracker.domain.basics.control_vocabulary import VerdictKind
from tracker.domain.catalogue.places import Place
from tracker.domain.controls.duty_relations import Related, Relation
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.shipments.duties import ORDINARY, DutyTotal, duties
from tracker.domain.shipments.ordinary import OrdinaryDuty
from tracker.domain.shipments.rates import Rate
from tracker.domain.shipments.shipment import Case, Shipment
from tracker.errors import InvalidInput

DAY = date(2025, 12, 1)
RATES = st.integers(0, 60).map(Decimal)
KINDS = st.sampled_from(["adds_to", "yields_to", None])


def tariff(
    key: str,
    rate: int | Decimal | None,
    *relations: dict[str, Any],
    possible: bool = False,
    **more: Any,
) -> ExportControlState:
    """Return an American duty on gallium; a possible one covers only an item that nobody names."""
    fields: dict[str, Any] = {"measure": "tariff"}
    if rate is not None:
        fields["ratePercent"] = str(rate)
    if possible:
        fields["items"] = [{"name": "Gallium of a kind"}]
    opening = announced(clause(**fields | more), issuer="US", direction="import", title=key.upper())
    acts = [fact(Related, "2024-12-03", relation=relation) for relation in relations]
    found: ExportControlState = state(
        decided_facts(f"export-control/{key}", opening, *acts),
        f"export-control/{key}",
        "2025-12-01",
    )
    return found


def ordinary(low: int, high: int, *amounts: str, missing: Sequence[str] = ()) -> OrdinaryDuty:
    """Return an ordinary duty with a known part in percent."""
    return OrdinaryDuty(
        low=None if amounts else Decimal(low),
        high=None if amounts else Decimal(high),
        text="Ordinary duty.",
        statement="As printed on 8 June 2026; no later edition was read.",
        remarks=(),
        questions=(),
        known=Rate(Decimal(low), Decimal(high)),
        amounts=amounts,
        not_recorded=tuple(missing),
        lines=(),
    )


def total(
    *controls: ExportControlState,
    origin: str | None = "CN",
    day: date = DAY,
    beside: OrdinaryDuty | None = None,
) -> DutyTotal:
    """Return the import duties of gallium for the United States."""
    shipment = from_builtins(
        Shipment, {"commodity": "gallium", "origin": origin, "destination": "US"}
    )
    check = check_shipment(Case(shipment, day, {}), controls, {}, ALL_CONFIRMED)
    return duties(check, VerdictKind.IMPORT_DUTY, beside)


def bounds(of: DutyTotal) -> tuple[int, int] | None:
    """Return the total in whole percent, or None without one."""
    return None if of.low is None or of.high is None else (int(of.low), int(of.high))


def relation(kind: str, other: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a relation."""
    return {"kind": kind, **({"other": other} if other else {}), **more}


def test_a_duty_alone_is_the_total_with_one_step() -> None:
    of = total(tariff("a", 50))
    assert bounds(of) == (50, 50)
    assert [step.text for step in of.steps] == ["A, clause 1: 50 %."]
    assert not of.complete
    assert of.statement == (
        "Recorded import duties amount to at least 50 % of the value; not covered: the ordinary duty and"
        " anti-dumping, countervailing and other duties that are not recorded."
    )


def test_the_ordinary_duty_is_the_first_step() -> None:
    of = total(tariff("a", 50), beside=ordinary(3, 3))
    assert bounds(of) == (53, 53)
    assert [(step.text, step.low, step.high) for step in of.steps] == [
        ("Ordinary duty.", 3, 3),
        ("A, clause 1: 50 %.", 53, 53),
    ]
    assert of.not_covered == (
        "anti-dumping, countervailing and other duties that are not recorded",
    )
    assert of.remarks[0] == ("Ordinary duty: As printed on 8 June 2026; no later edition was read.")


def test_the_ordinary_duty_alone_is_a_sum() -> None:
    of = total(beside=ordinary(0, 3, missing=["9903.88.03"]))
    assert bounds(of) == (0, 3)
    assert of.statement == (
        "Recorded import duties amount to 0 to 3 % of the value, depending on open questions; not"
        " covered: the printed duty of 9903.88.03 and anti-dumping, countervailing and other duties"
        " that are not recorded."
    )


def test_an_amount_of_the_ordinary_duty_comes_on_top() -> None:
    of = total(tariff("a", 50), beside=ordinary(3, 3, "1¢/kg"))
    assert of.statement.startswith(
        "Recorded import duties amount to at least 53 % of the value plus 1¢/kg; not covered: the"
        " ordinary duty (1¢/kg) and "
    )
    assert not of.complete


@each_case(
    ("base", "possible", "expected"),
    [
        ((3, 3), False, (15, 15)),
        ((20, 20), False, (20, 20)),
        ((0, 20), False, (15, 20)),
        ((3, 3), True, (3, 15)),
    ],
)
def test_of_the_ordinary_duty_and_a_rate_that_includes_it_the_higher_is_paid(
    base: tuple[int, int], possible: bool, expected: tuple[int, int]
) -> None:
    of = total(
        tariff("a", 15, relation("includes_ordinary"), possible=possible), beside=ordinary(*base)
    )
    assert bounds(of) == expected
    assert of.steps[-1].text == (
        "A, clause 1 includes the ordinary duty: the higher of both is paid."
    )


def test_a_duty_beside_one_that_includes_the_ordinary_duty_is_added() -> None:
    of = total(
        tariff("a", 15, relation("includes_ordinary"), relation("adds_to", "b")),
        tariff("b", 25),
        beside=ordinary(3, 3),
    )
    assert bounds(of) == (40, 40)


def test_a_missing_relation_leaves_no_total_beside_the_ordinary_duty() -> None:
    of = total(tariff("a", 50), tariff("b", 25), beside=ordinary(3, 3))
    assert bounds(of) is None
    assert of.steps[0].low == 3


def test_a_sum_depends_on_open_questions_and_exemptions() -> None:
    possible = total(tariff("a", 50, possible=True)).statement
    assert possible.startswith(
        "Recorded import duties amount to 0 to 50 % of the value, depending on open questions; not"
    )
    exempt = total(tariff("a", 50, exemptions="goods of donors")).statement
    assert "at least 50 % of the value, unless an exemption applies; not covered" in exempt
    unknown = total(tariff("a", None, rateText="as published")).statement
    assert unknown.startswith(
        "A recorded import duty applies or may apply; the sum in percent is not known; not covered: "
    )


def test_two_duties_without_a_relation_have_no_total() -> None:
    of = total(tariff("a", 50), tariff("b", 25))
    assert bounds(of) is None
    assert of.remarks[0] == (
        "The total is unknown: no relation between A, clause 1 and B, clause 1 is recorded."
    )


def test_duties_add_up_if_either_says_so() -> None:
    assert bounds(total(tariff("a", 50, relation("adds_to", "b")), tariff("b", 25))) == (75, 75)
    assert bounds(total(tariff("a", 50), tariff("b", 25, relation("adds_to", "a")))) == (75, 75)


def test_a_relation_counts_on_its_days_only() -> None:
    until = relation("adds_to", "b", inForceUntil="2025-12-01")
    later = relation("yields_to", "b", inForceFrom="2025-12-02")
    controls = tariff("a", 50, until, later), tariff("b", 25)
    assert bounds(total(*controls)) == (75, 75)
    assert bounds(total(*controls, day=date(2025, 12, 2))) == (25, 25)


def test_a_duty_yields_to_a_certain_one() -> None:
    of = total(tariff("a", 50, relation("yields_to", "b")), tariff("b", 25))
    assert bounds(of) == (25, 25)
    assert of.steps[0].text == "A, clause 1: not paid beside B, clause 1."


def test_a_duty_that_yields_to_a_possible_one_is_one_or_the_other() -> None:
    of = total(tariff("a", 10, relation("yields_to", "b")), tariff("b", 25, possible=True))
    assert bounds(of) == (10, 25)
    assert of.steps[-1].text == "Either A, clause 1 or B, clause 1 is paid."


@each_case("rates", [(10, 25), (25, 10), (25, 25)])
def test_of_duties_that_yield_to_each_other_the_higher_is_paid(rates: tuple[int, int]) -> None:
    low, high = rates
    of = total(
        tariff("a", low, relation("yields_to", "b")), tariff("b", high, relation("yields_to", "a"))
    )
    assert bounds(of) == (max(rates), max(rates))


def test_duties_are_capped_together() -> None:
    cap = relation("capped_at", "b", percent="15")
    assert bounds(total(tariff("a", 10, cap), tariff("b", 10))) == (15, 15)
    assert bounds(total(tariff("a", 10, cap), tariff("b", 10, possible=True))) == (10, 15)


def test_a_possible_duty_makes_the_total_a_range() -> None:
    of = total(tariff("a", 50, relation("adds_to", "b")), tariff("b", 25, possible=True))
    assert bounds(of) == (50, 75)


def test_an_amount_and_the_words_of_a_rate_are_remarks() -> None:
    floor: dict[str, Any] = {
        "measure": "price_floor",
        "priceFloor": {"value": "21", "unit": "USD/kg"},
    }
    of = total(
        tariff("a", 50, relation("adds_to", "b"), rateText="50 %; 60 % for two firms"),
        tariff("b", None, **floor),
    )
    assert bounds(of) == (50, 50)
    assert of.remarks[:2] == (
        "A, clause 1: 50 %; 60 % for two firms; the total contains 50 %.",
        "B, clause 1: 21 USD/kg, which the total does not contain.",
    )


@each_case(
    ("limits", "origin", "is_included"),
    [
        ({}, "JP", True),
        ({"places": ["JP", "EU"]}, "JP", True),
        ({"places": ["JP", "EU"]}, "DE", True),
        ({"places": ["JP", "EU"]}, "CN", False),
        ({"places": ["JP", "EU"]}, None, False),
        ({"exceptPlaces": ["RU"]}, "JP", True),
        ({"exceptPlaces": ["RU"]}, "RU", False),
        ({"exceptPlaces": ["RU"]}, None, False),
    ],
)
def test_a_rate_includes_the_ordinary_duty_for_some_places(
    limits: dict[str, Any], origin: str | None, is_included: bool
) -> None:
    of = total(tariff("a", 15, relation("includes_ordinary", **limits)), origin=origin)
    assert of.lines[0].includes_ordinary is is_included
    assert (ORDINARY not in of.not_covered) is is_included


def test_a_place_is_of_a_relation_while_its_union_is() -> None:
    of = from_builtins(Relation, relation("includes_ordinary", places=["EU"]))
    assert of.holds_for(Place("GB"), date(2019, 1, 1))
    assert not of.holds_for(Place("GB"), DAY)


@each_case(
    "fields",
    [
        relation("adds_to"),
        relation("includes_ordinary", "b"),
        relation("capped_at", "b"),
        relation("adds_to", "b", percent="15"),
    ],
)
def test_a_relation_without_its_fields_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        from_builtins(Relation, fields)


@given(st.lists(st.tuples(RATES, st.booleans()), min_size=1, max_size=5), st.data())
def test_a_total_lies_between_its_certain_duties_and_their_sum(
    duties_: Sequence[tuple[Decimal, bool]], data: st.DataObject
) -> None:
    kinds = {
        (first, other): data.draw(KINDS) or "adds_to"
        for first, other in combinations(range(len(duties_)), 2)
    }
    controls = [
        tariff(
            f"d{number}",
            rate,
            *(
                relation(kind, f"d{other}")
                for (first, other), kind in kinds.items()
                if first == number
            ),
            possible=possible,
        )
        for number, (rate, possible) in enumerate(duties_)
    ]
    of = total(*controls)

    assert of.low is not None
    assert of.high is not None
    assert 0 <= of.low <= of.high <= sum(rate for rate, _ in duties_)
    assert of.steps
    assert (of.steps[-1].low, of.steps[-1].high) == (of.low, of.high)
    if set(kinds.values()) <= {"adds_to"}:
        assert of.low == sum(rate for rate, possible in duties_ if not possible)
        assert of.high == sum(rate for rate, _ in duties_)
