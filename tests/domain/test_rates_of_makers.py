"""Duties with rates by maker, by quotas, and by the place of consignment."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cases import each_case
from tests.support.fact_builders import clause
from tests.support.shipment_checks import american, bounds, check, fields, matches, questions, total
from tracker.domain.basics.codec import from_builtins
from tracker.domain.controls.clause import Clause
from tracker.domain.entities.recordable import check_recordable
from tracker.domain.shipments.obligations import summary
from tracker.errors import InvalidInput

MAKERS: dict[str, Any] = {
    "measure": "tariff",
    "ratePercent": "15",
    "rateUpToPercent": "31",
    "firmRates": [
        {"firms": ["Erdos Xijin Kuangye Co., Ltd."], "code": "A829", "ratePercent": "15"},
        {"firms": ["Lanzhou Good Land"], "code": "A830", "ratePercent": "29"},
    ],
}
YES, NO = ([{"question": "x/1/maker", "yes": yes}] for yes in (True, False))
QUOTA = [{"question": "x/1/quota", "yes": True}]
CONSIGNED: dict[str, Any] = {
    "measure": "tariff",
    "ratePercent": "16",
    "origins": ["KR"],
    "byConsignment": True,
}


@each_case(
    ("exporter", "answers", "rate"),
    [
        (None, [], (15, 31)),
        (None, NO, (31, 31)),
        (None, YES, (15, 29)),
        ("erdos xijin kuangye", [], (15, 31)),
        ("Erdos Xijin Kuangye Co Ltd", YES, (15, 15)),
        ("Lanzhou Good Land", [], (29, 31)),
        ("Lanzhou Good Land", YES, (29, 29)),
        ("Lanzhou Good Land", NO, (31, 31)),
        ("A trader", [], (15, 31)),
        ("A trader", YES, (15, 29)),
    ],
)
def test_a_rate_of_a_maker_needs_its_declaration(
    exporter: str | None, answers: list[dict[str, Any]], rate: tuple[int, int]
) -> None:
    of = check(american(clause(**MAKERS)), commodity="gallium", exporter=exporter, answers=answers)
    assert bounds(of) == rate
    assert questions(of) == ([] if answers else ["x/1/maker"])
    assert matches(of) == {"x/1": "certain"}


def test_beyond_a_quota_the_rate_is_that_of_the_maker() -> None:
    of = american(clause(**MAKERS | {"measure": "tariff_rate_quota", "ratePercent": "0"}))
    assert bounds(check(of, commodity="gallium")) == (0, 31)
    assert bounds(check(of, commodity="gallium", answers=QUOTA)) == (15, 31)
    answers = [*QUOTA, *YES]
    named = check(of, commodity="gallium", exporter="Lanzhou Good Land", answers=answers)
    assert bounds(named) == (29, 29)
    assert questions(named) == []


def test_a_place_with_its_own_rate_has_no_rates_of_makers() -> None:
    own = clause(**MAKERS, exceptions=[{"places": ["CN"], "ratePercent": "5"}])
    of = check(american(own), commodity="gallium", answers=NO)
    assert bounds(of) == (5, 5)


@given(
    st.sampled_from([None, "Lanzhou Good Land", "Erdos Xijin Kuangye", "A trader"]),
    st.sampled_from([[], YES, NO]),
)
def test_a_further_fact_only_narrows_the_rate(
    exporter: str | None, answers: list[dict[str, Any]]
) -> None:
    of = american(clause(**MAKERS))
    wide = bounds(check(of, commodity="gallium"))
    narrow = bounds(check(of, commodity="gallium", exporter=exporter, answers=answers))
    assert wide
    assert narrow
    assert wide[0] <= narrow[0] <= narrow[1] <= wide[1]


@each_case(
    ("way", "match", "asked"),
    [
        ({"origin": "NO", "exportCountry": "KR"}, {"x/1": "certain"}, []),
        ({"origin": "KR"}, {"x/1": "certain"}, []),
        ({"origin": "KR", "exportCountry": "JP"}, {}, []),
        ({"origin": "NO"}, {}, []),
        ({"origin": None}, {"x/1": "possible"}, ["exportCountry"]),
    ],
)
def test_a_duty_by_consignment_looks_at_the_place_of_export(
    way: dict[str, str | None], match: dict[str, str], asked: list[str]
) -> None:
    of = check(american(clause(**CONSIGNED)), commodity="gallium", **way)
    assert matches(of) == match
    assert fields(of) == asked


def part(first: str, last: str, tonnes: str, *places: str) -> dict[str, Any]:
    amount = {"unit": "t", "value": tonnes}
    return {"places": places, "quota": amount, "inForceFrom": first, "inForceUntil": last}


LAST, THIS = ("2025-08-18", "2025-11-17"), ("2025-11-18", "2026-02-17")


@each_case(
    ("origin", "phrase"),
    [
        ("CN", "20 t for China from 18 November 2025 to 17 February 2026"),
        ("FR", "7 t for the European Union from 18 November 2025 to 17 February 2026"),
        ("BR", "5 t for places without an own part from 18 November 2025 to 17 February 2026"),
        (None, None),
    ],
)
def test_the_part_of_a_quota_is_that_of_the_place_on_the_day(
    origin: str | None, phrase: str | None
) -> None:
    parts = [
        part(*LAST, "10", "CN"),
        part(*THIS, "20", "CN"),
        part(*THIS, "7", "EU"),
        part(*THIS, "5"),
        part(*LAST, "4"),
    ]
    own = clause(
        measure="tariff_rate_quota",
        rateText="A gap",
        priceFloor={"unit": "EUR/t", "value": "9"},
        quotas=parts,
    )
    of = check(american(own), commodity="gallium", origin=origin)
    said = summary(of)
    assert (
        "against a quota of " + phrase in said if phrase else "the amount is not recorded" in said
    )
    assert total(of).remarks == ("X, clause 1: A gap; the total does not contain it.",)


@each_case(
    ("wrong", "path"),
    [
        (part("2025-11-18", "2025-11-17", "1"), ("quotas", 0, "inForceUntil")),
        (part(*THIS, "-1"), ("quotas", 0, "quota", "value")),
    ],
)
def test_a_part_of_a_quota_has_a_period_and_an_amount(
    wrong: dict[str, Any], path: tuple[str | int, ...]
) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_recordable(from_builtins(Clause, clause(quotas=[wrong])))
    assert caught.value.path[-len(path) :] == path
