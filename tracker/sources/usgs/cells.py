"""What passes between the steps of reading USGS tables: cells in, readings and refusals out."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.domain.figure import Claimed
from tracker.domain.values import PartialDate, Source
from tracker.domain.vocabulary import Checked, Statistic


@dataclass(frozen=True, slots=True)
class Reading:
    """One cell of a table, understood."""

    claim: Claimed
    file: str
    line: int
    column: str


@dataclass(frozen=True, slots=True)
class NotRead:
    """A row or cell that was not understood, or was left out deliberately, and why."""

    file: str
    line: int
    column: str | None
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Edition:
    """One year's Mineral Commodity Summaries."""

    year: int

    @property
    def name(self) -> str:
        """As claims call it: `MCS 2024`."""
        return f"MCS {self.year}"

    def source(self, file: str, published_on: PartialDate | None = None) -> Source:
        """The source of what stands in `file`; a revised cell has a later date of its own."""
        doi = DOIS.get(self.year)
        return Source(
            publisher="usgs",
            name=f"USGS Mineral Commodity Summaries {self.year}",
            published_on=published_on or PartialDate(PUBLISHED.get(self.year, f"{self.year}-01")),
            url=f"https://doi.org/{doi}" if doi else URLS.get(self.year),
            reference=f"{file}, doi {doi}" if doi else file,
            checked=Checked.DATA_FILE,
        )


DOIS = {2023: "10.5066/P9WCYUI6", 2024: "10.5066/P144BA54", 2025: "10.5066/P13XCP3R"}
URLS = {2026: "https://pubs.usgs.gov/publication/mcs2026"}

PUBLISHED = {2022: "2022-01-31", 2023: "2023-01-31", 2024: "2024-01-31", 2025: "2025-01-31",
             2026: "2026-02"}
"""Days of publication; of 2026 only the month is known. Other editions: January, by custom."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell as it stands in the file, with all that its row and header say about it."""

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
    """Whether the header, not a note, says that it is an estimate."""
    text: str
    note: str

    def refused(self, reason: str) -> NotRead:
        """This cell, not read for `reason`."""
        return NotRead(self.file, self.line, self.column, self.text, reason)
