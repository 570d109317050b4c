"""Data between the steps of reading USGS tables: a cell, and its edition."""

from dataclasses import dataclass

from msgspec import Struct

from tracker.domain.basics.values import PartialDate
from tracker.domain.basics.vocabulary import Checked, Statistic
from tracker.domain.entities.fact import Source
from tracker.sources.reader import NOT_UNDERSTOOD, RefusedItem, SourceLocation


class Edition(Struct, frozen=True):
    """One year's Mineral Commodity Summaries."""

    year: int

    @property
    def name(self) -> str:
        """The name in claims: `MCS 2024`."""
        return f"MCS {self.year}"

    def source(self, where: str, published_on: PartialDate | None = None) -> Source:
        """Return the source of its figures; a revised cell has a later date of its own."""
        doi = DOIS.get(self.year)
        return Source(
            publisher="usgs",
            name=f"USGS Mineral Commodity Summaries {self.year}",
            published_on=published_on or PartialDate(PUBLISHED.get(self.year, f"{self.year}-01")),
            url=f"https://doi.org/{doi}" if doi else URLS.get(self.year),
            reference=f"{where}, doi {doi}" if doi else where,
            checked=Checked.DATA_FILE,
        )


DOIS = {
    2022: "10.5066/P9KKMCP4",
    2023: "10.5066/P9WCYUI6",
    2024: "10.5066/P144BA54",
    2025: "10.5066/P13XCP3R",
}
URLS = {2026: "https://pubs.usgs.gov/publication/mcs2026"}

PUBLISHED = {
    2022: "2022-01-31",
    2023: "2023-01-31",
    2024: "2024-01-31",
    2025: "2025-01-31",
    2026: "2026-02",
}
"""Days of publication; for 2026 only the month is known. Default for other editions: January."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the file, with the content of its row and header."""

    file: str
    line: int
    column: str
    edition: Edition
    table: str
    """The commodity in the publisher's words, or the short name in the file's name."""
    type: str
    country: str
    statistic: Statistic
    unit: str
    year: int | None
    estimated: bool
    """Whether the header, not a note, marks it as an estimate."""
    text: str
    note: str

    @property
    def at(self) -> SourceLocation:
        """The place in the file."""
        return SourceLocation(self.line, self.column)

    @property
    def reference(self) -> str:
        """The place including the file, as facts cite it."""
        return f"{self.file}, line {self.line}, {self.column}"

    def refused(self, reason: str, code: str = NOT_UNDERSTOOD) -> RefusedItem:
        """Return this cell as refused for `reason`."""
        return RefusedItem(self.at, reason, self.text, code)
