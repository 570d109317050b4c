"""Workbooks of any content, complete and broken: equal cells, or InvalidInput."""

import io
import tempfile
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.errors import InvalidInput
from tracker.sources.reader import File
from tracker.sources.readers.spreadsheet.tables import Cells, cells, text

DAYS = st.dates(date(1904, 1, 3), date(9999, 12, 31))
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="_\ufffe\uffff"))
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(-1e300, 1e300).map(
    lambda number: float(f"{number:.16G}")  # the digits that XlsxWriter writes
)
VALUES = st.none() | TEXTS | NUMBERS | st.booleans() | DAYS
ROWS = st.lists(st.lists(VALUES, max_size=6), max_size=8)
PARTS = ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml", "xl/workbook.xml"]


def written(rows: list[list[Any]], **options: Any) -> bytes:
    """Return a workbook of XlsxWriter with these rows."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True, **options})
    sheet, days = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
    for row, values in enumerate(rows):
        for column, value in enumerate(values):
            match value:
                case date():
                    sheet.write_datetime(row, column, value, days)
                case str():
                    sheet.write_string(row, column, value)
                case _:
                    sheet.write(row, column, value)
    book.close()
    return file.getvalue()


def read(content: bytes) -> list[Cells]:
    """Return the rows of a workbook."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "list.xlsx")
        path.write_bytes(content)
        return list(cells(File.at(path)))


@settings(max_examples=200, deadline=None)
@given(ROWS, st.sampled_from(["constant_memory", "in_memory", "date_1904"]))
def test_rows_that_are_written_are_read_back(rows: list[list[Any]], option: str) -> None:
    found = {row.line: list(row.texts) for row in read(written(rows, **{option: True}))}
    for line, row in enumerate(rows, 1):
        texts = [text(value) for value in row]
        cells_of_line = found.pop(line, [])
        width = max(len(texts), len(cells_of_line))
        padded = [row + [""] * (width - len(row)) for row in (texts, cells_of_line)]
        assert padded[0] == padded[1]
    assert not found


WORKBOOK = written([["Title", "Rate"], ["Ban", 5], ["é" * 50, 1.5], [datetime(2024, 5, 1), True]])


def reads_or_refuses(content: bytes) -> None:
    """Read a workbook; no other error than InvalidInput is raised."""
    try:
        for row in read(content):
            assert all(isinstance(cell, str) for cell in row.texts)
    except InvalidInput:
        pass


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.integers(0, len(WORKBOOK)), st.integers(0, 40))
def test_bytes_that_are_not_a_workbook_are_refused(noise: bytes, at: int, cut: int) -> None:
    reads_or_refuses(b"PK\x03\x04" + noise)
    reads_or_refuses(WORKBOOK[: at + 4])
    reads_or_refuses(WORKBOOK[:at] + noise[:8] + WORKBOOK[at + cut :])


PIECES = st.sampled_from(
    ["<row>", "</row>", '<row r="9">', "<c>", "</c>", '<c r="ZZ9"/>', '<c t="e"><v>#N/A</v></c>',
     '<c t="s"><v>99</v></c>', "<c><f>A1</f><v/></c>", "<v>", "<is><t>x</t></is>", "<!-- -->", "&amp;",
     '<c s="1"><v>-1e300</v></c>', '<c s="1"><v>1e300</v></c>', '<c t="d"><v>9999-99-99</v></c>', "<x/>"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(PARTS), st.data())
def test_parts_that_are_broken_are_refused(part: str, data: st.DataObject) -> None:
    with zipfile.ZipFile(io.BytesIO(WORKBOOK)) as archive:
        whole = archive.read(part)
    at, end = sorted(data.draw(st.tuples(*[st.integers(0, len(whole))] * 2)))
    end = data.draw(st.sampled_from([at, end, at + 1]))
    filling = data.draw(
        st.binary(max_size=6)
        | st.lists(PIECES, max_size=4).map(lambda pieces: "".join(pieces).encode())
    )
    reads_or_refuses(with_part(part, whole[:at] + filling + whole[end:]))


def with_part(part: str, content: bytes) -> bytes:
    """Return the workbook with one part replaced."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(WORKBOOK)) as archive, zipfile.ZipFile(file, "w") as made:
        for name in archive.namelist():
            made.writestr(name, content if name == part else archive.read(name))
    return file.getvalue()


def test_a_workbook_that_declares_billions_of_strings_is_refused() -> None:
    """Calamine would reserve memory for them, and crash the process."""
    with pytest.raises(InvalidInput, match="at most 5,000,000 shared strings"):
        read(with_part("xl/sharedStrings.xml", b'<sst uniqueCount="9999999999"/>'))
