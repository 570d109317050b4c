"""Figure 2 of MCS 2023 to 2025: reliance in the last year, and the main import sources in order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.sources.second_reader import cells
from tests.sources.second_reader.cells import Address, Cell, Unread
from tests.sources.second_reader.names import commodity_of, place_of


def read(path: Path) -> Iterator[Cell]:
    """Yield the reliance and the ranks of every line."""
    header, *rows = cells.table(path)
    (year,), (first, last) = (map(int, re.findall(r"\d{4}", name)) for name in header[3:5])
    for line, row in enumerate(rows, 2):
        commodity = commodity_of(row[2].split(",")[0])
        number = cells.number_of(row[3], "percent")
        reliance = cells.figure("net_import_reliance", commodity, year, number, True)
        yield Address(path.name, line, 3, header[3]), reliance
        notes = row[5] if len(row) > 5 else ""
        ranks = ranks_of(commodity, (first, last), row[4], notes)
        yield Address(path.name, line, 4, header[4]), ranks


def ranks_of(
    commodity: str, years: tuple[int, int], text: str, notes: str
) -> cells.OriginList | Unread:
    """Return the places in a cell, in order. A digit after a name is the mark of a note on Hong Kong."""
    parts: list[cells.Part] = []
    for name in map(str.strip, text.split(",")):
        plain = name.rstrip("0123456789")
        place = place_of(plain)
        if place is None:
            return Unread("no place", plain)
        marked = plain != name or ("Hong Kong" in notes and plain == "China")
        parts.append((place, None, ("HK",) if marked else ()))
    return cells.OriginList("import_ranks", commodity, years, tuple(parts))
