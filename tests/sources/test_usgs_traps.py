"""The traps in the salient statistics and import sources of the USGS: the cell, and its claim or refusal.

Each number is a known trap of these files. `usgs_traps.csv` has those of single cells: an expected value was
read in the file, and is empty if the cell has no number. A line without a unit is a refusal, with its code.
"""

from collections import defaultdict
from decimal import Decimal
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from tests.sources.usgs_cells import RAW, Cell, Trap, result_at, traps
from tests.support.cases import each_case
from tracker.domain.basics.values import Quantity
from tracker.domain.figures.figure_facts import Claimed
from tracker.sources.reader import File, ReadFact, RefusedItem
from tracker.sources.readers.usgs import READER
from tracker.sources.readers.usgs.salient_terms import is_in_world_table

pytestmark = pytest.mark.skipif(not RAW.exists(), reason="../shared/data/raw is not here")
OTHERS = "other"
M26 = "MCS2026_Commodities_Data.csv"


def mcs(year: int, name: str) -> str:
    return f"salient/mcs{year}/{name}_salient.csv"


def trends(year: int, name: str) -> str:
    return f"salient/trends/MCS{year}_{name}.csv"


@each_case("trap", traps(), ids=str)
def test_a_trap_is_read_as_printed_or_refused(trap: Trap) -> None:
    result = result_at(trap.cell)
    if not trap.unit:
        assert isinstance(result, RefusedItem), result
        assert (result.code, trap.words in result.reason) == (trap.subject, True), result
        return
    assert isinstance(result, Claimed), result
    quantity = result.quantity
    assert (result.stream, quantity.unit) == (f"figure/{trap.subject}", trap.unit)
    assert quantity.value == (Decimal(trap.value) if trap.value else None)
    assert (quantity.qualifier or "") == trap.qualifier
    if trap.words:
        assert quantity.basis == trap.words


def test_every_trap_of_a_single_cell_is_in_the_table() -> None:
    elsewhere = {7, 8, *range(24, 36)}
    assert {trap.number for trap in traps()} | elsewhere == set(range(1, 39))


# --- 7, 8, 16, 18 to 20: what is not one cell


@cache
def claims(path: str) -> tuple[Claimed, ...]:
    items = READER.read(File.at(RAW / path))
    facts = (item.planned.fact for item in items if isinstance(item, ReadFact))
    return tuple(fact for fact in facts if isinstance(fact, Claimed))


def test_7_blank_rows_and_columns_are_not_cells() -> None:
    items = list(READER.read(File.at(RAW / mcs(2025, "mcs2025-asbes"))))
    assert len(items) == 25
    assert {item.at.line for item in items} == {2, 3, 4, 5, 6}


def test_8_the_last_year_of_a_wide_file_is_estimated() -> None:
    path = mcs(2025, "mcs2025-galli")
    years = {claim.series.period: claim.quantity.estimated for claim in claims(path)}
    assert years == {2020: False, 2021: False, 2022: False, 2023: False, 2024: True}


def test_8_a_note_marks_an_estimate_of_mcs_2026() -> None:
    antimony = {
        c.series.period: c.quantity.estimated
        for c in claims(M26)
        if c.series.commodity == "antimony" and c.series.statistic == "net_import_reliance"
    }
    assert antimony == {2021: False, 2022: False, 2023: False, 2024: False, 2025: True}


def test_9_nil_is_a_dash_in_mcs_2026_and_zero_before() -> None:
    [asbestos] = [c for c in claims(M26) if c.stream == "figure/asbestos/US/imports/2023"]
    assert (asbestos.quantity.value, asbestos.quantity.qualifier) == (Decimal(0), "nil")


def test_12_a_range_has_both_ends() -> None:
    [price] = [
        c
        for c in claims(mcs(2023, "mcs2023-zeoli"))
        if c.series.statistic == "price" and c.series.period == 2018
    ]
    assert (price.quantity.value, price.quantity.upper) == (Decimal(50), Decimal(300))


def test_13_the_reason_of_a_missing_number_is_in_the_note() -> None:
    [gold] = [c for c in claims(M26) if c.stream == "figure/gold/US/net_import_reliance/2025"]
    assert gold.note is not None
    assert "preclude calculation of a meaningful net import reliance" in gold.note


def test_20_the_basis_of_a_price_names_market_purity_and_terms() -> None:
    bases = {c.stream: c.quantity.basis for c in claims(M26) if c.series.period == 2021}
    assert bases["figure/antimony/US/price/metal/2021"] == (
        "metal, average; Antimony minimum 99.65%, cost, insurance, and freight"
    )
    real = bases["figure/lithium/US/price/annual_average_real_battery_grade_lithium_carbonate/2021"]
    assert real is not None
    assert real.startswith("annual average-real, battery-grade lithium carbonate")


@each_case(
    ("path", "commodity"),
    [(mcs(2025, "mcs2025-cobal"), "cobalt"), (mcs(2024, "mcs2024-zinc"), "zinc")],
)
def test_23_a_break_by_government_stocks_is_a_note(path: str, commodity: str) -> None:
    notes = {
        claim.note
        for claim in claims(path)
        if claim.series.commodity == commodity and claim.series.statistic == "net_import_reliance"
    }
    assert notes == {"Changes of Government stocks are not included from 2023 on."}


# --- 24 to 35: import sources


@cache
def origins(commodity: str, form: str) -> Claimed:
    [claim] = [
        c
        for c in claims(M26)
        if c.series.statistic == "import_origins"
        and (c.series.commodity, c.series.form) == (commodity, form)
    ]
    return claim


def shares(commodity: str, form: str) -> dict[str, str]:
    """Return the parts of a list as printed, with `other` for the unnamed part."""
    listed = origins(commodity, form).origins
    assert listed is not None
    signs = {"less_than": "<", "more_than": ">", None: ""}

    def text(quantity: Quantity | None) -> str:
        assert quantity is not None
        return f"{signs[quantity.qualifier]}{quantity.value}"

    parts = {str(part.place): text(part.quantity) for part in listed.parts}
    return parts | ({OTHERS: text(listed.unnamed)} if listed.unnamed else {})


def test_24_a_share_of_imports_and_reliance_are_separate_statistics() -> None:
    gallium = origins("gallium", "metal")
    assert gallium.quantity.basis is None
    assert gallium.stream == "figure/gallium/US/import_origins/metal/2021-2024"


@each_case(("year", "count"), [(2023, 64), (2024, 63), (2025, 64)])
def test_25_figure_2_has_ranks_without_numbers(year: int, count: int) -> None:
    ranks = [
        claim
        for claim in claims(trends(year, "Fig2_Net_Import_Reliance"))
        if claim.series.statistic == "import_ranks"
    ]
    assert len(ranks) == count
    assert {claim.quantity.qualifier for claim in ranks} == {"not_stated"}
    assert {part.quantity for claim in ranks if claim.origins for part in claim.origins.parts} == {
        None
    }


def test_26_rolling_averages_of_two_editions_are_two_series() -> None:
    streams = {
        c.stream
        for year in (2023, 2024, 2025)
        for c in claims(trends(year, "Fig2_Net_Import_Reliance"))
        if c.series.commodity == "germanium"
    }
    assert streams == {
        "figure/germanium/US/import_ranks/2018-2021",
        "figure/germanium/US/import_ranks/2019-2022",
        "figure/germanium/US/import_ranks/2020-2023",
    }


@each_case(
    ("trap", "commodity", "form", "expected"),
    [
        (27, "germanium", "germanium_metal", {"CN": "41", "BE": "27", "DE": "25", "RU": "3", OTHERS: "4"}),
        (27, "germanium", "germanium_dioxide", {"BE": "57", "CA": "37", "JP": "3", OTHERS: "3"}),
        (27, "germanium", "combined_total", {"BE": "41", "CN": "23", "CA": "17", "DE": "14", OTHERS: "5"}),
        (28, "manganese", "manganese_ore", {"GA": "64", "ZA": "24", "MX": "12", OTHERS: "<1"}),
        (28, "copper", "copper_content_of_ore_and_concentrate", {"CA": ">99", OTHERS: "<1"}),
        (29, "kyanite", "all", {"ZA": "54", "PE": "24", "FR": "18", "GB": "4"}),
        (27, "tin", "waste_and_scrap", {"CA": "91", "MX": "6", OTHERS: "3"}),
        (35, "gallium", "metal", {"CA": "28", "JP": "22", "CN": "18", "DE": "16", OTHERS: "16"}),
    ],
)  # fmt: skip
def test_a_list_has_its_parts_in_printed_order(
    trap: int, commodity: str, form: str, expected: dict[str, str]
) -> None:
    assert list(shares(commodity, form).items()) == list(expected.items())


def test_30_an_order_may_be_other_than_by_size() -> None:
    assert list(shares("tantalum", "tantalum_ores_and_concentrates").items())[1:3] == [
        ("CD", "9"),
        ("MZ", "10"),
    ]


def test_29_and_31_unnamed_and_included_places_are_those_of_the_file() -> None:
    lists = [c.origins for c in claims(M26) if c.series.statistic == "import_origins"]
    assert len(lists) == 169
    assert sum(listed.unnamed is None for listed in lists if listed) == 10
    joined = [p.place for listed in lists if listed for p in listed.parts if p.includes]
    assert (len(joined), set(joined)) == (38, {"CN"})


def test_32_a_reassigned_origin_is_reported() -> None:
    scandium = origins("scandium", "all")
    assert scandium.note is not None
    assert "Philippine in origin were reassigned to Japan" in scandium.note


def test_33_three_places_under_one_number_are_refused() -> None:
    result = result_at(Cell(M26, 6277, "Value"))
    assert isinstance(result, RefusedItem)
    assert (result.code, "China, Germany, and Russia" in result.reason) == ("SEVERAL_PLACES", True)


@each_case(
    ("commodity", "form", "measured"),
    [
        ("arsenic", "all_forms_of_arsenic", "arsenic content"),
        ("bromine", "all", "gross weight"),
        ("zinc", "waste_and_scrap", "gross weight"),
        ("yttrium", "all", "shipping records"),
        ("scandium", "all", "shipping records"),
        ("gemstones", "diamond", "value"),
        ("dimension_stone", "granite_only", "value"),
        ("gallium", "metal", "quantity"),
    ],
)
def test_34_a_list_says_how_it_is_measured(commodity: str, form: str, measured: str) -> None:
    listed = origins(commodity, form).origins
    assert listed is not None
    assert listed.measured == measured


def test_35_other_names_of_places_and_glued_marks_are_known() -> None:
    ranks = {
        c.series.commodity: c.origins
        for c in claims(trends(2025, "Fig2_Net_Import_Reliance"))
        if c.origins
    }
    assert ranks["garnet"].places == ("ZA", "AU", "IN", "CN")
    assert ranks["indium"].places == ("KR", "JP", "CA", "BE")
    assert [ranks[name].parts[-1].includes for name in ("garnet", "aluminium")] == [("HK",)] * 2


def test_a_region_is_not_an_origin() -> None:
    result = result_at(
        Cell(trends(2023, "Fig2_Net_Import_Reliance"), 13, "Major_Import_Sources_2018_2021")
    )
    assert isinstance(result, RefusedItem)
    assert (result.code, result.text) == ("UNKNOWN_PLACE", "Europe, China, Japan, Philippines")


# --- all of it


def test_no_edition_has_two_claims_on_one_series() -> None:
    paths = sorted((RAW / "salient").rglob("*.csv"))
    streams: dict[tuple[str, str], Path] = {}
    for path in paths:
        for claim in claims(str(path.relative_to(RAW))):
            key = claim.edition, claim.stream
            assert key not in streams, (key, path, streams[key])
            streams[key] = path


def test_every_value_of_a_wide_file_is_read_or_refused_once() -> None:
    for path in sorted((RAW / "salient").glob("mcs*/*.csv")):
        items = list(READER.read(File.at(path)))
        if items[0].at.line == 1:
            continue  # another table
        text = path.read_text("utf-8-sig").splitlines()
        assert max(item.at.line for item in items) <= len(text)
        cells = sum(1 for item in items if item.at.column)
        assert cells % len({item.at.line for item in items}) == 0, path


# --- the numbers are believable, so that no header has misled unnoticed

RESTATED = {
    "beryllium/US/net_import_reliance/2022",
    "cadmium/US/exports/unwrought/2022",
    "scandium/US/price/cmpds_fluoride/2023",
    "soda_ash/US/imports/2023",
    "soda_ash/US/imports/2024",
    "talc/US/net_import_reliance/2024",
    "tellurium/US/exports/2023",
    "thallium/US/exports/other/2022",
    "tin/US/exports/scrap/2022",
    "titanium_minerals/US/exports/2021",
    "vanadium/US/exports/ore/2023",
    "vanadium/US/exports/v2o5/2023",
    "vanadium/US/imports/metal/2022",
    "vanadium/US/imports/ore/2022",
}
"""Series that a later edition restates more than fivefold."""


def test_no_figure_differs_fivefold_between_editions() -> None:
    by_stream: dict[str, dict[str, Quantity]] = defaultdict(dict)
    paths = [M26, *(str(p.relative_to(RAW)) for p in sorted((RAW / "salient").rglob("*.csv")))]
    for claim in (claim for path in paths for claim in claims(path)):
        if claim.series.stage is None and claim.series.period and not claim.quantity.qualifier:
            by_stream[claim.stream][claim.edition] = claim.quantity
    differing = {
        stream
        for stream, quantities in by_stream.items()
        for before, after in pairwise(quantities[edition] for edition in sorted(quantities))
        if before.value and after.value
        for converted in [before.unit.convert(before.value, after.unit)]
        if converted is None or not Decimal("0.2") < after.value / converted < 5
    }
    assert differing == {f"figure/{series}" for series in RESTATED}


def test_the_commodities_with_production_in_tables_by_country_are_declared() -> None:
    paths = [M26, "MCS2025_World_Data.csv"]
    paths += [str(p.relative_to(RAW)) for p in sorted(RAW.glob("usgs_mcs*/*.csv"))]
    produced = {
        claim.series.commodity
        for path in paths
        for claim in claims(path)
        if (claim.series.place, claim.series.statistic) == ("US", "production")
        and "_salient" not in str(claim.source.reference)
    }
    salient = {"ferrous_scrap", "thallium", "thorium", "yttrium"}
    assert {c for c in produced - salient if not is_in_world_table(c)} == set()
