"""Lists of origins, and the series of dependence figures."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cases import each_case
from tracker.domain.basics.codec import decode, encode
from tracker.domain.basics.units import Unit
from tracker.domain.events.figure_sentences import figure_name
from tracker.domain.figures.figure_facts import Claimed
from tracker.errors import InvalidInput

SOURCE = {"publisher": "usgs", "name": "USGS MCS 2026", "publishedOn": "2026-02-06"}
GALLIUM = {"CA": 28, "JP": 22, "CN": 18, "DE": 16}


def claim(
    parts: dict[str, Any] | None = None,
    unnamed: Any = 16,
    statistic: str = "import_origins",
    quantity: dict[str, Any] | None = None,
    **series: Any,
) -> Claimed:
    """Return a claim on the origins of US imports of gallium metal."""
    origins = [
        {"place": place, **({"quantity": _quantity(part)} if part is not None else {})}
        for place, part in (GALLIUM if parts is None else parts).items()
    ]
    content = {
        "source": SOURCE,
        "series": {
            "commodity": "gallium",
            "place": "US",
            "statistic": statistic,
            "form": "metal",
            "period": 2021,
            "until": 2024,
            **series,
        },
        "edition": "MCS 2026",
        "quantity": quantity or {"unit": "percent", "value": "100"},
        "origins": {
            "parts": origins,
            **({"unnamed": _quantity(unnamed)} if unnamed is not None else {}),
        },
    }
    fact = decode(Claimed, encode(content))
    fact.check_recordable()
    return fact


def _quantity(part: Any) -> dict[str, Any]:
    return part if isinstance(part, dict) else {"unit": "percent", "value": str(part)}


def refusal(**changes: Any) -> tuple[str | None, tuple[str | int, ...]]:
    """Return the code and path with which a claim is refused."""
    with pytest.raises(InvalidInput) as caught:
        claim(**changes)
    return caught.value.code, caught.value.path


def test_a_list_of_origins_is_one_claim_on_the_average_of_its_years() -> None:
    fact = claim()
    assert fact.stream == "figure/gallium/US/import_origins/metal/2021-2024"
    assert fact.origins is not None
    assert fact.origins.places == ("CA", "JP", "CN", "DE")
    assert figure_name(fact.stream) == "Gallium, import origins (metal), United States, 2021-2024"


def test_parts_that_do_not_sum_to_the_whole_are_refused() -> None:
    assert refusal(unnamed=10) == ("PARTS_DO_NOT_SUM", ("origins", "parts"))


def test_half_a_percent_of_rounding_is_allowed_for_each_part() -> None:
    claim({"CA": 33, "JP": 33, "CN": 33}, unnamed=None)
    assert refusal(parts={"CA": 49, "JP": 49}, unnamed=None)[0] == "PARTS_DO_NOT_SUM"


def test_a_bound_is_an_interval_in_the_sum() -> None:
    less = {"unit": "percent", "value": "1", "qualifier": "less_than"}
    more = {"unit": "percent", "value": "99", "qualifier": "more_than"}
    claim({"CA": more, "JP": less}, unnamed=None)


def test_amounts_sum_to_the_whole_exactly() -> None:
    tonnes = {"unit": "t", "value": "10"}
    parts = {"CA": {"unit": "t", "value": "7"}, "JP": {"unit": "t", "value": "3"}}
    claim(parts, unnamed=None, quantity=tonnes)
    parts["JP"] = {"unit": "t", "value": "4"}
    assert refusal(parts=parts, unnamed=None, quantity=tonnes)[0] == "PARTS_DO_NOT_SUM"


def test_ranks_have_names_without_numbers() -> None:
    nothing = {"unit": "percent", "qualifier": "not_stated"}
    ranks: dict[str, Any] = {"statistic": "import_ranks", "quantity": nothing, "unnamed": None}
    assert claim({"CN": None, "JP": None}, **ranks).origins is not None
    assert refusal(parts={"CN": 3}, **ranks)[1] == ("origins", "parts", 0, "quantity")


def test_a_figure_without_a_list_has_no_origins() -> None:
    assert refusal(statistic="imports", quantity={"unit": "kg", "value": "1"}) == (
        "VALUE_NOT_ALLOWED",
        ("origins",),
    )


@each_case(
    ("series", "path"),
    [
        ({"until": 2021}, "until"),
        ({"period": None}, "period"),
        ({"stage": "mine"}, "stage"),
        ({"form": "primary"}, "form"),
    ],
)
def test_a_series_of_imports_has_years_and_no_stage(series: dict[str, Any], path: str) -> None:
    assert path in refusal(**series)[1]


def test_net_exporter_is_not_a_number_and_only_a_reliance() -> None:
    exporter = {"unit": "percent", "qualifier": "net_exporter"}
    fact = decode(
        Claimed,
        encode(
            {
                "source": SOURCE,
                "series": {
                    "commodity": "talc",
                    "place": "US",
                    "statistic": "net_import_reliance",
                    "period": 2020,
                },
                "edition": "MCS 2022",
                "quantity": exporter,
            }
        ),
    )
    fact.check_recordable()
    assert fact.quantity.value is None
    assert fact.stream == "figure/talc/US/net_import_reliance/2020"
    assert refusal(quantity=exporter)[1] == ("quantity", "qualifier")


@each_case(
    ("unit", "to", "factor"),
    [
        ("lb", "kg", "0.45359237"),
        ("ozt", "g", "31.1034768"),
        ("st", "kg", "907.18474"),
        ("USD/kg", "USD/t", "1000"),
        ("USD/lb", "USD/kg", None),
        ("USD/mtu", "USD/t", None),
        ("USD/kg", "EUR/kg", None),
    ],
)
def test_units_convert_by_declared_factors_only(unit: str, to: str, factor: str | None) -> None:
    converted = Unit(unit).convert(Decimal(1), Unit(to))
    if unit == "USD/lb":
        assert converted is not None
        assert round(converted, 6) == Decimal("2.204623")
    else:
        assert converted == (None if factor is None else Decimal(factor))


@given(st.lists(st.integers(1, 40), min_size=2, max_size=4).filter(lambda parts: sum(parts) <= 100))
def test_any_parts_with_the_rest_unnamed_are_a_whole(parts: list[int]) -> None:
    named = dict(zip(GALLIUM, parts, strict=False))
    claim(named, unnamed=100 - sum(named.values()))
    if sum(named.values()) < 95:
        assert refusal(parts=named, unnamed=None)[0] == "PARTS_DO_NOT_SUM"
