"""The ordinary duty on an import into the United States: by origin, preference and column 2."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.support.cases import each_case
from tests.support.fact_builders import decided_facts, state
from tests.support.tariff_lines import readings
from tracker.domain.basics.codec import from_builtins
from tracker.domain.figures.tariff import TariffLineState
from tracker.domain.shipments.ordinary import OrdinaryDuty, ordinary_duty
from tracker.domain.shipments.shipment import Case, Shipment
from tracker.errors import InvalidInput

DAY = date(2026, 9, 1)
PRINT = "As printed on 8 June 2026; no later edition was read."


def lines(beginning: str) -> list[TariffLineState]:
    """Return the shipped lines below a code."""
    streams = dict.fromkeys(
        one.stream for one in readings() if one.stream.startswith(f"tariff-line/us/{beginning}")
    )
    found = [
        state(
            decided_facts(stream, *[one.fact for one in readings() if one.stream == stream]),
            stream,
            DAY.isoformat(),
        )
        for stream in streams
    ]
    return [one for one in found if one is not None]


def duty(code: str, *recorded: str, day: date = DAY, **more: Any) -> OrdinaryDuty:
    """Return the ordinary duty on goods of a code."""
    digits = code.replace(".", "")
    fields = {"hsCode": digits, "codeOf": "US", "destination": "US", "origin": "CN"} | more
    case = Case(from_builtins(Shipment, fields), day, {})
    found = ordinary_duty(case, lines(digits[:8]), PRINT, recorded)
    assert found
    return found


def test_the_general_rate_is_due_without_a_programme_of_the_origin() -> None:
    gallium = duty("8112.92.10", "us-301-2018")
    assert (gallium.low, gallium.high) == (3, 3)
    assert gallium.text == "Ordinary duty: 3 % (general rate of 8112.92.10)."
    assert gallium.questions == ()


def test_a_printed_provision_that_is_not_recorded_may_be_due() -> None:
    [question] = duty("8112.92.10").questions
    assert question.endswith("no recorded duty has it. Ask the customs authority.")
    assert question.startswith("The duty of 9903.88.03 may be due: the edition of ")
    assert duty("8112.92.10", origin="DE").questions == ()


@each_case(
    ("origin", "preference", "low", "high"),
    [
        ("CL", None, 0, 3),
        ("CL", "none", 3, 3),
        ("CL", "CL", 0, 0),
        ("MX", "USMCA", 0, 0),
        ("MX", "usmca", 0, 0),
        ("DE", None, 3, 3),
        ("ZA", None, 0, 3),
        ("IN", None, 0, 3),
        ("VN", "JP", 3, 3),
        ("CL", "USMCA", 3, 3),
    ],
)
def test_a_programme_is_claimed_or_a_question(
    origin: str, preference: str | None, low: int, high: int
) -> None:
    stated = {} if preference is None else {"preference": preference}
    found = duty("7412.20.00", origin=origin, **stated)
    assert (found.low, found.high) == (low, high)
    asks = [one for one in found.questions if "preference" in one]
    assert bool(asks) is (low != high)


def test_a_lapsed_programme_says_so() -> None:
    [question] = duty("7412.20.00", origin="IN").questions
    assert "lapsed on 31 December 2020 unless it was renewed; from memory" in question


def test_a_programme_that_the_line_does_not_print_gives_nothing() -> None:
    found = duty("7412.20.00", origin="JP", preference="JP")
    assert found.high == 3
    assert (
        "'JP' is not a programme that the line prints for the origin, so the general rate is due."
        in found.remarks
    )


def test_some_least_developed_beneficiaries_only() -> None:
    assert duty("8108.20.00", origin="JP").high == 15
    assert duty("8108.20.00", origin="JP").low == 15


@each_case(
    ("origin", "day", "rate"),
    [
        ("CU", DAY, 25),
        ("RU", DAY, 25),
        ("BY", date(2022, 4, 9), 25),
        ("RU", date(2022, 4, 8), 3),
        ("KZ", DAY, None),
    ],
)
def test_column_2_is_due_from_places_without_normal_relations(
    origin: str, day: date, rate: int | None
) -> None:
    found = duty("8112.92.10", origin=origin, day=day)
    assert found.high == (3 if rate is None else rate)
    assert any("is under column 2" in one for one in found.remarks) is (rate == 25)


def test_a_russian_provision_is_a_question() -> None:
    assert "9903.90.09" in " ".join(duty("8112.92.10", origin="RU").questions)
    assert "9903.90.09" not in " ".join(duty("8112.92.10", origin="BY").questions)


def test_a_compound_rate_has_no_percentage_without_value_and_weight() -> None:
    found = duty("8104.90.00")
    assert (found.low, found.high) == (None, None)
    assert found.known == (Decimal("3.5"), Decimal("3.5"))
    assert found.amounts == ("14.8¢/kg on magnesium content",)
    assert "14.8¢/kg on magnesium content + 3.5%" in found.text
    assert any("without `value`, and `weight` or `metalWeight`" in one for one in found.questions)


@each_case(
    ("code", "stated", "percent"),
    [
        ("8104.90.00", {"value": "1000", "weight": "100", "metalWeight": "50"}, "4.24"),
        ("8104.90.00", {"value": "1000", "weight": "100"}, None),
        ("8104.90.00", {"metalWeight": "50"}, None),
        ("2804.69.50", {"value": "1000", "weight": "100"}, "5.5"),
    ],
)
def test_amounts_are_percent_of_a_stated_value(
    code: str, stated: dict[str, Any], percent: str | None
) -> None:
    found = duty(code, preference="none", **stated)
    assert (None if found.high is None else str(found.high)) == percent
    assert bool(found.amounts) is (percent is None)
    if "¢" in found.text:
        assert any("follows from the stated value" in one for one in found.remarks) is bool(percent)


def test_an_amount_per_tonne_is_converted() -> None:
    found = duty("2505.10.10", origin="CU", value="1000", weight="10000")
    assert found.text.startswith("Ordinary duty: ")
    assert "/t" in found.text
    assert (found.high, found.amounts) == (Decimal("1.97"), ())


def test_six_digits_give_a_range_over_all_lines() -> None:
    found = duty("8112.92", preference="none")
    assert found.low == 0
    assert found.high is not None
    assert found.high > Decimal(3)
    assert len(found.lines) == 7
    assert f"general rate of {len(found.lines)} lines" in found.text


def test_a_use_is_a_remark_and_no_rate() -> None:
    battery = duty("8507.60.00", "us-301-2018", "us-301-2024")
    assert (battery.low, battery.high) == (Decimal("3.4"), Decimal("3.4"))
    assert any("Trade in Civil Aircraft (C)" in one for one in battery.remarks)


@each_case(
    ("stated", "code", "field"),
    [
        ({"value": "0"}, "OUT_OF_RANGE", "value"),
        ({"value": "-1"}, "OUT_OF_RANGE", "value"),
        ({"weight": "0"}, "OUT_OF_RANGE", "weight"),
        ({"weight": "10", "metalWeight": "11"}, "CONTRADICTION", "metalWeight"),
    ],
)
def test_value_and_weights_are_above_zero_and_agree(
    stated: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        duty("8112.92.10", **stated)
    assert (refused.value.code, refused.value.path) == (code, (field,))
