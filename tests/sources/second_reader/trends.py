"""Figure 2 of MCS 2023 to 2025: reliance in the last year, and the main import sources in order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.sources.second_reader.cells import (
    Address,
    Cell,
    OriginList,
    Part,
    Reading,
    Unread,
    estimated,
    figure,
    number_of,
    table,
)
from tests.sources.second_reader.names import commodity_of, place_of

RELIANCE, SOURCES = 3, 4
"""The numbers of the columns of reliance and import sources."""


def read(path: Path) -> Iterator[Cell]:
    """Yield the reliance and the ranks of every line."""
    header, *rows = table(path)
    year = int(header[RELIANCE][-4:])
    first, last = (int(text) for text in re.findall(r"\d{4}", header[SOURCES]))
    for line, row in enumerate(rows, 2):
        commodity = commodity_in(row[2])
        address = Address(path.name, line, RELIANCE, header[RELIANCE])
        yield address, reliance(commodity, year, row[RELIANCE])
        notes = row[5] if len(row) > 5 else ""
        address = Address(path.name, line, SOURCES, header[SOURCES])
        yield address, ranks(commodity, (first, last), row[SOURCES], notes)


def commodity_in(text: str) -> str:
    """Return the commodity of a name such as `TITANIUM, sponge`."""
    name = text.split(",")[0]
    commodity = commodity_of(name)
    assert commodity is not None, name
    return commodity


def reliance(commodity: str, year: int, text: str) -> Reading | Unread:
    """Return the reliance in a cell."""
    number = number_of(text, "percent")
    if isinstance(number, Unread):
        return number
    number = estimated(number, True)
    return figure(Reading("net_import_reliance", commodity, (year, year), number))


def ranks(commodity: str, years: tuple[int, int], text: str, notes: str) -> OriginList | Unread:
    """Return the places in a cell, in order. A digit after a name is the mark of a footnote on Hong Kong."""
    parts = []
    for name in text.split(","):
        plain = name.strip().rstrip("0123456789")
        place = place_of(plain)
        if place is None:
            return Unread("no place", plain)
        marked = plain != name.strip() or ("Hong Kong" in notes and plain == "China")
        parts.append(Part(place, None, ("HK",) if marked else ()))
    return OriginList("import_ranks", commodity, years, tuple(parts))
