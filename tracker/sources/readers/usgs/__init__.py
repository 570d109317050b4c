"""Reads the USGS Mineral Commodity Summaries (MCS) as claims.

Sources: MCS 2022 (doi 10.5066/P9KKMCP4), MCS 2023 (doi 10.5066/P9WCYUI6), MCS 2024 (doi 10.5066/P144BA54),
MCS 2025 (doi 10.5066/P13XCP3R), MCS 2026 (pubs.usgs.gov/publication/mcs2026); US public domain.

Tables: production, capacity and reserves by country; salient statistics of the United States; its import
sources. Nothing is dropped silently: every row and cell is either returned or refused with a reason. Steps:
`layouts` splits tables by country into cells, `tables` determines their subjects, `quantities` and `notes`
interpret numbers and words, and `claims` combines the results. `salient_long` and `salient_wide` read salient
statistics, `import_sources` and `trends` lists of sources.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby

from tracker.domain.figures.figure_facts import Claimed
from tracker.errors import InvalidInput
from tracker.sources.column_mapping import ColumnMapping
from tracker.sources.ids import claim_id
from tracker.sources.reader import File, Item, Reader, RefusedItem, SourceLocation, read_fact
from tracker.sources.readers.usgs import layouts
from tracker.sources.readers.usgs.cells import Cell, Edition
from tracker.sources.readers.usgs.claims import parse_claim
from tracker.sources.readers.usgs.import_sources import read_list
from tracker.sources.readers.usgs.salient_long import LongReader
from tracker.sources.readers.usgs.salient_wide import is_salient, read_other_table, read_wide
from tracker.sources.readers.usgs.trends import is_trends, read_trends
from tracker.sources.text_files import Row, head_rows, rows

Part = Cell | layouts.SectionRow | RefusedItem


def recognise(head: bytes, name: str) -> bool:
    """Return whether a file has the columns of a table of some edition."""
    first = head_rows(head, 2)
    if not first:
        return False
    header = _header(first[0])
    is_usgs = layouts.is_table(header) or is_salient(header) or is_trends(header)
    return is_usgs and _edition(name, first) is not None


def read(file: File, table_name: str = "") -> Iterator[Item]:
    """Yield all cells of a file as claims and refusals.

    `table_name` is the commodity of a wide table by country, if the file's name does not tell it.
    """
    first = head_rows(file.head(), 2)
    header = _header(first[0]) if first else []
    edition = _edition(file.name, first)
    if edition and is_salient(header):
        yield from _items(read_wide(file, edition, header, _rows(file)))
    elif edition and is_trends(header):
        yield from _items(read_trends(file, edition, header, _rows(file)))
    elif edition and layouts.is_table(header) and "_salient" in file.name.casefold():
        yield read_other_table(file, edition, header)
    else:
        yield from _read_tables(layouts.cells(file, table_name))


def _header(row: Row) -> list[str]:
    return [name.strip() for name in row.fields]


def _edition(name: str, first: Sequence[Row]) -> Edition | None:
    return layouts.edition_of(name, first[1].at(0) if len(first) > 1 else "")


def _rows(file: File) -> list[Row]:
    """Return the rows of a wide file without its header."""
    return list(rows(file.at_most(layouts.MAX_FILE_BYTES), layouts.ENCODING))[1:]


def _read_tables(parts: Iterable[Part]) -> Iterator[Item]:
    long = LongReader()
    for key, group in groupby(parts, key=_list_key):
        if key is not None:
            listed = [part for part in group if isinstance(part, layouts.SectionRow)]
            result = read_list(listed)
            if isinstance(result, Claimed):
                yield _fact(listed[0].at, result)
            else:
                yield from result
            continue
        for part in group:
            if isinstance(part, Cell):
                yield from _items([(part.at, parse_claim(part))])
            elif isinstance(part, layouts.SectionRow):
                yield from _items([(part.at, long.read(part))])
            else:
                yield part


def _list_key(part: Part) -> tuple[str, ...] | None:
    return part.list_key if isinstance(part, layouts.SectionRow) else None


def _items(results: Iterable[tuple[SourceLocation, Claimed | RefusedItem]]) -> Iterator[Item]:
    for at, result in results:
        yield _fact(at, result) if isinstance(result, Claimed) else result


def _fact(at: SourceLocation, claim: Claimed) -> Item:
    return read_fact(at, claim.series.stream, claim, claim_id(claim))


def reader(meaning: ColumnMapping) -> Reader:
    """Return the reader with the user's settings: `--set commodity=gallium` names a table's commodity.

    Raises InvalidInput if columns are mapped, because the files have columns of their own.
    """
    if meaning.columns:
        raise InvalidInput("usgs has nothing to map: expected --set commodity=NAME alone")
    return Reader(
        name="usgs",
        title="USGS Mineral Commodity Summaries: tables by country, salient statistics of the United"
        " States, import sources (CSV)",
        version="3",
        licence="US public domain",
        example="mcs2024-galli_world.csv, mcs2025-galli_salient.csv, MCS2026_Commodities_Data.csv",
        recognise=recognise,
        read=partial(read, table_name=meaning.constants.get("commodities", "")),
        encoding=layouts.ENCODING,
        with_mapping=reader,
    )


READER = reader(ColumnMapping())
