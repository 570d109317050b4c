"""The second reader by itself: the files, their totals, their neighbours and the printed chapters agree."""

import csv
import hashlib
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.sources.product_readings import RAW
from tests.sources.second_reader import flows, long, wide
from tests.sources.second_reader.cells import Cell, OriginList, Reading, Unread

SALIENT = RAW / "salient"
EDITIONS = (2022, 2023, 2024, 2025)
pytestmark = pytest.mark.skipif(not SALIENT.exists(), reason="../shared/data/raw is not here")

PUBLISHER_DIFFERS = {
    (2023, "peat"): "82",
    (2023, "chromium"): "80",
    (2024, "dimension_stone"): "87",
    (2025, "potash"): "93",
}
"""Reliance in figure 2 where the chapter of the edition has another number (trap 36)."""

GRANITE = "Granite_NIR_pct"
"""The header of a part of dimension stone, which figure 2 does not have."""

NO_CHAPTER = {
    *((edition, commodity) for edition in EDITIONS for commodity in ("caesium", "rubidium")),
    (2023, "dimension_stone"),
    (2024, "cobalt"),
}
"""Reliance in figure 2 without a file of salient statistics in the copy."""


def wide_cells(edition: int) -> Iterator[Cell]:
    for path in sorted((SALIENT / f"mcs{edition}").glob("*.csv")):
        yield from wide.read(path)


def figure_2(edition: int) -> list[Cell]:
    return list(
        wide.read_figure_2(SALIENT / "trends" / f"MCS{edition}_Fig2_Net_Import_Reliance.csv")
    )


def long_cells() -> list[Cell]:
    return list(long.read(RAW / "MCS2026_Commodities_Data.csv"))


def test_every_file_is_the_one_in_the_manifest() -> None:
    with (SALIENT / "MANIFEST.tsv").open() as manifest:
        digests = {row[0]: row[-1] for row in csv.reader(manifest, delimiter="\t")}
    read = [*SALIENT.glob("mcs*/*.csv"), *SALIENT.glob("trends/*Fig2*.csv")]
    assert len(read) == 12 + 83 + 85 + 85 + 3
    for path in read:
        name = path.relative_to(SALIENT).as_posix()
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digests[name], name


@pytest.mark.parametrize("edition", [2023, 2024, 2025])
def test_reliance_of_figure_2_is_that_of_the_chapter(edition: int) -> None:
    chapters: dict[tuple[str, int], set[tuple[Decimal | None, str | None]]] = defaultdict(set)
    for address, cell in wide_cells(edition):
        if address.header == GRANITE or not isinstance(cell, Reading):
            continue
        if cell.statistic == "net_import_reliance":
            number = cell.number
            chapters[cell.commodity, cell.years[0]].add((number.value, number.qualifier))
    for _, cell in figure_2(edition):
        if isinstance(cell, Reading) and (edition, cell.commodity) not in NO_CHAPTER:
            number = cell.number
            same = (number.value, number.qualifier) in chapters[cell.commodity, cell.years[0]]
            other = PUBLISHER_DIFFERS.get((edition, cell.commodity))
            assert same or str(number.value) == other, cell


def test_no_reliance_is_negative_or_above_the_whole() -> None:
    for edition in EDITIONS:
        for _, cell in wide_cells(edition):
            if isinstance(cell, Reading) and cell.statistic == "net_import_reliance":
                value = cell.number.value
                assert cell.number.unit == "percent"
                assert value is None or 0 <= value <= 100


def test_lists_of_import_sources_sum_to_the_whole() -> None:
    lists = [cell for _, cell in long_cells() if isinstance(cell, OriginList)]
    assert len(lists) == 169
    for origins in lists:
        low, high = sum_of(origins)
        assert low <= 100 <= high, origins


def sum_of(origins: OriginList) -> tuple[Decimal, Decimal]:
    """Return the least and the greatest sum of the parts of a list in percent."""
    low, high = Decimal(0), Decimal(0)
    for number in [*(number for _, number, _ in origins.parts), origins.unnamed]:
        if number is not None and number.value is not None:
            low += 0 if number.qualifier == "less_than" else number.value
            high += 100 if number.qualifier == "more_than" else number.value
    return low, high


def test_a_list_of_several_places_under_one_number_is_not_read() -> None:
    unread = [
        cell.text
        for _, cell in long_cells()
        if isinstance(cell, Unread) and cell.reason == "several places"
    ]
    assert unread == ["China, Germany, and Russia"]


def test_a_printed_chapter_agrees_with_its_data_file() -> None:
    """Rare earths in MCS 2025, page 144: `Compounds and metals 100 >95 >95 >95 80`."""
    (path,) = (SALIENT / "mcs2025").glob("*rareee*")
    printed = (SALIENT / "text" / "mcs2025-rare-earths.import-sources.txt").read_text()
    signs = {None: "", "more_than": ">"}
    read = [
        f"{signs[cell.number.qualifier]}{cell.number.value}"
        for address, cell in wide.read(path)
        if isinstance(cell, Reading) and address.header == "NIR_Compounds-Metals_t"
    ]
    assert f"Compounds and metals {' '.join(read)}" in printed


def test_named_places_and_the_rest_of_the_world_are_the_total() -> None:
    sums: dict[tuple[str, str, int], Decimal] = defaultdict(Decimal)
    for supply in flows.supplies(RAW / "iea" / "iea-supply-2025.csv"):
        sign = -1 if supply.place == "WORLD" else 1
        sums[supply.commodity, supply.stage, supply.year] += sign * supply.value
    assert len(sums) == 6 * 2 * 4
    assert all(abs(difference) < Decimal("1e-9") for difference in sums.values())


@pytest.mark.parametrize(("code", "tonnes"), [("811010", "4696.485"), ("740311", "892255.778")])
def test_imports_of_the_united_states_are_near_the_usgs_figure(code: str, tonnes: str) -> None:
    """Antimony metal (USGS: 4,920 t) and refined copper (903 kt) in 2024."""
    read = flows.flows(RAW / "baci" / "baci_hs17_v202601_2024.csv")[code, "US", 2024]
    assert sum((flow.quantity or Decimal(0) for flow in read), Decimal(0)) == Decimal(tonnes)
