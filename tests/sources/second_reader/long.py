"""The data release of MCS 2026: a line for a number, with its statistic and unit in words."""

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from tests.sources.second_reader import cells
from tests.sources.second_reader.cells import Address, Cell, Unread
from tests.sources.second_reader.names import commodity_of, place_of

STATISTICS = {
    **{"Import": "imports", "Export": "exports", "Consumption": "consumption", "Stock": "stocks"},
    **{"Price": "price", "Net import reliance": "net_import_reliance", "Production": "production"},
}
PRICED = {
    **{"metric ton": "1 USD/t", "ton": "1 USD/t", "kilogram": "1 USD/kg", "gram": "1 USD/g"},
    **{"10-grams": "0.1 USD/g", "25 grams": "0.04 USD/g", "50 grams": "0.02 USD/g"},
    **{"100 mililiters": "10 USD/L", "100 milliliters": "10 USD/L", "pound": "1 USD/lb"},
    **{"troy ounce": "1 USD/ozt", "carat": "1 USD/ct", "short ton": "1 USD/st"},
}
UNITS = {
    **{f"dollars per {words}": unit for words, unit in PRICED.items()},
    **{"cents per pound": "0.01 USD/lb", "million dollars": "1e6 USD", "percent": "percent"},
    **{"metric tons": "t", "thousand metric tons": "kt", "million metric tons": "Mt"},
    **{"thousand metric dry tons": "kt", "kilograms": "kg", "million carats": "Mct"},
    **{"million cubic meters": "Mm3", "million liters": "ML"},
}
"""Units in the words of the file, with the factor of cents, millions and packages."""


def read(path: Path) -> Iterator[Cell]:
    """Yield the salient statistics of single lines and the lists of import sources of several."""
    lines = list(cells.records(path, "cp1252"))
    for line, row in lines:
        if row["Section"].startswith("Salient"):
            yield Address(path.name, line, 8, "Value"), cell(row)
    sources = ((line, row) for line, row in lines if row["Section"] == "Import Sources")
    for _, listed in groupby(sources, lambda at: (at[1]["Commodity"], at[1]["Statistics_detail"])):
        numbers, listed_rows = zip(*listed, strict=True)
        yield Address(path.name, numbers[0], 8, "Value"), origins(list(listed_rows))


def cell(row: dict[str, str]) -> cells.Reading | Unread:
    """Return the figure of a line of salient statistics."""
    text, detail, notes = row["Value"], row["Statistics_detail"], row["Notes"]
    statistic = STATISTICS.get(row["Statistics"])
    if "Government stockpile" in detail:
        statistic = "stockpile_shipments"
    if statistic is None:
        return Unread("no statistic", row["Statistics"])
    commodity = commodity_of(row["Commodity"])
    unit = "USD/mtu" if "metric ton unit" in detail else UNITS.get(row["Unit"])
    if unit is None:
        return Unread("words" if not row["Unit"] else "no unit", text)
    if text == "s":  # its meaning is in the note; if that gives no bound, there is no number
        less = re.search(r"less than (½ unit|[\d,]+ (tons|carats))", notes, re.IGNORECASE)
        text = less[0] if less else "NA"
    number = cells.number_of(text, unit)
    if text == "NA" and "are included in" in notes:
        number = cells.Number(None, cells.in_base(unit)[0], "included_elsewhere")
    estimated = re.search(r"(^| -- )Estimated\b|were estimated by", notes)
    return cells.figure(statistic, commodity, int(row["Year"]), number, estimated is not None)


def origins(rows: list[dict[str, str]]) -> cells.Content:
    """Return the list of origins in consecutive lines."""
    commodity, unnamed = commodity_of(rows[0]["Commodity"]), None
    parts: list[cells.Part] = []
    for row in rows:
        number, place = cells.number_of(row["Value"], "percent"), place_of(row["Country"])
        if isinstance(number, Unread):
            return number
        if row["Country"] == "Other countries":
            unnamed = number
        elif place is None:
            return Unread("several places", row["Country"])
        else:
            parts.append((place, number, ("HK",) if "Hong Kong" in row["Notes"] else ()))
    mark = rows[0]["Notes"].startswith("Estimated")
    return cells.OriginList("import_origins", commodity, (2021, 2024), tuple(parts), unnamed, mark)
