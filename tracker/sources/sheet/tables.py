"""Rows of a spreadsheet, from CSV or XLSX; what a formula gives counts only if it was kept.

An XLSX file is a zip archive of XML: how much it says it will unpack to is looked at before any of
it is unpacked, and Python's zipfile never reads more of a member than that.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]  # it has no types of its own

from tracker.errors import InvalidInput
from tracker.sources.contract import File, unreadable
from tracker.sources.text import rows as csv_rows

ZIP = b"PK\x03\x04"
MOST_UNPACKED = 100 * 1024 * 1024
MOST_MEMBERS = 2000
MOST_COLUMNS = 256
BROKEN = (zipfile.BadZipFile, KeyError, ValueError, EOFError, OSError, SyntaxError, TypeError,
          AttributeError, IndexError)
"""What openpyxl meets in files that are no workbooks."""


@dataclass(frozen=True, slots=True)
class Cells:
    """A row: its line, its texts, and which of them a formula gives (`kept`: with a value)."""

    line: int
    texts: Sequence[str]
    formulas: dict[int, bool]

    def at(self, index: int) -> str:
        """The text of a column; empty where the row ends before it."""
        return self.texts[index] if index < len(self.texts) else ""


def cells(file: File) -> Iterator[Cells]:
    """The rows that are not empty. Raises InvalidInput or TooLarge."""
    if file.head().startswith(ZIP):
        yield from _of_workbook(file)
    else:
        for row in csv_rows(file):
            yield Cells(row.line, [row.at(index) for index in range(len(row.fields))], {})


def _of_workbook(file: File) -> Iterator[Cells]:
    check_archive(file)
    try:
        values, formulas = _first_sheet(file.path, True), _first_sheet(file.path, False)
        for line, (row, raw) in enumerate(zip(values, formulas, strict=True), 1):
            if len(row) > MOST_COLUMNS:
                raise unreadable(file, f"expected at most {MOST_COLUMNS} columns", line)
            computed = {index: cell.value is not None
                        for index, (cell, other) in enumerate(zip(row, raw, strict=True))
                        if other.data_type == "f"}
            texts = [text(cell.value) for cell in row]
            if any(texts) or computed:
                yield Cells(line, texts, computed)
    except InvalidInput:
        raise
    except BROKEN as error:
        raise unreadable(file, f"expected an XLSX workbook: {error}") from None


def check_archive(file: File) -> None:
    """Refuse an archive that unpacks to more than is looked at. Raises InvalidInput."""
    try:
        with zipfile.ZipFile(file.path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise unreadable(file, f"expected an XLSX workbook: {error}") from None
    unpacked = sum(member.file_size for member in members)
    if unpacked > MOST_UNPACKED or len(members) > MOST_MEMBERS:
        raise unreadable(file, f"expected a workbook of at most {MOST_UNPACKED:,} bytes unpacked"
                               f" in {MOST_MEMBERS:,} parts, got {unpacked:,} in {len(members):,}")


def _first_sheet(path: Path, values: bool) -> Iterator[Any]:
    book = openpyxl.load_workbook(path, read_only=True, data_only=values)
    try:
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what a file says of its size would be filled up with empty cells
        yield from sheet.iter_rows()
    finally:
        book.close()


def text(value: Any) -> str:
    """A cell's content as text: days as ISO dates, whole numbers without a point."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return (value.date() if value.time() == datetime.min.time() else value).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return " ".join(str(value).split())
