"""Reads spreadsheets, CSV or XLSX with one header row, or a list of objects in JSON: policy lists and
figures of a team.

Reading order: `xlsx_archive` (checks workbooks), `tables` (rows of files), `records` (facts of a row). In the
parent package: `column_mapping` (meaning of columns) and `parsing` (dates, places, goods). Unmapped columns
are kept in the note.
"""

from collections.abc import Iterator
from functools import partial

from tracker.errors import InvalidInput
from tracker.sources.column_mapping import ALIASES, FIELDS, ColumnMapping, default_publisher
from tracker.sources.parsing import plain_cell
from tracker.sources.reader import (
    ZIP_MAGIC,
    File,
    Item,
    Reader,
    RefusedItem,
    SourceLocation,
    dotted_path,
    unreadable,
)
from tracker.sources.readers.spreadsheet.records import Record, facts
from tracker.sources.readers.spreadsheet.tables import Cells, cells, names_in_json
from tracker.sources.text_files import head_rows


def reader(meaning: ColumnMapping) -> Reader:
    """Return a reader of spreadsheets with a column mapping."""
    return Reader(
        name="sheet",
        title="Spreadsheets (CSV, XLSX, JSON) of policies or figures, columns mapped by --map",
        version="2",
        licence="as stated by its publisher",
        example="policies.xlsx --map title=Titel --set publisher=iea",
        recognise=recognise,
        read=partial(read, meaning),
        with_mapping=reader,
    )


def recognise(head: bytes, name: str) -> bool:
    """Return whether a file is a workbook, or a table with the columns of a list of policies."""
    if head.startswith(ZIP_MAGIC):
        return name.lower().endswith(".xlsx")
    written = names_in_json(head) or [n for row in head_rows(head, 1) for n in row.fields]
    names = [name.strip().casefold() for name in written]
    fields = {name if name in FIELDS else ALIASES.get(name.replace("_", " ")) for name in names}
    return {"jurisdiction"} < fields and bool({"title", "value"} & fields)


def read(meaning: ColumnMapping, file: File) -> Iterator[Item]:
    """Yield the facts of every row, or the reason why it is invalid."""
    table = cells(file)
    header = next(table, None)
    if header is None:
        raise unreadable(file, "expected a header row")
    try:
        columns = meaning.locate_columns(header.texts)
    except InvalidInput as error:
        raise unreadable(file, error.message, header.line) from None
    for row in table:
        yield from _items(meaning, file, header, columns, row)


def _items(
    meaning: ColumnMapping, file: File, header: Cells, columns: dict[str, int], row: Cells
) -> Iterator[Item]:
    lost = [name for name, index in columns.items() if row.formulas.get(index) is False]
    if lost:
        yield RefusedItem(
            SourceLocation(row.line, lost[0]),
            "a formula without a kept value: open and save the file in a spreadsheet program",
        )
        return
    record = _record(meaning, file, header, columns, row)
    try:
        facts_of_record = list(facts(record))
    except ValueError as error:
        broken = error if isinstance(error, InvalidInput) else InvalidInput(str(error))
        yield RefusedItem.because(
            SourceLocation(row.line, dotted_path(broken) or None),
            broken,
            record.text("title") or "",
        )
        return
    yield from facts_of_record


def _record(
    meaning: ColumnMapping, file: File, header: Cells, columns: dict[str, int], row: Cells
) -> Record:
    fields = {"publisher": default_publisher(file.name), **meaning.constants}
    fields |= {name: plain_cell(row.at(index)) for name, index in columns.items() if row.at(index)}
    return Record(file.name, row.line, fields, _note_lines(meaning, header, columns, row), meaning)


def _note_lines(
    meaning: ColumnMapping, header: Cells, columns: dict[str, int], row: Cells
) -> str | None:
    """Return the content of the other columns, and the fields computed by a formula."""
    meant = set(columns.values())
    lines = [
        f"{header.at(index) or f'Column {index + 1}'}: {value}"
        for index, value in enumerate(row.texts)
        if value and index not in meant and header.at(index) not in meaning.ignored
    ]
    lines += [
        f"By formula: {header.at(index)}"
        for index, has_formula in row.formulas.items()
        if has_formula
    ]
    return "; ".join(lines)[:8000] or None


READER = reader(ColumnMapping())
