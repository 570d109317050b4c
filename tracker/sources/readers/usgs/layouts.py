"""The layouts of USGS country tables, split into cells.

Wide, one file per commodity (MCS 2023, 2024): the unit is in the header (`Prod_kt_est_2022`). Wide, all in
one file (MCS 2025): commodity and unit have columns. Long (MCS 2026): one row per value. The header
determines the layout; no edition is hard-coded.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, count, islice

from msgspec import Struct

from tracker.domain.basics.vocabulary import Statistic
from tracker.sources.reader import NOT_UNDERSTOOD, File, RefusedItem, SourceLocation
from tracker.sources.readers.usgs.cells import Cell, Edition
from tracker.sources.readers.usgs.quantities import amount_in_note
from tracker.sources.text_files import Row, rows

LONG_LAYOUT_COLUMN = "Statistics_detail"
"""The column that only the long layout has."""

LONG_COLUMNS = (
    "Section",
    "Commodity",
    "Country",
    "Statistics",
    LONG_LAYOUT_COLUMN,
    "Unit",
    "Year",
    "Value",
    "Notes",
    "Other notes",
)
SALIENT = "Salient Statistics"
IMPORT_SOURCES = "Import Sources"

MAX_FILE_BYTES = 64 * 1024 * 1024
"""Maximum size of a wide table: all of it must be read to know which columns have content."""

ENCODING = "cp1252"
"""Encoding of the data of MCS 2026; earlier editions use UTF-8."""

STATISTICS = {"pro": Statistic.PRODUCTION, "cap": Statistic.CAPACITY, "res": Statistic.RESERVES}
EDITION = re.compile(r"mcs\s?([0-9]{4})", re.IGNORECASE)
YEAR = re.compile("[0-9]{4}")
FILE_NAME = re.compile(
    r"(?:mcs ?[0-9]{4}[-_ ]+)?(?P<table>[a-z][a-z _-]*?)[-_ ]+world(?:[-_ ].*)?\.csv", re.IGNORECASE
)
"""Pattern of `mcs2023-cobal_world.csv`, `MCS2022_Cobalt_World.csv`, `Rare_Earths_world.csv`."""


class Column(Struct, frozen=True):
    """A header of a wide table, such as `Prod_Sponge_t_Est_2021`."""

    header: str
    index: int
    statistic: Statistic
    part: str = ""
    unit: str = ""
    year: int | None = None
    estimated: bool = False
    is_note: bool = False


class SectionRow(Struct, frozen=True):
    """A row of the long layout that is not of a table by country."""

    file: str
    line: int
    edition: Edition
    field: dict[str, str]

    @property
    def at(self) -> SourceLocation:
        """The place in the file."""
        return SourceLocation(self.line, "Value")

    @property
    def list_key(self) -> tuple[str, ...] | None:
        """The key of the list of import sources that the row belongs to; None for other rows."""
        if self.field["Section"] != IMPORT_SOURCES:
            return None
        return tuple(map(self.field.__getitem__, ("Commodity", "Statistics_detail", "Year")))

    def cell(self, statistic: Statistic) -> Cell:
        """Return the cell of the value."""
        return Cell(
            file=self.file,
            line=self.line,
            column="Value",
            edition=self.edition,
            table=self.field["Commodity"],
            type=self.field["Statistics_detail"],
            country=self.field["Country"],
            statistic=statistic,
            unit=self.field["Unit"],
            year=int(self.field["Year"]),
            estimated=False,
            text=self.field["Value"],
            note=self.field["Notes"],
        )

    def refused(self, reason: str, code: str = NOT_UNDERSTOOD) -> RefusedItem:
        """Return this row as refused for `reason`."""
        return RefusedItem(self.at, reason, self.field["Value"], code)


def cells(file: File, table_name: str = "") -> Iterator[Cell | SectionRow | RefusedItem]:
    """Yield all cells of the country tables in a file, rows of other sections, and the omitted parts.

    `table_name` is the commodity of a wide file, if its name does not tell it.
    """
    table = rows(file, ENCODING)
    first = list(islice(table, 2))
    header = [name.strip() for name in first[0].fields] if first else []
    edition = edition_of(file.name, first[1].at(0) if len(first) > 1 else "")
    if edition is None or not is_table(header):
        yield RefusedItem(SourceLocation(1), "no table of an MCS edition", ",".join(header))
    elif LONG_LAYOUT_COLUMN in header:
        yield from _long(file.name, edition, header, chain(first[1:], table))
    else:
        file.at_most(MAX_FILE_BYTES)
        yield from _wide(file.name, edition, header, [*first[1:], *table], table_name)


def is_table(header: Sequence[str]) -> bool:
    """Return whether these are the columns of a table by country, in one of the layouts."""
    names = {name.upper() for name in header}
    return "COUNTRY" in names and (
        LONG_LAYOUT_COLUMN in header or any(map(_column, header, count()))
    )


def edition_of(name: str, first: str) -> Edition | None:
    """Return the edition, from the first column (`MCS2025`) or the name of the file."""
    match = EDITION.search(first) or EDITION.search(name)
    return Edition(int(match[1])) if match else None


# --- long


def _long(
    file: str, edition: Edition, header: Sequence[str], rows: Iterable[Row]
) -> Iterator[Cell | SectionRow | RefusedItem]:
    for row in rows:
        field = dict.fromkeys(LONG_COLUMNS, "")
        field |= {name: row.at(index) for index, name in enumerate(header)}
        if field["Section"].startswith(SALIENT) or field["Section"] == IMPORT_SOURCES:
            yield SectionRow(file, row.line, edition, field)
            continue
        refusal = _rejection_reason(field)
        if refusal:
            yield RefusedItem(SourceLocation(row.line), refusal, field["Value"])
            continue
        yield Cell(
            file=file,
            line=row.line,
            column="Value",
            edition=edition,
            table=field["Commodity"],
            type=field["Statistics_detail"],
            country=field["Country"],
            statistic=STATISTICS[field["Statistics"][:3].lower()],
            unit=field["Unit"],
            year=int(field["Year"]),
            estimated=False,
            text=field["Value"],
            note=field["Notes"],
        )


def _rejection_reason(field: dict[str, str]) -> str | None:
    """Return the reason to omit a row of the long table: only the tables by country are read."""
    if not field["Section"].startswith("World"):
        return "not a table by country: " + field["Section"].partition("\u2014")[0]
    if field["Statistics"][:3].lower() not in STATISTICS:
        return f"unknown statistic {field['Statistics']!r}"
    return None if YEAR.fullmatch(field["Year"]) else f"unknown year {field['Year']!r}"


# --- wide


def _wide(
    file: str, edition: Edition, header: Sequence[str], rows: Sequence[Row], table_name: str
) -> Iterator[Cell | RefusedItem]:
    names = {name.upper(): index for index, name in enumerate(header)}
    columns = [column for index, name in enumerate(header) if (column := _column(name, index))]
    match = FILE_NAME.fullmatch(file)
    if match and not table_name:
        table_name = re.sub("[ _-]+", " ", match["table"])
    for table in _tables(rows, names):
        present = [c for c in columns if not c.is_note and _has_content(table, c, columns)]
        for row in table:
            for column in present:
                yield _cell(file, edition, table_name, row, column, columns, names)
            yield from _values_without_header(header, row)


def _cell(
    file: str,
    edition: Edition,
    table: str,
    row: Row,
    column: Column,
    columns: Sequence[Column],
    names: dict[str, int],
) -> Cell:
    type_ = column.part or row.at(_type_index(names))
    return Cell(
        file=file,
        line=row.line,
        column=column.header,
        edition=edition,
        table=row.at(names.get("COMMODITY")) or table,
        type=type_,
        country=row.at(names["COUNTRY"]),
        statistic=_statistic(column, type_),
        unit=column.unit or row.at(names.get("UNIT_MEAS")),
        year=column.year,
        estimated=column.estimated,
        text=row.at(column.index),
        note=_note(row, column, columns),
    )


def _statistic(column: Column, type_: str) -> Statistic:
    """Return the statistic, from the column unless the type names a capacity.

    MCS 2025 has the capacity of clinker kilns in the columns for production.
    """
    words = type_.lower()
    if column.statistic is Statistic.PRODUCTION and "capacity" in words and "prod" not in words:
        return Statistic.CAPACITY
    return column.statistic


def _column(name: str, index: int) -> Column | None:
    """Return the parts of a header, in any order; None for columns without values and notes."""
    first, *words = re.split(r"[_\s]+", name.lower())
    statistic = STATISTICS.get(first[:3])
    if statistic is None or not words:
        return None
    year = next((int(word) for word in words if re.fullmatch(r"[0-9]{4}", word)), None)
    unit = next((word for word in words if word in ("t", "kt", "kg")), "")
    part = next((word for word in words if word in ("sponge", "pigment")), "")
    return Column(
        name,
        index,
        statistic,
        part,
        unit,
        year,
        "est" in words,
        is_note=bool({"note", "notes"} & set(words)),
    )


def _tables(rows: Sequence[Row], names: dict[str, int]) -> Iterator[list[Row]]:
    """Return rows by commodity and type, which the publisher prints as one table."""
    tables: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        key = row.at(names.get("COMMODITY")), row.at(_type_index(names))
        tables.setdefault(key, []).append(row)
    yield from tables.values()


def _type_index(names: dict[str, int]) -> int:
    """Return the column of the type; if its header is lost (fluorspar, MCS 2024), from its place."""
    return names.get("TYPE", names["COUNTRY"] + 1)


def _has_content(table: Sequence[Row], column: Column, columns: Sequence[Column]) -> bool:
    """Return whether the printed table has this column: some row has a value, or a note for one.

    The file gives every table every column, so empty ones have no meaning.
    """
    return any(
        row.at(column.index) or amount_in_note(_note(row, column, columns), column.year)
        for row in table
    )


def _note(row: Row, column: Column, columns: Sequence[Column]) -> str:
    return next(
        (row.at(c.index) for c in columns if c.is_note and c.statistic is column.statistic), ""
    )


def _values_without_header(header: Sequence[str], row: Row) -> Iterator[RefusedItem]:
    """Yield values in columns without a header (barite, MCS 2024, repeats its reserves there)."""
    for index in range(len(row.fields)):
        if row.at(index) and (index >= len(header) or not header[index]):
            yield RefusedItem(SourceLocation(row.line), "column without a header", row.at(index))
