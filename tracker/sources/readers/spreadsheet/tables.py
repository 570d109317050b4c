"""Rows of a spreadsheet, from CSV, XLSX or JSON; what a formula gives counts only if it was kept.

An XLSX file is a zip archive of XML: how much it says it will unpack to is looked at before any of
it is unpacked, and Python's zipfile never reads more of a member than that. Then the numbers of its
rows and cells are looked at, since openpyxl makes up all that lie before the last one.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError, ParserCreate

import openpyxl  # type: ignore[import-untyped]  # it has no types of its own
from openpyxl.packaging.manifest import Manifest  # type: ignore[import-untyped]
from openpyxl.packaging.relationship import get_rels_path  # type: ignore[import-untyped]
from openpyxl.reader.excel import _find_workbook_part  # type: ignore[import-untyped]
from openpyxl.reader.workbook import WorkbookParser  # type: ignore[import-untyped]
from openpyxl.utils import column_index_from_string  # type: ignore[import-untyped]
from openpyxl.xml.constants import (  # type: ignore[import-untyped]
    ARC_CONTENT_TYPES,
    ARC_CORE,
    ARC_CUSTOM,
    ARC_STYLE,
    SHARED_STRINGS,
)
from openpyxl.xml.functions import fromstring  # type: ignore[import-untyped]

from tracker.errors import InvalidInput
from tracker.sources.parsing import plain_cell
from tracker.sources.reader import ZIP_MAGIC, File, unreadable
from tracker.sources.text_files import rows as csv_rows

MAX_WORKBOOK_BYTES = 64 * 1024 * 1024
MAX_UNPACKED_BYTES = 100 * 1024 * 1024
MAX_ARCHIVE_MEMBERS = 2000
MAX_SHEETS = 100
MAX_ROWS = 200_000
MAX_COLUMNS = 256
JSON_START = re.compile(
    rb"\s*(?:\[\s*\{|\{\s*\"(?:[^\"]*\"\s*:[^\[]*)?(?:results|data)\"\s*:\s*\[)"
)
"""A list of objects, or an object with one in `results` or `data`."""
JSON_NAME = re.compile(rb'"([^"\\]{1,100})"\s*:')
MAX_WHOLE_PART_BYTES = 1_000_000
"""Size of a part that openpyxl reads as a whole: all but sheets and shared strings."""
ROW = re.compile("[0-9]{1,10}")
CELL = re.compile("([A-Z]{1,3})[0-9]{1,10}")
BROKEN_WORKBOOK_ERRORS = (
    zipfile.BadZipFile,
    KeyError,
    ValueError,
    EOFError,
    OSError,
    SyntaxError,
    TypeError,
    AttributeError,
    IndexError,
)
"""Errors of openpyxl for files that are not workbooks."""


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
    if file.head().startswith(ZIP_MAGIC):
        yield from _of_workbook(file)
    elif JSON_START.match(file.head()):
        yield from _of_json(file)
    else:
        for row in csv_rows(file):
            yield Cells(row.line, [row.at(index) for index in range(len(row.fields))], {})


def names_in_json(head: bytes) -> list[str]:
    """The names of the fields in the beginning of a list of objects in JSON; none in other text."""
    if not JSON_START.match(head):
        return []
    return [name.decode("utf-8", "replace") for name in JSON_NAME.findall(head)]


def _of_json(file: File) -> Iterator[Cells]:
    """The objects of a list, or of the list in the field `results` or `data`, each as a row."""
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
    check_archive(file)
    try:
        values, formulas = _first_sheet(file.path, True), _first_sheet(file.path, False)
        for line, (row, raw) in enumerate(zip(values, formulas, strict=True), 1):
            if len(row) > MAX_COLUMNS:
                raise unreadable(file, f"expected at most {MAX_COLUMNS} columns", line)
            computed = {
                index: cell.value is not None
                for index, (cell, other) in enumerate(zip(row, raw, strict=True))
                if other.data_type == "f"
            }
            texts = [text(cell.value) for cell in row]
            if any(texts) or computed:
                yield Cells(line, texts, computed)
    except InvalidInput:
        raise
    except BROKEN_WORKBOOK_ERRORS as error:
        raise unreadable(file, f"expected an XLSX workbook: {error}") from None


def check_archive(file: File) -> None:
    """Refuse a workbook that is larger than what is looked at, by any measure.

    Raises InvalidInput or TooLarge.
    """
    file.at_most(MAX_WORKBOOK_BYTES)
    try:
        with zipfile.ZipFile(file.path) as archive:
            _check_sizes(file, archive.infolist())
            unchecked = set(archive.namelist())
            for name, whole in _parts(archive):
                _check_part(file, archive, name, whole)
                unchecked.discard(name)
            for name in unchecked:
                if name.endswith((".xml", ".rels")):
                    _check_part(file, archive, name, name.endswith(".rels"))
    except InvalidInput:
        raise
    except (*BROKEN_WORKBOOK_ERRORS, ExpatError, NotImplementedError, RuntimeError) as error:
        raise unreadable(file, f"expected an XLSX workbook: {error}") from None


def _check_sizes(file: File, members: Sequence[zipfile.ZipInfo]) -> None:
    unpacked = sum(member.file_size for member in members)
    if unpacked > MAX_UNPACKED_BYTES or len(members) > MAX_ARCHIVE_MEMBERS:
        raise unreadable(
            file,
            f"expected a workbook of at most {MAX_UNPACKED_BYTES:,} bytes unpacked"
            f" in {MAX_ARCHIVE_MEMBERS:,} parts, got {unpacked:,} in {len(members):,}",
        )


def _parts(archive: zipfile.ZipFile) -> Iterator[tuple[str, bool]]:
    """Yield the parts that openpyxl reads, found as it finds them, and whether it reads them whole.

    The next part is found in the last one, so each must be checked before the next one is asked for.
    """
    names = set(archive.namelist())
    yield ARC_CONTENT_TYPES, True
    manifest = Manifest.from_tree(fromstring(archive.read(ARC_CONTENT_TYPES)))
    strings = manifest.find(SHARED_STRINGS)
    if strings is not None:
        yield strings.PartName[1:], False
    yield from ((name, True) for name in (ARC_STYLE, ARC_CORE, ARC_CUSTOM) if name in names)
    workbook = _find_workbook_part(manifest).PartName[1:]
    yield workbook, True
    yield get_rels_path(workbook), True
    parser = WorkbookParser(archive, workbook, keep_links=False)
    parser.parse()
    for _, relation in parser.find_sheets():
        if relation.target in names:
            yield relation.target, "chartsheet" in relation.Type


def _check_part(file: File, archive: zipfile.ZipFile, name: str, whole: bool) -> None:
    """Refuse a part with definitions of entities, and too many rows, columns or sheets; also a large
    one that is read as a `whole`."""
    if whole and archive.getinfo(name).file_size > MAX_WHOLE_PART_BYTES:
        raise unreadable(file, f"{name}: expected at most {MAX_WHOLE_PART_BYTES:,} bytes")

    def refuse_doctype(*_: Any) -> None:
        raise unreadable(file, "expected a workbook without document types")

    def check_place(tag: str, given: dict[str, str]) -> None:
        place = given.get("r")
        match tag.rpartition(":")[2]:
            case "row":
                count_row(place)
            case "c" if place is not None:
                check_column(place)
            case "sheet":
                count_sheet()

    rows = sheets = 0

    def count_sheet() -> None:
        nonlocal sheets
        sheets += 1
        if sheets > MAX_SHEETS:
            raise unreadable(file, f"expected at most {MAX_SHEETS} sheets")

    def count_row(place: str | None) -> None:
        nonlocal rows
        rows += 1
        if place is not None and not ROW.fullmatch(place):
            raise unreadable(file, "expected rows with numbers")
        if max(rows, int(place or 0)) > MAX_ROWS:
            raise unreadable(file, f"expected at most {MAX_ROWS:,} rows")

    def check_column(place: str) -> None:
        match = CELL.fullmatch(place)
        if match is None or column_index_from_string(match[1]) > MAX_COLUMNS:
            raise unreadable(file, f"expected at most {MAX_COLUMNS} columns", rows)

    parser = ParserCreate()
    parser.StartDoctypeDeclHandler = refuse_doctype
    parser.StartElementHandler = check_place
    with archive.open(name) as content:
        parser.ParseFile(content)


def _first_sheet(path: Path, values: bool) -> Iterator[Any]:
    book = openpyxl.load_workbook(path, read_only=True, data_only=values, keep_links=False)
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
