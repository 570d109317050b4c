"""The product reads every cell as a second reader does, and ships the numbers of the files."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.sources.product_readings import RAW, items, shipped
from tests.sources.second_reader import long, wide
from tests.sources.second_reader.cells import (
    Address,
    Cell,
    Content,
    Number,
    OriginList,
    Reading,
    Unread,
    in_base,
)
from tracker.domain.basics.codec import decode
from tracker.domain.basics.values import Quantity
from tracker.domain.basics.vocabulary import Statistic
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.figures.figure_facts import Claimed
from tracker.sources.reader import Item, ReadFact, RefusedItem

SALIENT = RAW / "salient"
LONG = RAW / "MCS2026_Commodities_Data.csv"
pytestmark = pytest.mark.skipif(not SALIENT.exists(), reason="../shared/data/raw is not here")

EDITIONS = {
    "MCS 2022": "mcs2022/*.csv",
    "MCS 2023": "mcs2023/*.csv",
    "MCS 2024": "mcs2024/*.csv",
    "MCS 2025": "mcs2025/*.csv",
    "figure 2": "trends/*Fig2*.csv",
}
IN_TABLES_BY_COUNTRY = {Statistic.PRODUCTION, Statistic.CAPACITY, Statistic.RESERVES}
"""Statistics of other parts of the files, which the second reader does not read."""

REFUSED_BY_THE_PRODUCT = {
    ("production", "IN_WORLD_TABLE"): "the table by country has the production of the commodity",
    ("production", "NOT_FOLLOWED"): "no stage of the supply chain: recycling, receipts, sales",
    ("price", "REPEATED"): "the same price in another unit",
    ("net_import_reliance", "IN_CHAPTER"): "figure 2 repeats the number of the chapter",
}
"""Cells that the second reader reads and the product refuses: statistic, code, and why it may."""

KNOWN_MISTAKES = {
    *(
        (f"mcs2024-{chapter}_salient.csv", line, column)
        for chapter, column in (
            ("arsen", "Price_Mtl_US_dkg"),
            ("chrom", "CASE STATEMENT ERRORFerrrochromium_dlb"),
            ("chrom", "CASE STATEMENT ERRORMetal_dlb"),
            ("fepig", "Price_dkg"),
            ("mercu", "Price_Imports_df"),
        )
        for line in range(2, 7)
    ),
    ("MCS2023_Fig2_Net_Import_Reliance.csv", 26, "Net_Import_Reliance_pct_2022"),
    ("MCS2023_Fig2_Net_Import_Reliance.csv", 29, "Net_Import_Reliance_pct_2022"),
    ("MCS2024_Fig2_Net_Import_Reliance.csv", 24, "Net_Import_Reliance_pct_2023"),
    ("MCS2025_Fig2_Net_Import_Reliance.csv", 21, "Net_Import_Reliance_pct_2024"),
}
"""Cells that the product refuses as mistakes of the publisher: prices in whole dollars or a doubtful unit,
and reliance in figure 2 that differs from the chapter (peat, chromium, dimension stone, potash)."""

FILED_ELSEWHERE = {
    "abrasives": {"fused_alumina", "silicon_carbide"},
    "silicon": {"silicon_metal", "ferrosilicon"},
}
"""Commodities of a chapter whose products the product files under a narrower commodity."""

Key = tuple[int, str]
"""Line and column of a cell."""


class Difference(NamedTuple):
    """A field of a cell that both readers read differently."""

    file: str
    line: int
    column: str
    field: str
    second: object
    product: object


@cache
def cells(path: Path) -> dict[Key, Content]:
    """Return the cells of a file by line and column, without empty ones.

    A column has its number if it has no name, or if several have the name.
    """
    read = list(second_reading(path))
    columns = {(address.header, address.column) for address, _ in read}
    named = Counter(header for header, _ in columns)

    def column_of(address: Address) -> str:
        number = f"column {address.column + 1}"
        if not address.header:
            return number
        return f"{address.header} ({number})" if named[address.header] > 1 else address.header

    return {
        (address.line, column_of(address)): cell
        for address, cell in read
        if not isinstance(cell, Unread) or cell.reason not in ("empty", "other table")
    }


def second_reading(path: Path) -> Iterator[Cell]:
    if path == LONG:
        return long.read(path)
    return wide.read_figure_2(path) if "Fig2" in path.name else wide.read(path)


def compare(path: Path) -> Iterator[Difference]:
    """Yield the differences between the readers in a file. Raises AssertionError for cells of one alone."""
    by_cell: dict[Key, list[Item]] = defaultdict(list)
    for item in items(path):
        by_cell[item.at.line, item.at.column or ""].append(item)
    for key, cell in cells(path).items():
        [item] = by_cell.pop(key, [])
        if isinstance(item, RefusedItem) and (path.name, *key) in KNOWN_MISTAKES:
            continue
        for field, second, product in differences(cell, item):
            yield Difference(path.name, *key, field, second, product)
    for item in chain.from_iterable(by_cell.values()):
        if isinstance(item, ReadFact):
            assert isinstance(item.planned.fact, Claimed)
            assert item.planned.fact.series.statistic in IN_TABLES_BY_COUNTRY, item


def differences(cell: Content, item: Item) -> Iterator[tuple[str, object, object]]:
    """Yield the field, the second reader's and the product's reading, for each that differs."""
    if isinstance(item, RefusedItem):
        refused = isinstance(cell, Unread) or (cell.statistic, item.code) in REFUSED_BY_THE_PRODUCT
        if not refused:
            yield "refused", cell, item
        return
    assert isinstance(item.planned.fact, Claimed)
    if isinstance(cell, Unread):
        yield "read", cell, item.planned.fact
        return
    yield from differing_fields(cell, item.planned.fact)


def differing_fields(
    cell: Reading | OriginList, claim: Claimed
) -> Iterator[tuple[str, object, object]]:
    """Yield the fields of a figure that differ from those of a claim."""
    series = claim.series
    pairs: dict[str, tuple[object, object]] = {
        "place": ("US", series.place),
        "statistic": (cell.statistic, series.statistic),
        "years": (cell.years, (series.period, series.until or series.period)),
        "commodity": (filed(cell.commodity, claim), series.commodity),
        "estimated": (cell.estimated, claim.quantity.estimated),
    }
    if isinstance(cell, Reading):
        pairs["number"] = rounded(cell.number), number_in(claim.quantity)
    else:
        assert claim.origins is not None
        parts = [
            (part.place, part.quantity and number_in(part.quantity), part.includes)
            for part in claim.origins.parts
        ]
        pairs["parts"] = (
            [(place, number and rounded(number), more) for place, number, more in cell.parts],
            parts,
        )
        unnamed = claim.origins.unnamed
        pairs["unnamed"] = cell.unnamed and rounded(cell.unnamed), unnamed and number_in(unnamed)
    for field, (second, product) in pairs.items():
        if second != product:
            yield field, second, product


def filed(commodity: str, claim: Claimed) -> Commodity | str:
    """Return the commodity under which the product may file the cell of a commodity."""
    filed = claim.series.commodity
    return filed if filed in FILED_ELSEWHERE.get(commodity, ()) else commodity


def number_in(quantity: Quantity) -> Number:
    """Return a quantity of the product in its base unit."""
    unit, factor = in_base(quantity.unit)
    value, upper = (number and number * factor for number in (quantity.value, quantity.upper))
    qualifier = None if quantity.qualifier is None else str(quantity.qualifier)
    return rounded(Number(value, unit, qualifier, upper))


def rounded(number: Number) -> Number:
    """Return a number without the last digits, which depend on the order of multiplications."""
    value, upper = (
        None if digits is None else Decimal(f"{digits:.15g}")
        for digits in (number.value, number.upper)
    )
    return Number(value, number.unit, number.qualifier, upper)


def all_files() -> list[Path]:
    return [LONG, *(path for pattern in EDITIONS.values() for path in SALIENT.glob(pattern))]


@pytest.mark.parametrize("edition", [*EDITIONS, "MCS 2026"])
def test_salient_statistics_agree_on_every_cell(edition: str) -> None:
    paths = sorted(SALIENT.glob(EDITIONS[edition])) if edition in EDITIONS else [LONG]
    assert [item for path in paths for item in compare(path)] == []


def test_every_claim_names_its_file_line_and_column() -> None:
    for path in all_files():
        for item in items(path):
            if isinstance(item, ReadFact) and (item.at.line, item.at.column) in cells(path):
                assert cited(str(item.planned.fact.source.reference)) == (
                    path.name,
                    item.at.line,
                    item.at.column,
                )


def cited(reference: str) -> tuple[str, int, str]:
    """Return the file, first line and column of a reference such as `a.csv, line 2, NIR_pct, doi …`."""
    match = re.fullmatch(r"(\S+\.csv), lines? (\d+)(?:-\d+)?, (.+?)(?:, doi \S+)?", reference)
    assert match is not None, reference
    return match[1], int(match[2]), match[3]


def test_every_shipped_figure_of_dependence_has_the_number_of_its_cell() -> None:
    paths = {path.name: path for path in all_files()}
    claims = [claim for claim in shipped("Figure.Claimed") if is_of_dependence(claim)]
    assert claims
    for data in claims:
        claim = decode(Claimed, json.dumps(data).encode())
        file, line, column = cited(data["source"]["reference"])
        cell = cells(paths[file])[line, column]
        assert not isinstance(cell, Unread), data
        assert list(differing_fields(cell, claim)) == [], data


def is_of_dependence(claim: dict[str, Any]) -> bool:
    """Return whether a claim of the corpus is a new one of the USGS."""
    statistic = claim["series"]["statistic"]
    return claim["source"]["publisher"] == "usgs" and statistic not in IN_TABLES_BY_COUNTRY
