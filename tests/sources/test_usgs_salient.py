"""Salient statistics and import sources in files as the USGS writes them, made here."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.cli.imports import resolve_reader
from tests.support.cases import each_case
from tracker.domain.figures.figure_facts import Claimed
from tracker.sources.reader import File, Item, ReadFact, RefusedItem
from tracker.sources.readers.usgs import READER
from tracker.sources.readers.usgs.salient_terms import MAX_FORM_CHARACTERS, form_slug

COLUMNS = (
    "MCS chapter,Section,Commodity,Country,Statistics,Statistics_detail,Unit,Year,Value,Notes,"
    "Is critical mineral 2025,Other notes"
)
SALIENT = "Salient Statistics\u2014United States"


def wide(directory: Path, header: str, *rows: str, name: str = "mcs2025-cobal") -> list[Item]:
    path = directory / f"{name}_salient.csv"
    path.write_text("\n".join([f"DataSource,Commodity,Year,{header}", *rows]) + "\n")
    return read(path)


def listed(directory: Path, parts: dict[str, str], detail: str = "Metal") -> list[Item]:
    """Return the items of one list of import sources."""
    start = "GALLIUM,Import Sources,Gallium"
    rows = [
        f"{start},{place},,{detail},percent,2021\u201324,{share},,,"
        for place, share in parts.items()
    ]
    return long(directory, rows)


def long(directory: Path, rows: list[str]) -> list[Item]:
    path = directory / "MCS2026_Commodities_Data.csv"
    path.write_text("\n".join([COLUMNS, *rows]) + "\n", encoding="utf-8")
    return read(path)


def read(path: Path) -> list[Item]:
    file = File.at(path)
    assert READER.recognise(file.head(), file.name)
    return list(READER.read(file))


def claim_of(item: Item) -> Claimed:
    assert isinstance(item, ReadFact), item
    assert isinstance(item.planned.fact, Claimed)
    return item.planned.fact


def refusal_of(item: Item) -> tuple[str, str]:
    assert isinstance(item, RefusedItem), item
    return item.code, item.reason


# --- wide files


def test_a_header_names_statistic_product_and_unit(tmp_path: Path) -> None:
    [item] = wide(tmp_path, "Imports_Matte_kt", "MCS2025,Cobalt,2024,12")
    claim = claim_of(item)
    assert claim.stream == "figure/cobalt/US/imports/matte/2024"
    assert (claim.quantity.value, claim.quantity.unit) == (Decimal(12), "kt")
    assert claim.quantity.estimated
    assert claim.source.reference == (
        "mcs2025-cobal_salient.csv, line 2, Imports_Matte_kt, doi 10.5066/P13XCP3R"
    )


@pytest.mark.parametrize(
    ("header", "code", "reason"),
    [
        ("Imports_Matte_lots", "NOT_UNDERSTOOD", "'lots' is not a unit of figures"),
        ("Employment_num", "NOT_FOLLOWED", "no statistic that the tracker has"),
        ("Shipments_kt", "NOT_FOLLOWED", "no statistic that the tracker has"),
        ("USprod_Mine_t", "IN_WORLD_TABLE", "read from the table by country"),
    ],
)
def test_a_column_that_cannot_be_read_is_refused_cell_by_cell(
    tmp_path: Path, header: str, code: str, reason: str
) -> None:
    items = wide(tmp_path, header, "MCS2025,Cobalt,2023,1", "MCS2025,Cobalt,2024,2")
    assert [refusal_of(item)[0] for item in items] == [code, code]
    assert reason in refusal_of(items[0])[1]


def test_an_unknown_chapter_is_refused_with_its_name(tmp_path: Path) -> None:
    [item] = wide(tmp_path, "Imports_t", "MCS2025,Unobtainium,2024,1")
    assert refusal_of(item) == ("UNKNOWN_COMMODITY", "unknown commodity 'Unobtainium'")


def test_cents_and_million_dollars_become_dollars(tmp_path: Path) -> None:
    first, second = wide(tmp_path, "Price_LME_ctslb,Imports_mdol", "MCS2025,Cobalt,2024,432.5,1.25")
    price, imports = claim_of(first).quantity, claim_of(second).quantity
    assert (price.value, price.unit) == (Decimal("4.325"), "USD/lb")
    assert (imports.value, imports.unit) == (Decimal(1_250_000), "USD")


@pytest.mark.parametrize(
    ("chapter", "header", "series"),
    [
        (
            "Platinum-Group Metals",
            "Consump_Palladium_kg",
            "palladium/US/consumption/apparent_palladium",
        ),
        ("Platinum-Group Metals", "Imports_Rhodium_kg", "rhodium/US/imports"),
        ("Rare Earths", "Price_TbO2_dkg", "terbium/US/price/terbium_oxide"),
        ("Rare Earths", "Price_Mischmetal_dkg", "rare_earths/US/price/mischmetal"),
        ("Zirconium and Hafnium", "Exports_Hf_wrought_t", "hafnium/US/exports/hafnium_wrought"),
        ("Zirconium and Hafnium", "Exports_Zr_wrought_t", "zirconium/US/exports/zr_wrought"),
    ],
)
def test_an_element_in_a_header_is_the_commodity(
    tmp_path: Path, chapter: str, header: str, series: str
) -> None:
    [item] = wide(tmp_path, header, f"MCS2025,{chapter},2024,12")
    assert claim_of(item).stream == f"figure/{series}/2024"


def test_columns_of_one_name_have_their_number(tmp_path: Path) -> None:
    items = wide(tmp_path, "Imports_t,Imports_t,Exports_t", "MCS2025,Cobalt,2024,1,2,3")
    columns = ["Imports_t (column 4)", "Imports_t (column 5)", "Exports_t"]
    assert [item.at.column for item in items] == columns
    for item, column in zip(items, columns, strict=True):
        assert f"line 2, {column}, doi" in str(claim_of(item).source.reference)


@given(st.sampled_from(("0", "0.0", "0.00")))
def test_a_price_of_0_is_a_mistake(tmp_path_factory: pytest.TempPathFactory, price: str) -> None:
    [item] = wide(tmp_path_factory.mktemp("price"), "Price_dt", f"MCS2025,Cobalt,2024,{price}")
    assert refusal_of(item)[0] == "KNOWN_MISTAKE"


def test_a_negative_reliance_is_a_footnote_mark(tmp_path: Path) -> None:
    [item] = wide(tmp_path, "NIR_pct", "MCS2025,Cobalt,2024,-4")
    assert refusal_of(item)[0] == "KNOWN_MISTAKE"


def test_reliance_above_the_whole_is_refused(tmp_path: Path) -> None:
    [item] = wide(tmp_path, "NIR_pct", "MCS2025,Cobalt,2024,240")
    assert isinstance(item, RefusedItem)


# --- notes of the long table


@pytest.mark.parametrize(
    ("year", "note", "estimated"),
    [
        (2022, "Estimated to be equal to imports for 2021\u201322 and 2024\u201325.", True),
        (2023, "Estimated to be equal to imports for 2021\u201322 and 2024\u201325.", False),
        (2023, "Estimated from imports for 2022-24.", True),
        (2023, "In 2023, consumption was estimated to be equal to imports of metal.", True),
        (2022, "In 2023, consumption was estimated to be equal to imports of metal.", False),
        (2023, "Estimated data have been rounded to two significant digits.", False),
        (2023, "Estimated. -- Estimated data have been rounded to two digits.", True),
    ],
)
def test_a_note_marks_the_estimates_of_its_years(
    tmp_path: Path, year: int, note: str, estimated: bool
) -> None:
    row = f'COBALT,{SALIENT},Cobalt,United States,Consumption,"Consumption, reported",metric tons'
    [item] = long(tmp_path, [f'{row},{year},13,"{note}",,'])
    assert claim_of(item).quantity.estimated is estimated


# --- import sources


def test_a_list_is_one_claim(tmp_path: Path) -> None:
    [item] = listed(tmp_path, {"Canada": "60", "China": "<1", "Other countries": "40"})
    claim = claim_of(item)
    assert claim.stream == "figure/gallium/US/import_origins/metal/2021-2024"
    assert claim.source.reference == "MCS2026_Commodities_Data.csv, lines 2-4, Value"
    assert str(claim.source.published_on) == "2026-02-06"
    assert claim.origins is not None
    assert claim.origins.places == ("CA", "CN")


def test_a_list_that_does_not_sum_is_refused_row_by_row(tmp_path: Path) -> None:
    items = listed(tmp_path, {"Canada": "60", "China": "20", "Other countries": "10"})
    assert [refusal_of(item)[0] for item in items] == ["PARTS_DO_NOT_SUM"] * 3


def test_an_unknown_place_refuses_the_list(tmp_path: Path) -> None:
    items = listed(tmp_path, {"Atlantis": "60", "Other countries": "40"})
    assert {refusal_of(item) for item in items} == {("UNKNOWN_PLACE", "unknown country 'Atlantis'")}


def test_lists_of_two_products_stay_apart(tmp_path: Path) -> None:
    rows = [
        f"X,Import Sources,Germanium,China,,{detail},percent,2021\u201324,100,,,"
        for detail in ("Germanium metal", "Germanium dioxide (Ge content)")
    ]
    streams = [claim_of(item).stream for item in long(tmp_path, rows)]
    assert streams == [
        "figure/germanium/US/import_origins/germanium_metal/2021-2024",
        "figure/germanium/US/import_origins/germanium_dioxide/2021-2024",
    ]


def test_an_unknown_statistic_of_the_long_table_is_refused(tmp_path: Path) -> None:
    [item] = long(tmp_path, [f"COBALT,{SALIENT},Cobalt,United States,Weather,Rain,t,2024,1,,,"])
    assert refusal_of(item) == ("NOT_FOLLOWED", "Weather is not followed")


# --- names of files and products


def test_a_file_name_without_the_commodity_says_how_to_name_it(tmp_path: Path) -> None:
    path = tmp_path / "mcs2024_download.csv"
    path.write_text("Source,Country,Type,Prod_t_2022\nMCS2024,Chile,Mine production,5\n")
    assert refusal_of(read(path)[0])[1] == (
        "the commodity is read from the file name mcs2022-NAME_world.csv; use --set commodity=NAME"
    )
    reader = resolve_reader(None, [], ["commodity=cobalt"], None, [str(path)])
    assert reader is not None
    [item] = reader.read(File.at(path))
    assert claim_of(item).stream == "figure/cobalt/CL/production/mine/2022"


@given(st.text(max_size=200))
def test_the_slug_of_a_product_is_a_form_or_none(words: str) -> None:
    form = form_slug(words)
    if form is not None:
        assert 0 < len(form) <= MAX_FORM_CHARACTERS
        assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", form)


@each_case(
    ("words", "form"),
    [
        ("Unwrought metal and powder", "unwrought_metal_and_powder"),
        ("Germanium dioxide (Ge content)", "germanium_dioxide"),
        ("Waste and scrap (gross weight)", "waste_and_scrap"),
        ("Chromite (ores and concentrates)", "chromite_ores_and_concentrates"),
        ("Fuller\u2019s earth", "fullers_earth"),
        ("", None),
    ],
)
def test_a_slug_leaves_out_remarks_on_weight(words: str, form: str | None) -> None:
    assert form_slug(words) == form
