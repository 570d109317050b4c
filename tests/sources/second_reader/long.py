"""The data release of MCS 2026: a line for a number, with its statistic and unit in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby
from pathlib import Path

from tests.sources.second_reader.cells import (
    Address,
    Cell,
    Number,
    OriginList,
    Part,
    Reading,
    Unread,
    estimated,
    figure,
    number_of,
    records,
)
from tests.sources.second_reader.names import commodity_of, place_of

VALUE = 8
"""The number of the column `Value`."""

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
    "million dollars": ("USD", "1000000"),
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

Line = tuple[int, dict[str, str]]


def read(path: Path) -> Iterator[Cell]:
    """Yield the salient statistics of single lines and the lists of import sources of several."""
    lines = list(records(path, "cp1252"))
    for number, row in lines:
        if row["Section"].startswith("Salient"):
            yield Address(path.name, number, VALUE, "Value"), cell(row)
    sources = (line for line in lines if line[1]["Section"] == "Import Sources")
    for _, group in groupby(sources, list_key):
        listed = list(group)
        yield Address(path.name, listed[0][0], VALUE, "Value"), origins(listed)


def list_key(line: Line) -> tuple[str, ...]:
    """Return the fields that the lines of a list have in common."""
    fields = ("MCS chapter", "Commodity", "Statistics_detail", "Year")
    return tuple(line[1][field] for field in fields)


def cell(row: dict[str, str]) -> Reading | Unread:
    """Return the figure of a line of salient statistics."""
    text, detail = row["Value"], row["Statistics_detail"]
    statistic = STATISTICS.get(row["Statistics"])
    if "Government stockpile" in detail:
        statistic = "stockpile_shipments"
    if statistic is None:
        return Unread("no statistic", row["Statistics"])
    commodity = commodity_of(row["Commodity"])
    if commodity is None:
        return Unread("no commodity", row["Commodity"])
    unit, scale = UNITS.get(row["Unit"], ("", "1"))
    if "metric ton unit" in detail:
        unit = "USD/mtu"
    if not unit:
        return Unread("words" if not row["Unit"] else "no unit", text)
    number = small(row["Notes"]) if text == "s" else text
    read = number_of(number, unit, scale=Decimal(scale))
    if isinstance(read, Unread):
        return read
    year = int(row["Year"])
    read = estimated(read, row["Notes"].startswith("Estimated."))
    return figure(Reading(statistic, commodity, (year, year), read))


def small(notes: str) -> str:
    """Return the meaning of the sign `s`, as its note says."""
    less = re.search(r"less than (½ unit|[\d,]+ (tons|carats))", notes, re.IGNORECASE)
    return less[0] if less else "no meaningful number"


def origins(lines: list[Line]) -> OriginList | Unread:
    """Return the list of origins in consecutive lines."""
    first = lines[0][1]
    commodity = commodity_of(first["Commodity"])
    if commodity is None:
        return Unread("no commodity", first["Commodity"])
    parts, unnamed = [], None
    for _, row in lines:
        number = number_of(row["Value"], "percent")
        if isinstance(number, Unread):
            return number
        number = estimated(number, row["Notes"].startswith("Estimated"))
        if row["Country"] == "Other countries":
            unnamed = number
            continue
        place = place_of(row["Country"])
        if place is None:
            return Unread("several places", row["Country"])
        parts.append(Part(place, number, ("HK",) if "Hong Kong" in row["Notes"] else ()))
    return OriginList("import_origins", commodity, (2021, 2024), tuple(parts), unnamed)


def total(origins: OriginList) -> tuple[Decimal, Decimal]:
    """Return the least and the greatest sum of the parts of a list in percent."""
    numbers = [part.number for part in origins.parts if part.number]
    numbers += [origins.unnamed] if origins.unnamed else []
    bounds = [bounds_of(number) for number in numbers]
    return sum((low for low, _ in bounds), Decimal(0)), sum(
        (high for _, high in bounds), Decimal(0)
    )


def bounds_of(number: Number) -> tuple[Decimal, Decimal]:
    """Return the least and the greatest share that a number allows."""
    value = number.value if number.value is not None else Decimal(0)
    least = Decimal(0) if number.qualifier == "less_than" else value
    return least, Decimal(100) if number.qualifier == "more_than" else value
