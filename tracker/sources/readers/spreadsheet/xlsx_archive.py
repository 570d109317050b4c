"""Check an XLSX file and unpack its first sheet for calamine.

An XLSX file is a zip archive of XML. Its sizes are checked before anything is unpacked, and Python's zipfile
reads no more of a member than its size. Then expat parses the relevant parts and copies them to a new
archive, so calamine reads exactly the checked bytes. This is necessary: calamine allocates all cells between
the first and the last, and a large count of strings ends the process.
"""

import posixpath
import re
import zipfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path
from sys import intern
from typing import Any
from xml.parsers.expat import ParserCreate

from tracker.sources.reader import File, unreadable

MAX_WORKBOOK_BYTES = 64 * 1024 * 1024
MAX_UNPACKED_BYTES = 100 * 1024 * 1024
MAX_ARCHIVE_MEMBERS = 2000
MAX_SHEETS = 100
MAX_ROWS = 200_000
MAX_COLUMNS = 256
MAX_CELLS = 8_000_000
"""Last row times last column: calamine uses 32 bytes per cell, including empty ones."""
MAX_SHARED_STRINGS = 5_000_000
"""Maximum declared count of strings: calamine reserves memory for it."""
MAX_WHOLE_PART_BYTES = 1_000_000
"""Maximum size of a part that is kept in memory: all except the sheet and the shared strings."""
CHUNK_BYTES = 64 * 1024
NUMBER = re.compile("[0-9]{1,10}")
CELL = re.compile("([A-Z]{1,3})([0-9]{1,10})")
RELATIONSHIPS = (
    '<Relationships><Relationship Id="1" Target="{}" Type="http://schemas.openxmlformats.org'
    '/officeDocument/2006/relationships/{}"/></Relationships>'
)
PACKAGE = {
    "_rels/.rels": RELATIONSHIPS.format("xl/workbook.xml", "officeDocument"),
    "xl/_rels/workbook.xml.rels": RELATIONSHIPS.format("sheet.xml", "worksheet"),
    "xl/workbook.xml": (
        '<workbook><workbookPr date1904="{}"/><sheets><sheet name="1" id="1"/></sheets></workbook>'
    ),
}
"""The additional parts of the new archive."""

Attributes = dict[str, str]
Begin = Callable[[str, Attributes], object]


@dataclass(slots=True)
class SheetMarks:
    """Properties of cells that calamine does not report, by line and index of the column."""

    formulas: dict[int, list[int]] = field(default_factory=dict)
    errors: dict[int, dict[int, str]] = field(default_factory=dict)
    """Texts of cells such as #N/A, which calamine returns as empty."""


def unpack_first_sheet(file: File, target: Path) -> SheetMarks:
    """Write a workbook with the first sheet of a file.

    Raises InvalidInput or TooLarge, and errors of zipfile and expat for files of other formats.
    """
    file.at_most(MAX_WORKBOOK_BYTES)
    with zipfile.ZipFile(file.path) as archive, zipfile.ZipFile(target, "w") as copy:
        return _Unpacking(file, archive, copy).run()


class _Unpacking:
    """Unpacks the first sheet of a file from one archive to another."""

    def __init__(self, file: File, archive: zipfile.ZipFile, copy: zipfile.ZipFile):
        self._file, self._archive, self._copy = file, archive, copy

    def run(self) -> SheetMarks:
        """Check the archive, and copy the parts that calamine reads."""
        self._check_sizes(self._archive.infolist())
        [workbook, *_] = self._relations("", "officeDocument").values()
        elements = self._elements(workbook)
        sheet = self._first_sheet(workbook, elements)
        dates = {attributes.get("date1904") for tag, attributes in elements if tag == "workbookPr"}
        for name, content in PACKAGE.items():
            self._copy.writestr(name, content.replace("{}", "1" if dates & {"1", "true"} else "0"))
        for part in islice(self._relations(workbook, "styles").values(), 1):
            self._check_whole(part)
            self._walk(part, _ignore, copy="xl/styles.xml")
        for part in islice(self._relations(workbook, "sharedStrings").values(), 1):
            self._walk(part, self._check_count, copy="xl/sharedStrings.xml")
        cells = _Cells(self._file)
        self._walk(sheet, cells.begin, cells.end, cells.text, copy="xl/sheet.xml")
        return cells.marks

    def _check_sizes(self, members: Sequence[zipfile.ZipInfo]) -> None:
        unpacked = sum(member.file_size for member in members)
        if unpacked > MAX_UNPACKED_BYTES or len(members) > MAX_ARCHIVE_MEMBERS:
            raise unreadable(
                self._file,
                f"expected a workbook of at most {MAX_UNPACKED_BYTES:,} bytes unpacked"
                f" in {MAX_ARCHIVE_MEMBERS:,} parts, got {unpacked:,} in {len(members):,}",
            )

    def _check_whole(self, part: str) -> None:
        if self._archive.getinfo(part).file_size > MAX_WHOLE_PART_BYTES:
            raise unreadable(self._file, f"{part}: expected at most {MAX_WHOLE_PART_BYTES:,} bytes")

    def _relations(self, part: str, kind: str) -> dict[str, str]:
        """Return the targets of a part's relations of some kind, by the id of the relation."""
        folder, name = posixpath.split(part)
        return {
            attributes["Id"]: posixpath.normpath(posixpath.join("/", folder, attributes["Target"]))[
                1:
            ]
            for tag, attributes in self._elements(posixpath.join(folder, "_rels", f"{name}.rels"))
            if tag == "Relationship" and attributes["Type"].rpartition("/")[2] == kind
        }

    def _first_sheet(self, workbook: str, elements: list[tuple[str, Attributes]]) -> str:
        sheets = [attributes for tag, attributes in elements if tag == "sheet"]
        if len(sheets) > MAX_SHEETS:
            raise unreadable(self._file, f"expected at most {MAX_SHEETS} sheets")
        parts = self._relations(workbook, "worksheet")
        ids = [
            value
            for attributes in sheets
            for name, value in attributes.items()
            if _local(name) == "id"
        ]
        for id in ids:
            if id in parts:
                return parts[id]
        raise unreadable(self._file, "expected a workbook with a sheet of cells")

    def _elements(self, part: str) -> list[tuple[str, Attributes]]:
        """Yield the start tags of a part, as names and attributes."""
        self._check_whole(part)
        elements: list[tuple[str, Attributes]] = []
        self._walk(part, lambda tag, attributes: elements.append((_local(tag), attributes)))
        return elements

    def _check_count(self, tag: str, attributes: Attributes) -> None:
        count = attributes.get("uniqueCount", "0") if _local(tag) == "sst" else "0"
        if not NUMBER.fullmatch(count) or int(count) > MAX_SHARED_STRINGS:
            raise unreadable(self._file, f"expected at most {MAX_SHARED_STRINGS:,} shared strings")

    def _walk(
        self,
        part: str,
        begin: Begin,
        end: Callable[[str], None] | None = None,
        text: Callable[[str], None] | None = None,
        copy: str | None = None,
    ) -> None:
        """Parse the tags of a part, and copy it if it gets a name in the new archive."""
        parser = ParserCreate("UTF-8")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.StartElementHandler = begin
        parser.EndElementHandler = end
        parser.CharacterDataHandler = text
        with ExitStack() as ends:
            content = ends.enter_context(self._archive.open(part))
            target = ends.enter_context(self._copy.open(copy, "w")) if copy else None
            while chunk := content.read(CHUNK_BYTES):
                # expat would read UTF-16, while calamine finds other tags in the same bytes
                if b"\0" in chunk:
                    raise unreadable(self._file, f"{part}: expected UTF-8")
                parser.Parse(chunk)
                if target:
                    target.write(chunk)
        parser.Parse(b"", True)

    def _refuse_doctype(self, *_: Any) -> None:
        raise unreadable(self._file, "expected a workbook without document types")


class _Cells:
    """The places and marks of the cells of a sheet, counted in the same way as calamine does."""

    def __init__(self, file: File):
        self.marks = SheetMarks()
        self._file = file
        self._rows = self._row = self._column = 0
        """The number of row tags so far; the line before the current row; the column before the next cell."""
        self._cell = (0, 0)
        self._last_row = self._last_column = 0
        self._in_error = self._in_value = False

    def begin(self, tag: str, attributes: Attributes) -> None:
        """Handle a start tag. Raises InvalidInput."""
        match _local(tag):
            case "c":
                self._begin_cell(attributes)
            case "f":
                line, column = self._cell
                self.marks.formulas.setdefault(line, []).append(column)
            case "v":
                self._in_value = self._in_error
            case "row":
                self._begin_row(attributes.get("r"))

    def end(self, tag: str) -> None:
        """Handle an end tag."""
        match _local(tag):
            case "c":
                self._column += 1
            case "v":
                self._in_value = False
            case "row":
                self._row, self._column = self._row + 1, 0

    def text(self, text: str) -> None:
        """Handle text: the value of an error is stored."""
        if self._in_value:
            line, column = self._cell
            self.marks.errors.setdefault(line, {})[column] = intern(text)

    def _begin_row(self, number: str | None) -> None:
        self._rows += 1
        if number is not None:
            if not NUMBER.fullmatch(number):
                raise unreadable(self._file, "expected rows with numbers")
            self._row = int(number) - 1
        self._check_place(max(self._row + 1, self._rows), 0)

    def _begin_cell(self, attributes: Attributes) -> None:
        line, place = self._row + 1, attributes.get("r")
        if place is not None:
            match = CELL.fullmatch(place)
            if match is None:
                raise unreadable(self._file, f"expected at most {MAX_COLUMNS} columns", self._rows)
            self._column, line = _column(match[1]), int(match[2])
        self._check_place(line, self._column + 1)
        self._cell = (line, self._column)
        self._in_error = attributes.get("t") == "e"

    def _check_place(self, line: int, columns: int) -> None:
        self._last_row, self._last_column = (
            max(self._last_row, line),
            max(self._last_column, columns),
        )
        if line > MAX_ROWS:
            raise unreadable(self._file, f"expected at most {MAX_ROWS:,} rows")
        if columns > MAX_COLUMNS:
            raise unreadable(self._file, f"expected at most {MAX_COLUMNS} columns", self._rows)
        if self._last_row * self._last_column > MAX_CELLS:
            raise unreadable(
                self._file, f"expected at most {MAX_CELLS:,} cells from the first to the last"
            )


@cache
def _column(letters: str) -> int:
    """Return the index of a column, of at most three letters."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _local(name: str) -> str:
    """Return an XML name without its prefix."""
    return name.rpartition(":")[2]


def _ignore(tag: str, attributes: Attributes) -> None:
    """Ignore a start tag."""
