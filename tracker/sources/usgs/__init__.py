"""Reads the country tables of the USGS Mineral Commodity Summaries (MCS) as claims.

Sources: MCS 2023 (doi 10.5066/P9WCYUI6), MCS 2024 (doi 10.5066/P144BA54), MCS 2025
(doi 10.5066/P13XCP3R), MCS 2026 (pubs.usgs.gov/publication/mcs2026); US public domain.

Nothing is dropped silently: every row and cell is either a `Reading` or a `NotRead` with a reason.
The steps: `layouts` takes files apart into cells, `tables` says what they are about, `quantities`
and `notes` what their numbers and words mean, `claims` puts that together.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tracker.sources.usgs.cells import Cell, NotRead, Reading
from tracker.sources.usgs.claims import understand
from tracker.sources.usgs.layouts import cells


def read(path: Path) -> Iterator[Reading | NotRead]:
    """All of a file, or of the CSV files of a directory, as readings and refusals.

    A series has one claim in an edition: a second one is refused.
    """
    seen: dict[tuple[str, str], Reading] = {}
    for file in sorted(path.rglob("*.csv")) if path.is_dir() else (path,):
        for cell in cells(file):
            item = understand(cell) if isinstance(cell, Cell) else cell
            if isinstance(item, Reading) and isinstance(cell, Cell):
                key = item.claim.series.stream, item.claim.edition
                first = seen.setdefault(key, item)
                if first is not item:
                    item = cell.refused(_again(first, item))
            yield item


def _again(first: Reading, second: Reading) -> str:
    """Why a second claim of one edition on a series is refused."""
    if first.claim.quantity == second.claim.quantity:
        return "duplicate row"
    return f"another value for {first.claim.series.stream} than in line {first.line}"


__all__ = ["NotRead", "Reading", "read"]
