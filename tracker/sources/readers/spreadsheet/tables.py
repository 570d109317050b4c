"""Rows of a spreadsheet from CSV, XLSX or JSON; formulas need a stored value."""

import json
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import chain, repeat
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

from msgspec import Struct
from python_calamine import CalamineError, CalamineSheet, load_workbook

from tracker.errors import InvalidInput
from tracker.sources.parsing import plain_cell
from tracker.sources.reader import ZIP_MAGIC, File, unreadable
from tracker.sources.readers.spreadsheet.xlsx_archive import (
    MAX_WORKBOOK_BYTES,
    SheetMarks,
    unpack_first_sheet,
)
from tracker.sources.text_files import rows as csv_rows

JSON_START = re.compile(
    rb"\s*(?:\[\s*\{|\{\s*\"(?:[^\"]*\"\s*:[^\[]*)?(?:results|data)\"\s*:\s*\[)"
)
"""A list of objects, or an object with one in `results` or `data`."""
JSON_NAME = re.compile(rb'"([^"\\]{1,100})"\s*:')
NOT_A_WORKBOOK = (
    zipfile.BadZipFile,
    zlib.error,
    ExpatError,
    CalamineError,
    EOFError,
    KeyError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)
"""Errors of the libraries for files that are not workbooks."""
PANIC = "PanicException"
"""A failed assertion in calamine, for dates out of range. Its class cannot be imported."""


class Cells(Struct, frozen=True):
    """A row: its line, its texts, and the columns with a formula (`kept`: with a stored value)."""

    line: int
    texts: Sequence[str]
    formulas: dict[int, bool]

    def at(self, index: int) -> str:
        """Return the text of a column; empty if the row is shorter."""
        return self.texts[index] if index < len(self.texts) else ""


def cells(file: File) -> Iterator[Cells]:
    """Yield the rows that are not empty. Raises InvalidInput or TooLarge."""
    if file.head().startswith(ZIP_MAGIC):
        yield from _of_workbook(file)
    elif JSON_START.match(file.head()):
        yield from _of_json(file)
    else:
        for row in csv_rows(file):
            yield Cells(row.line, [row.at(index) for index in range(len(row.fields))], {})


def names_in_json(head: bytes) -> list[str]:
    """Return the names of the fields at the beginning of a JSON list of objects; empty for other text."""
    if not JSON_START.match(head):
        return []
    return [name.decode("utf-8", "replace") for name in JSON_NAME.findall(head)]


def _of_json(file: File) -> Iterator[Cells]:
    """Yield the objects of a list, or of the list in the field `results` or `data`, as rows."""
    try:
        content = json.loads(file.at_most(MAX_WORKBOOK_BYTES).path.read_bytes())
    except ValueError as error:
        raise unreadable(file, f"expected JSON: {error}") from None
    if isinstance(content, dict):
        content = content.get("results", content.get("data"))
    if not isinstance(content, list) or not all(isinstance(item, dict) for item in content):
        raise unreadable(file, "expected a list of objects, or one in the field results or data")
    names = list(dict.fromkeys(str(name) for item in content for name in item))
    if not names:
        return
    yield Cells(1, names, {})
    for line, item in enumerate(content, 2):
        yield Cells(line, [_json_text(item.get(name)) for name in names], {})


def _json_text(value: Any) -> str:
    if isinstance(value, list | dict):
        return plain_cell(json.dumps(value, ensure_ascii=False))
    return text(value)


def _of_workbook(file: File) -> Iterator[Cells]:
    try:
        with tempfile.TemporaryDirectory(prefix="tracker-sheet-") as folder:
            path = Path(folder, "sheet.xlsx")
            marks = unpack_first_sheet(file, path)
            with load_workbook(path) as book:
                sheet = book.get_sheet_by_index(0)
        yield from _of_sheet(sheet, marks)
    except InvalidInput:
        raise
    except BaseException as error:
        if isinstance(error, NOT_A_WORKBOOK) or type(error).__name__ == PANIC:
            raise unreadable(file, f"expected an XLSX workbook: {error}") from None
        raise


def _of_sheet(sheet: CalamineSheet, marks: SheetMarks) -> Iterator[Cells]:
    first_column = sheet.start[1] if sheet.start else 0
    rows = sheet.iter_rows() if sheet.start else ()  # calamine cannot iterate over an empty sheet
    last = max((sheet.total_height + 1, *marks.formulas))
    for line, values in zip(range(1, last + 1), chain(rows, repeat(())), strict=False):
        texts = [""] * first_column + [text(value) for value in values]
        for index, error in marks.errors.get(line, {}).items():
            texts += [""] * (index + 1 - len(texts))
            texts[index] = error
        formulas = {
            index: index < len(texts) and texts[index] != ""
            for index in marks.formulas.get(line, ())
        }
        if any(texts) or formulas:
            yield Cells(line, texts, formulas)


def text(value: Any) -> str:
    """Return a cell's content as text: days as ISO dates, whole numbers without a point."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return (value.date() if value.time() == datetime.min.time() else value).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return " ".join(str(value).split())
