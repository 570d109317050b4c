"""The data release of MCS 2026: a line for a number, with its statistic and unit in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from tests.sources.second_reader.cells import (
    Address,
    Cell,
    OriginList,
    Part,
    Reading,
    Unread,
    figure,
    number_of,
    records,
)
from tests.sources.second_reader.names import commodity_of, place_of

VALUE = 8, "Value"
"""The number of the column, and its header."""

STATISTICS = {
    "Import": "imports",
    "Export": "exports",
    "Consumption": "consumption",
    "Stock": "stocks",
    "Price": "price",
    "Net import reliance": "net_import_reliance",
    "Production": "production",
}

UNITS = {
    "metric tons": ("t", "1"),
    "thousand metric tons": ("kt", "1"),
    "thousand metric dry tons": ("kt", "1"),
    "million metric tons": ("Mt", "1"),
    "kilograms": ("kg", "1"),
    "million carats": ("Mct", "1"),
    "million cubic meters": ("Mm3", "1"),
    "million liters": ("ML", "1"),
    "million dollars": ("USD", "1e6"),
    "percent": ("percent", "1"),
    "dollars per metric ton": ("USD/t", "1"),
    "dollars per ton": ("USD/t", "1"),
    "dollars per kilogram": ("USD/kg", "1"),
    "dollars per gram": ("USD/g", "1"),
    "dollars per 10-grams": ("USD/g", "0.1"),
    "dollars per 25 grams": ("USD/g", "0.04"),
    "dollars per 50 grams": ("USD/g", "0.02"),
    "dollars per 100 mililiters": ("USD/L", "10"),
    "dollars per 100 milliliters": ("USD/L", "10"),
    "dollars per pound": ("USD/lb", "1"),
    "cents per pound": ("USD/lb", "0.01"),
    "dollars per troy ounce": ("USD/ozt", "1"),
    "dollars per carat": ("USD/ct", "1"),
    "dollars per short ton": ("USD/st", "1"),
    "dollars per dry metric ton unit": ("USD/mtu", "1"),
}
"""Units in the words of the file, with the factor of cents, millions and packages."""

Row = dict[str, str]


def read(path: Path) -> Iterator[Cell]:
    """Yield the salient statistics of single lines and the lists of import sources of several."""
    lines = list(records(path, "cp1252"))
    for line, row in lines:
        if row["Section"].startswith("Salient"):
            yield Address(path.name, line, *VALUE), cell(row)
    sources = ((line, row) for line, row in lines if row["Section"] == "Import Sources")
    for _, listed in groupby(sources, lambda at: (at[1]["Commodity"], at[1]["Statistics_detail"])):
        (first, row), *rest = listed
        yield Address(path.name, first, *VALUE), origins([row, *(other for _, other in rest)])


def cell(row: Row) -> Reading | Unread:
    """Return the figure of a line of salient statistics."""
    text, detail, notes = row["Value"], row["Statistics_detail"], row["Notes"]
    statistic = STATISTICS.get(row["Statistics"])
    if "Government stockpile" in detail:
        statistic = "stockpile_shipments"
    if statistic is None:
        return Unread("no statistic", row["Statistics"])
    commodity = commodity_of(row["Commodity"])
    if commodity is None:
        return Unread("no commodity", row["Commodity"])
    unit = ("USD/mtu", "1") if "metric ton unit" in detail else UNITS.get(row["Unit"])
    if unit is None:
        return Unread("words" if not row["Unit"] else "no unit", text)
    if text == "s":  # its meaning is in the note
        less = re.search(r"less than (½ unit|[\d,]+ (tons|carats))", notes, re.IGNORECASE)
        text = less[0] if less else "no meaningful number"
    number = number_of(text, *unit)
    return figure(statistic, commodity, int(row["Year"]), number, notes.startswith("Estimated."))


def origins(rows: list[Row]) -> OriginList | Unread:
    """Return the list of origins in consecutive lines."""
    commodity = commodity_of(rows[0]["Commodity"])
    if commodity is None:
        return Unread("no commodity", rows[0]["Commodity"])
    parts, unnamed = [], None
    for row in rows:
        number, place = number_of(row["Value"], "percent"), place_of(row["Country"])
        if isinstance(number, Unread):
            return number
        if row["Country"] == "Other countries":
            unnamed = number
        elif place is None:
            return Unread("several places", row["Country"])
        else:
            parts.append(Part(place, number, ("HK",) if "Hong Kong" in row["Notes"] else ()))
    return OriginList("import_origins", commodity, (2021, 2024), tuple(parts), unnamed)
