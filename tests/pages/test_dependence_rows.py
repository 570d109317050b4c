"""Rows of pages of dependence from responses: bars, bounds, orders, alternatives and dates."""

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schema.pages.charts.line_chart import (
    WIDE,
    DatedMark,
    Line,
    LineChart,
    YearMark,
    draw_lines,
    unbroken,
)
from schema.pages.charts.sankey import Flow
from schema.pages.dependence.alternatives import is_about_processed_goods, missing_stage_note
from schema.pages.dependence.dependent_products import dependent_products, reliances
from schema.pages.dependence.exposure_lists import (
    MAX_FLOWS,
    PARTS,
    bounds_in_words,
    exposure_lists,
    largest_flows,
    list_bar,
    product_name,
)
from schema.pages.dependence.trade import flow_rows

NAMES = ("certain", "assumed", "partly", "none", "unnamed")


def listed(*sums: int, commodity: str = "gallium", **more: Any) -> dict[str, Any]:
    """Return a list as in the API, from its sums by status."""
    return {
        "commodity": {"key": commodity, "name": commodity.title()},
        "form": "metal",
        "unit": "percent",
        "whole": "100",
        **dict(zip(NAMES, map(str, sums), strict=True)),
        "lower": "0",
        "tight": "0",
        "upper": "0",
        "hsCode": None,
        "origins": [],
        **more,
    }


def reliance(commodity: str, value: str | None, qualifier: str | None = None) -> dict[str, Any]:
    """Return a line with one year."""
    claim = {"value": value, "upper": None, "qualifier": qualifier, "unit": "percent"}
    return {
        "commodity": {"key": commodity, "name": commodity.title()},
        "form": None,
        "points": [{"year": 2025, "claim": claim}],
    }


@given(st.lists(st.integers(0, 100), min_size=5, max_size=5))
def test_the_segments_of_a_bar_are_in_the_order_of_the_legend_and_inside(sums: list[int]) -> None:
    bar = list_bar(listed(*sums))
    parts = [one.part for one in bar.segments]
    assert parts == sorted(parts, key=[*PARTS].index)
    widths = [Decimal(one.width.rstrip("%")) for one in bar.segments]
    assert sum(widths) <= 100
    if sum(sums) <= 100:
        assert sum(widths) == sum(sums)
        assert len(parts) == sum(1 for one in sums if one)


def test_equal_bounds_are_one_number_and_others_are_a_range() -> None:
    same = bounds_in_words(listed(18, 0, 0, 66, 16, lower="18", upper="18"))
    apart = bounds_in_words(listed(0, 0, 0, 70, 30, lower="0", upper="30"))
    assert same.replace("\N{NO-BREAK SPACE}", " ") == "18 %"
    assert apart.replace("\N{NO-BREAK SPACE}", " ") == "0 % to 30 %"


def test_bounds_of_amounts_are_shares_of_the_whole() -> None:
    flows = listed(0, 0, 50, 150, 0, unit="USD", whole="200", upper="50")
    assert bounds_in_words(flows).replace("\N{NO-BREAK SPACE}", " ") == "0 % to 25.0 %"


@given(st.lists(st.tuples(st.integers(0, 90), st.sampled_from(["none", "partly"])), max_size=30))
def test_a_diagram_of_many_origins_keeps_the_sums_of_each_kind(
    parts: list[tuple[int, str]],
) -> None:
    flows = [Flow("A", Decimal(amount), "", kind) for amount, kind in parts]
    drawn = largest_flows(flows, listed(0, 0, 0, 0, 0))
    assert len(drawn) <= MAX_FLOWS + 2
    for kind in ("none", "partly"):
        before, after = (
            sum(one.amount for one in each if one.kind == kind) for each in (flows, drawn)
        )
        assert before == after


def test_a_list_that_is_not_divided_has_the_name_of_its_commodity() -> None:
    assert product_name("Indium", "all") == "Indium"
    assert product_name("Gallium", "metal") == "Gallium, metal"


def test_the_largest_dependence_is_first_and_missing_numbers_are_last() -> None:
    lines = [
        reliance("tin", "70"),
        reliance("zinc", None, "NET_EXPORTER"),
        reliance("gallium", "100"),
        reliance("tungsten", "50", "MORE_THAN"),
        reliance("helium", None, "WITHHELD"),
    ]
    lists = exposure_lists(
        [
            listed(0, 0, 0, 100, 0, commodity="gallium", form="wafers", upper="0"),
            listed(18, 0, 0, 82, 0, commodity="gallium", upper="18"),
            listed(90, 0, 0, 10, 0, commodity="antimony", upper="90"),
        ]
    )
    rows = dependent_products(reliances(lines), lists)
    assert [row.name for row in rows] == [
        *("Gallium, metal", "Gallium, wafers", "Tin", "Tungsten", "Zinc", "Antimony, metal")
    ]
    assert rows[0].reliance is rows[1].reliance is not None
    assert rows[-1].reliance is None


def test_controls_are_about_processed_goods_if_no_form_is_an_ore() -> None:
    assert is_about_processed_goods([{"forms": ["METAL", "OXIDE"]}, {"forms": []}])
    assert not is_about_processed_goods([{"forms": ["METAL"]}, {"forms": ["ORE", "METAL"]}])
    assert not is_about_processed_goods([{"forms": []}])
    assert not is_about_processed_goods([])


def test_a_missing_refining_stage_is_named_with_the_shown_one() -> None:
    note = missing_stage_note("Cobalt", ["MINE"], processed_first=False)
    assert note == "No refining figures are recorded for cobalt; mine production is shown."
    assert missing_stage_note("Cobalt", ["REFINERY", "MINE"], processed_first=True) is None
    none = missing_stage_note("Gallium", [], processed_first=True)
    assert none == (
        "The controls are about processed goods. No refining figures are recorded for gallium."
    )


def test_shares_of_flows_by_weight_and_by_value_stay_apart() -> None:
    def part(name: str, weight: str | None, value: str) -> dict[str, Any]:
        return {"place": {"name": name}, "quantityPercent": weight, "valuePercent": value}

    goods = {"commodities": [{"key": "gallium", "name": "Gallium"}]}
    source = {"publisher": "cepii", "publisherName": "CEPII"}
    flow = {
        "goods": goods,
        "preferred": {"edition": "BACI 202601", "source": source},
        "parts": [part("China", None, "36.75"), part("Germany", None, "63.25")],
    }
    [row] = flow_rows([flow], "gallium")
    assert row.by_weight == ""
    shares = "Germany 63.2 % and China 36.8 %"
    assert row.by_value.replace("\N{NO-BREAK SPACE}", " ") == shares
    assert (row.goods, row.source) == ("no other commodity", "CEPII, BACI 202601")


def year(number: int, *, breaks: bool = False) -> YearMark:
    """Return a claim of a year."""
    return YearMark(number, Decimal(number), "said", "/", breaks=breaks)


def test_a_change_of_basis_breaks_a_line() -> None:
    marks = [year(2019), year(2020), year(2021, breaks=True), year(2022)]
    parts = [[mark.year for mark in part] for part in unbroken(marks)]
    assert parts == [[2019, 2020], [2021, 2022]]


def test_a_dated_mark_is_beside_the_middle_of_its_year() -> None:
    dates = [
        DatedMark(date(2021, 7, 2), "1"),
        DatedMark(date(2021, 7, 4), "2"),
        DatedMark(date(2022, 12, 31), "3"),
        DatedMark(date(2019, 1, 1), "4"),
    ]
    lines = [Line("Price", [year(2020), year(2021), year(2022)], "ink")]
    drawing = draw_lines(LineChart("a", "b", "c", "USD/t", lines, dates), WIDE)
    middle = next(one.x for one in drawing.marks if one.mark.year == 2021)
    assert abs(drawing.dates[0][0] - middle) < 1
    assert [label for _, label in drawing.dates] == ["1, 2", "", "3"], "the last is not drawn"
    assert all(0 <= x <= WIDE.width_pixels for x, _ in drawing.dates)


def test_a_chart_without_dates_begins_at_its_first_year() -> None:
    lines = [Line("Price", [year(2020), year(2022)], "ink")]
    drawing = draw_lines(LineChart("a", "b", "c", "t", lines), WIDE)
    assert [one.x for one in drawing.marks] == [0, WIDE.width_pixels]
