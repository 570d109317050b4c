"""Cells of the USGS files beside the checkout, and the results that tests expect for them."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tracker.domain.figures.figure_facts import Claimed
from tracker.sources.reader import File, Item, RefusedItem
from tracker.sources.readers.usgs import READER

RAW = Path(__file__).parents[2].parent / "shared" / "data" / "raw"


@dataclass(frozen=True)
class Cell:
    """A cell of a file: its line and column."""

    path: str
    line: int
    column: str | None = None


@dataclass(frozen=True)
class Trap:
    """A cell that misleads, with its claim or refusal."""

    number: int
    cell: Cell
    subject: str
    """The series, or the code of the refusal."""
    value: str
    unit: str
    """The unit; empty for a refusal."""
    qualifier: str
    words: str
    """The basis, if it is compared, or a part of the reason."""

    def __str__(self) -> str:
        place = f"{Path(self.cell.path).stem}, line {self.cell.line}, {self.cell.column}"
        return f"{self.number}: {place}"


def traps() -> list[Trap]:
    """Return the traps of single cells."""
    with Path(__file__).with_name("usgs_traps.csv").open(encoding="utf-8", newline="") as file:
        return [
            Trap(
                int(row["trap"]),
                Cell(row["file"], int(row["line"]), row["column"] or None),
                row["series_or_code"],
                row["value"],
                row["unit"],
                row["qualifier"],
                row["basis_or_reason"],
            )
            for row in csv.DictReader(file)
        ]


def result_at(cell: Cell) -> Claimed | RefusedItem:
    """Return the claim or the refusal of a cell."""
    [item] = [
        item
        for item in _items(cell.path)
        if (item.at.line, item.at.column) == (cell.line, cell.column)
    ]
    if isinstance(item, RefusedItem):
        return item
    assert isinstance(item.planned.fact, Claimed)
    return item.planned.fact


@cache
def _items(path: str) -> tuple[Item, ...]:
    return tuple(READER.read(File.at(RAW / path)))
