"""The ordinary duty on an import into the European Union: at most the conventional rate."""

from datetime import date
from typing import Any

from tests.support.cases import each_case
from tests.support.fact_builders import decided_facts, source, state
from tracker.domain.basics.codec import from_builtins
from tracker.domain.figures.tariff import LineStated
from tracker.domain.shipments.ordinary import OrdinaryDuty, ordinary_duty, tariff_of
from tracker.domain.shipments.shipment import Case, Shipment

SILICON = {"hsCode": "28046900", "codeOf": "EU", "origin": "CN", "destination": "DE"}


def case(day: date = date(2026, 9, 1), **more: Any) -> Case:
    return Case(from_builtins(Shipment, SILICON | more), day, {})


def duty(of: Case, *rates: str) -> OrdinaryDuty | None:
    """Return the ordinary duty by lines of the edition of 2026 with these rates."""
    lines = []
    for number, rate in enumerate(rates):
        code = f"2804690{number}"
        fields = {"place": "EU", "code": code, "edition": "cn-2026", "texts": ["Silicon"]}
        published = {"source": source(published_on="2025-10-31"), "general": rate}
        line = from_builtins(LineStated, fields | published)
        stream = f"tariff-line/eu/{code}"
        lines.append(state(decided_facts(stream, line), stream, "2026-09-01"))
    return ordinary_duty(of, lines, "As printed.", ())


def test_the_conventional_rate_is_the_upper_end() -> None:
    of = duty(case(), "5.5%")
    assert of
    assert (of.low, of.high) == (0, 5.5)
    assert of.text == "Ordinary duty: 0 to 5.5 % (up to the conventional rate of 2804.69.00)."
    assert any("Suspensions, quotas and preferences" in one for one in of.remarks)
    assert of.questions == ()


def test_free_goods_pay_nothing() -> None:
    of = duty(case(), "Free")
    assert of
    assert (of.low, of.high) == (0, 0)


def test_of_several_lines_the_highest_rate_counts() -> None:
    of = duty(case(hsCode="280469"), "Free", "5.5%", "3%")
    assert of
    assert (of.low, of.high) == (0, 5.5)


def test_an_edition_says_nothing_of_the_years_before_it() -> None:
    assert duty(case(date(2025, 12, 31)), "5.5%") is None
    assert duty(case(date(2027, 1, 2)), "5.5%")


@each_case(
    ("way", "tariff"),
    [
        ({"destination": "DE"}, "EU"),
        ({"destination": "EU"}, "EU"),
        ({"destination": "US"}, "US"),
        ({"destination": "JP"}, None),
        ({"origin": "FR"}, None),
        ({"origin": "RU"}, None),
        ({"origin": None}, None),
    ],
)
def test_the_tariff_is_that_of_the_destination(
    way: dict[str, str | None], tariff: str | None
) -> None:
    assert tariff_of(case(**way)) == tariff
