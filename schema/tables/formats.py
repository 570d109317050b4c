"""Tables as files: CSV, JSON, XLSX and Parquet, a page of rows at a time.

CSV and JSON are streamed. XLSX and Parquet have their directory at the end. So they are written to a
temporary file, a page at a time and outside of the event loop. The file is deleted also if the client
disconnects.
"""

import asyncio
import re
import tempfile
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, aclosing
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from importlib import import_module
from types import TracebackType
from typing import IO, Any, Protocol, Self, TypeVar

import orjson

from projections.fold.replay import STATE_FORMAT
from schema.tables.cells import cell, plain
from schema.tables.rows import TableMoment
from schema.tables.shape import Column
from schema.tables.table import Table
from tracker.errors import TooLarge, TrackerError

T = TypeVar("T")


class FileThread:
    """The thread of a file. Within the block its steps run there. At the end its resources are released in
    the thread, in reverse order, without waiting."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(1, "table-file")
        self._ends = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._threads.submit(self._ends.close)
        self._threads.shutdown(wait=False)

    async def run(self, step: Callable[..., T], *arguments: Any) -> T:
        """Run a step after earlier ones, outside of the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, step, *arguments)

    def enter_context(self, resource: AbstractContextManager[T]) -> T:
        """Enter a context that ends with the thread, also after a failed step."""
        return self._ends.enter_context(resource)


Pages = AsyncGenerator[list[list[Any]], None]
LICENCE_URL = "https://creativecommons.org/licenses/by/4.0/"
LICENCE = f"CC-BY-4.0 ({LICENCE_URL})"
PRODUCT = "Critical-minerals policy tracker"
CHUNK_BYTES = 64 * 1024
MAX_SHEET_ROWS = 1_048_575
"""Maximum number of rows of an XLSX sheet below the header row."""
MAX_WIDTH = 60
"""Maximum width of an XLSX column in characters, beside a margin."""
MAX_CELL_CHARACTERS = 32_767
"""Maximum length of an XLSX cell in UTF-16 units: XlsxWriter cuts longer texts silently."""
NOT_IN_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f]")
"""Characters that an XLSX cell cannot contain."""
NEEDS_QUOTES = re.compile('[#",\r\n]')
"""Characters of a CSV cell that need quotes. The `csv` module does not quote `#`."""


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a file."""

    table: Table
    moment: TableMoment
    address: str
    completeness: str = ""

    def lines(self) -> dict[str, str]:
        """Return the moment, the completeness, the licence and the citation, each with its name."""
        moment = self.moment
        return {
            "table": f"{self.table.name}: {self.table.about}",
            "valid at": moment.valid_at,
            "position": moment.position,
            "known at": moment.known_at or "",
            "digest": f"sha256 {moment.digest}",
            "state format": str(STATE_FORMAT),
            **({"completeness": self.completeness} if self.completeness else {}),
            "licence": LICENCE,
            "cite": (
                f"{PRODUCT}, table {self.table.name} as of {moment.valid_at}, position"
                f" {moment.position}, digest {moment.digest[:16]}, <{self.address}>, and the publishers"
                " that it names."
            ),
            "address": self.address,
        }


class Format(Protocol):
    """A file format of tables."""

    media_type: str
    packs: bool
    """Whether its files are compressed already."""

    def write(self, header: Header, pages: Pages, titled: bool) -> AsyncGenerator[bytes, None]:
        """Yield the file in chunks; `titled`: with the header, which some tools do not accept."""


class Csv:
    """CSV by RFC 4180 in UTF-8, with a header in lines that begin with `#`.

    Cells that contain `#` are quoted, because programs that skip comments would cut their rows there.
    """

    media_type = "text/csv; charset=utf-8; header=present"
    packs = False

    async def write(
        self, header: Header, pages: Pages, titled: bool
    ) -> AsyncGenerator[bytes, None]:
        """Yield the file, a chunk a page."""
        columns = _columns(header)
        lines = [f"# {name}: {text}\r\n" for name, text in header.lines().items()] if titled else []
        yield "".join([*lines, csv_lines([[column.name for column in columns]])]).encode()
        async with aclosing(pages):
            async for page in pages:
                yield csv_lines([_texts(columns, row) for row in page]).encode()


class Json:
    """An object with the header and the rows, these as objects by the names of columns."""

    media_type = "application/json"
    packs = False

    async def write(
        self, header: Header, pages: Pages, titled: bool
    ) -> AsyncGenerator[bytes, None]:
        """Yield the file, a chunk a page."""
        names = [column.name for column in _columns(header)]
        about = {name.replace(" ", "_"): text for name, text in header.lines().items()}
        yield b'{"about":' + orjson.dumps(about) + b',"rows":['
        separator = b"\n"
        async with aclosing(pages):
            async for page in pages:
                rows = [orjson.dumps(dict(zip(names, row, strict=True))) for row in page]
                if rows:
                    yield separator + b",\n".join(rows)
                    separator = b",\n"
        yield b"\n]}\n"


class Xlsx:
    """A workbook: the rows on the first sheet, the header on the second."""

    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    packs = True

    async def write(
        self, header: Header, pages: Pages, titled: bool
    ) -> AsyncGenerator[bytes, None]:
        """Yield the complete file. Raises TooLarge for more rows than a sheet has."""
        columns, count = _columns(header), 0
        with FileThread() as thread:
            xlsxwriter = await thread.run(import_module, "xlsxwriter")  # it would delay every start
            folder = thread.enter_context(tempfile.TemporaryDirectory(prefix="tracker-table-"))
            file = thread.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the thread closes it
            options = {"constant_memory": True, "tmpdir": folder, "use_zip64": True}
            book = xlsxwriter.Workbook(file, options)
            sheet = book.add_worksheet(header.table.name)
            _append(sheet, 0, [[column.name for column in columns]])
            sheet.freeze_panes(1, 0)
            async with aclosing(pages):
                async for page in pages:
                    if count + len(page) > MAX_SHEET_ROWS:
                        raise TooLarge(
                            f"a sheet has at most {MAX_SHEET_ROWS:,} rows: narrow the table"
                        )
                    if not count:
                        _fit(sheet, columns, page)
                    await thread.run(_append_cells, sheet, count + 1, columns, page)
                    count += len(page)
            _append(book.add_worksheet("about"), 0, header.lines().items())
            await thread.run(book.close)
            async for chunk in _chunks(thread, file):
                yield chunk


class Parquet:
    """Apache Parquet with typed columns; the header is in the metadata of its schema.

    Needs pyarrow: the extra `parquet`.
    """

    media_type = "application/vnd.apache.parquet"
    packs = True

    async def write(
        self, header: Header, pages: Pages, titled: bool
    ) -> AsyncGenerator[bytes, None]:
        """Yield the complete file. Raises TrackerError if pyarrow is not installed."""
        columns = _columns(header)
        with FileThread() as thread:
            arrow, parquet = await thread.run(import_arrow)
            schema = arrow.schema(
                [arrow.field(column.name, _arrow_type(arrow, column)) for column in columns],
                metadata=header.lines(),
            )
            file = thread.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the thread closes it
            writer = thread.enter_context(parquet.ParquetWriter(file, schema))
            async with aclosing(pages):
                async for page in pages:
                    if page:
                        await thread.run(_write_group, arrow, writer, schema, columns, page)
            await thread.run(writer.close)
            async for chunk in _chunks(thread, file):
                yield chunk


FORMATS: dict[str, Format] = {"csv": Csv(), "json": Json(), "parquet": Parquet(), "xlsx": Xlsx()}


def typed(column: Column, value: Any) -> Any:
    """Return a value in the Parquet type of its column."""
    if value is None:
        return None
    if column.many and isinstance(value, list):
        return [plain(item) for item in value]
    match column.scalar:
        case "Decimal":
            return float(Decimal(value))
        case "Position":
            return int(value)
        case "Day":
            return date.fromisoformat(value)
        case "DateTime":
            return datetime.fromisoformat(value)
        case "Int" | "Boolean" | "Float":
            return value
    return plain(value)


def _arrow_type(arrow: Any, column: Column) -> Any:
    if column.many:
        return arrow.list_(arrow.string())
    types = {
        "Decimal": arrow.float64(),
        "Float": arrow.float64(),
        "Int": arrow.int64(),
        "Position": arrow.int64(),
        "Boolean": arrow.bool_(),
        "Day": arrow.date32(),
        "DateTime": arrow.timestamp("us", tz="UTC"),
    }
    return types.get(column.scalar, arrow.string())


def import_arrow() -> tuple[Any, Any]:
    """Return pyarrow and its module for Parquet. Raises TrackerError if they are not installed."""
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise TrackerError(
            "Parquet takes pyarrow, which is not installed here: the extra `parquet` has it",
            code="FORMAT_NOT_INSTALLED",
        ) from None


def _columns(header: Header) -> tuple[Column, ...]:
    return header.table.shape.columns


def csv_lines(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells as CSV."""
    return "".join(",".join(map(_quoted, row)) + "\r\n" for row in rows)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if NEEDS_QUOTES.search(text) else text


def _texts(columns: Sequence[Column], row: Sequence[Any]) -> list[str]:
    return [cell(column.scalar, value) for column, value in zip(columns, row, strict=True)]


def _append_cells(sheet: Any, first: int, columns: Sequence[Column], page: list[list[Any]]) -> None:
    cells = ([_xlsx(*pair) for pair in zip(columns, row, strict=True)] for row in page)
    _append(sheet, first, cells)


def _fit(sheet: Any, columns: Sequence[Column], page: list[list[Any]]) -> None:
    """Set the widths of columns by their names and by the texts of the first page, in characters."""
    for index, column in enumerate(columns):
        texts = (str(_xlsx(column, row[index]) or "") for row in page)
        longest = max(map(len, (column.name, *texts)))
        sheet.set_column(index, index, min(longest, MAX_WIDTH) + 1)


def _append(sheet: Any, first: int, rows: Iterable[Iterable[Any]]) -> None:
    """Write rows from a line on; texts remain texts."""
    for line, row in enumerate(rows, first):
        for index, value in enumerate(row):
            match value:
                case bool():
                    sheet.write_boolean(line, index, value)
                case int() | float():
                    sheet.write_number(line, index, value)
                case str():
                    sheet.write_string(line, index, value)


def _xlsx(column: Column, value: Any) -> bool | float | str | None:
    """Return a value as a cell: numbers as numbers, all else as text."""
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, str) and column.scalar in ("Decimal", "Position"):
        return float(value) if column.scalar == "Decimal" else int(value)
    return _cut(NOT_IN_XML.sub("", cell(column.scalar, value))) or None


def _cut(text: str) -> str:
    """Return a text that fits into a cell. A cut one ends with a mark."""
    units = text.encode("utf-16-le") if len(text) > MAX_CELL_CHARACTERS // 2 else b""
    if len(units) <= 2 * MAX_CELL_CHARACTERS:
        return text
    return units[: 2 * (MAX_CELL_CHARACTERS - 1)].decode("utf-16-le", "ignore") + "…"


def _write_group(
    arrow: Any, writer: Any, schema: Any, columns: Sequence[Column], page: list[list[Any]]
) -> None:
    arrays = [
        arrow.array([typed(column, value) for value in values], field.type)
        for column, field, values in zip(columns, schema, zip(*page, strict=True), strict=True)
    ]
    writer.write_table(arrow.table(arrays, schema=schema))


async def _chunks(thread: FileThread, file: IO[bytes]) -> AsyncGenerator[bytes, None]:
    await thread.run(file.seek, 0)
    while chunk := await thread.run(file.read, CHUNK_BYTES):
        yield chunk
