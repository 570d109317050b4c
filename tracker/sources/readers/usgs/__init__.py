"""Reads the country tables of the USGS Mineral Commodity Summaries (MCS) as claims.

Sources: MCS 2023 (doi 10.5066/P9WCYUI6), MCS 2024 (doi 10.5066/P144BA54), MCS 2025 (doi 10.5066/P13XCP3R),
MCS 2026 (pubs.usgs.gov/publication/mcs2026); US public domain.

Nothing is dropped silently: every row and cell is either returned or refused with a reason. Steps: `layouts`
splits files into cells, `tables` determines their subjects, `quantities` and `notes` interpret numbers and
words, and `claims` combines the results.
"""

from __future__ import annotations

from collections.abc import Iterator

from tracker.domain.figure_facts import Claimed
from tracker.sources.ids import claim_id
from tracker.sources.reader import File, Item, Reader, read_fact
from tracker.sources.readers.usgs.cells import Cell
from tracker.sources.readers.usgs.claims import parse_claim
from tracker.sources.readers.usgs.layouts import ENCODING, cells, edition_of, is_table
from tracker.sources.text_files import head_rows


def recognise(head: bytes, name: str) -> bool:
    """Return whether a file has the columns of a table by country of some edition."""
    rows = head_rows(head, 2)
    return (
        bool(rows)
        and is_table(rows[0].fields)
        and edition_of(name, rows[1].at(0) if len(rows) > 1 else "") is not None
    )


def read(file: File) -> Iterator[Item]:
    """Yield all cells of a file as claims and refusals."""
    for cell in cells(file):
        item = parse_claim(cell) if isinstance(cell, Cell) else cell
        if isinstance(item, Claimed):
            assert isinstance(cell, Cell)
            yield read_fact(cell.at, item.series.stream, item, claim_id(item))
        else:
            yield item


READER = Reader(
    name="usgs",
    title="USGS Mineral Commodity Summaries: production, capacity and reserves by country (CSV)",
    version="2",
    licence="US public domain",
    example="mcs2024-galli_world.csv, MCS2025_World_Data.csv, MCS2026_Commodities_Data.csv",
    recognise=recognise,
    read=read,
    encoding=ENCODING,
)
