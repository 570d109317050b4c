"""Reads the Harmonized Tariff Schedule of the United States, the JSON export of an edition.

Source: United States International Trade Commission, hts.usitc.gov; public domain. The export is a list of
rows in the order of the schedule, without its edition. So the name of the file has the edition, such as
`hts-2026-rev-10.json`. `hts.toml` has the days of editions; for another one add the day to the name:
`hts-2026-rev-11-2026-06-20.json`.

- A rate stands at a row of 8 digits, or of 10 digits if there is none of 8. Rows below have blanks and are
  suffixes of the line: they have its rate.
- Rows without a code carry texts. The parent of a row is the nearest earlier row with a smaller indent.
- Markup and line breaks of the print are removed before editions are compared.
- Chapters 98 and 99 have provisions, not lines: their rows are left out.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
from msgspec.structs import asdict, replace

from tracker.domain.basics.values import PartialDate
from tracker.domain.basics.vocabulary import Checked
from tracker.domain.catalogue.places import Place
from tracker.domain.entities.fact import Source
from tracker.domain.figures.tariff import (
    Footnote,
    LineChanged,
    LineFact,
    LineStated,
    LineWithdrawn,
    PrintedLine,
    TariffSuffix,
    content_of,
)
from tracker.domain.figures.tariff_edition import EditionRead
from tracker.sources.ids import tariff_id
from tracker.sources.reader import (
    File,
    Item,
    Reader,
    RefusedItem,
    SourceLocation,
    read_fact,
    unreadable,
)

MAX_BYTES = 64 * 1024 * 1024
NAME = re.compile(
    r"hts[-_](?P<edition>20\d\d[-_](?:basic|rev(?:ision)?[-_]?\d+))(?:[-_](?P<on>\d{4}-\d\d-\d\d))?\.json"
)
MARKUP = re.compile(r"<[^<>]*>")
BROKEN_WORD = re.compile(r"(?<=[a-z])- (?=[a-z])")
"""A word that the print divides at the end of a line: `appli- cable`."""
PROVISIONS = ("98", "99")
"""Chapters with provisions, not lines."""
US = Place("US")
LINE_DIGITS, ALL_DIGITS = 8, 10
ADDRESS = "https://hts.usitc.gov"


class Note(msgspec.Struct):
    """A footnote of a row."""

    columns: list[str]
    value: str


class Row(msgspec.Struct):
    """A row of the export. `row` is its place in the whole file, from 1."""

    htsno: str = ""
    indent: str = "0"
    description: str = ""
    units: list[str] | None = None
    general: str | None = None
    special: str | None = None
    other: str | None = None
    footnotes: list[Note] | None = None
    row: int = 0

    @property
    def code(self) -> str:
        """The code without dots; empty for a row of texts."""
        return self.htsno.replace(".", "")

    @property
    def rates(self) -> dict[str, str | None]:
        """The rates by column; None for a blank, which is a space or a line feed too."""
        return {
            "general": clean_rate(self.general),
            "special": clean_rate(self.special),
            "column2": clean_rate(self.other),
        }


class Edition(msgspec.Struct):
    """An edition: its key, its rows and the chapters that they have in full."""

    key: str
    rows: Sequence[Row]
    chapters: tuple[str, ...]
    on: date
    sha256: str
    archived_at: str | None = None
    """The address of the copy that was read, if it is not the publisher's own file."""

    @property
    def title(self) -> str:
        """The title of the edition."""
        year, _, number = self.key.partition("-")
        part = f"Revision {number.removeprefix('rev-')}" if number != "basic" else "Basic Edition"
        return f"Harmonized Tariff Schedule of the United States ({year}), {part}"

    def source(self, reference: str | None = None) -> Source:
        """Return the edition as a source: the publisher's file, or a copy of it."""
        own = Source(
            publisher="usitc",
            name=self.title,
            published_on=PartialDate(self.on.isoformat()),
            url=ADDRESS,
            reference=reference,
            checked=Checked.DATA_FILE,
        )
        if self.archived_at is None:
            return own
        copy = {"url": self.archived_at, "copy_of": ADDRESS, "copy_sha256": self.sha256}
        return replace(own, publisher="public-repositories", **copy)


def clean(text: str | None) -> str:
    """Return a text in one line, without markup and without spaces at its ends."""
    return " ".join(MARKUP.sub("", text or "").split())


def clean_rate(text: str | None) -> str | None:
    """Return a rate without the line breaks of the print; None for a blank."""
    return BROKEN_WORD.sub("", clean(text)) or None


@cache
def known_editions() -> Mapping[str, Any]:
    """Return the day and the SHA-256 of editions by key, as `hts.toml` declares them."""
    content = files("tracker.sources.readers").joinpath("hts.toml").read_text("utf-8")
    return tomllib.loads(content)


def recognise(head: bytes, name: str) -> bool:
    """Return whether a file is an export of the schedule."""
    return head.lstrip()[:1] == b"[" and b'"htsno"' in head and b'"indent"' in head


def read(file: File) -> Iterator[Item]:
    """Yield an export: the edition, its lines, and the rows that are left out."""
    try:
        rows = msgspec.json.decode(file.at_most(MAX_BYTES).path.read_bytes(), type=list[Row])
    except msgspec.MsgspecError as error:
        raise unreadable(file, f"expected a list of rows of the schedule: {error}") from None
    for number, row in enumerate(rows, 1):
        row.row = number
    chapters = {row.code[:2]: None for row in rows if row.code and row.code[:2] not in PROVISIONS}
    match = NAME.search(file.name)
    key = edition_key(match["edition"]) if match else ""
    known = known_editions().get(key)
    if match is None or (known is None and match["on"] is None):
        raise unreadable(
            file,
            "expected a name with the edition and its day, such as hts-2026-rev-11-2026-06-20.json",
        )
    on = known["on"] if known else date.fromisoformat(match["on"])
    yield from items([Edition(key, rows, tuple(chapters), on, file.sha256())])


def edition_key(text: str) -> str:
    """Return the key of an edition: `2026-rev-10` for `2026_revision_10` or `2026-rev10`."""
    return re.sub(r"[-_]?rev(?:ision)?[-_]?", "-rev-", text.replace("_", "-"))


def items(editions: Iterable[Edition]) -> Iterator[Item]:
    """Yield editions, oldest first, and their lines. Of a later edition, only lines that differ are facts."""
    before: dict[str, PrintedLine] = {}
    for edition in editions:
        fact = EditionRead(
            source=edition.source(),
            place=US,
            edition=edition.key,
            title=edition.title,
            sha256=edition.sha256,
            chapters=edition.chapters,
        )
        yield _read(0, fact)
        now = dict[str, PrintedLine]()
        for item in _lines(edition):
            if isinstance(item, RefusedItem):
                yield item
                continue
            row, line = item
            now[line.code] = line
            earlier = before.get(line.code)
            if earlier is None:
                yield _read(row, line)
            elif content_of(earlier) != content_of(line):
                yield _read(row, LineChanged(**asdict(line)))
        for code in sorted(before.keys() - now.keys()):
            if code.startswith(edition.chapters):
                yield _read(0, _withdrawal(edition, code, now.keys() - before.keys()))
        before = before | now


def _withdrawal(edition: Edition, code: str, new: Iterable[str]) -> LineWithdrawn:
    """Return the withdrawal of a line; its successors are the new lines under its heading."""
    successors = tuple(sorted(one for one in new if one[:4] == code[:4]))
    return LineWithdrawn(
        source=edition.source(), place=US, code=code, edition=edition.key, successors=successors
    )


def _read(row: int, fact: EditionRead | LineFact) -> Item:
    return read_fact(SourceLocation(row), fact.stream, fact, tariff_id(fact))


def _lines(edition: Edition) -> Iterator[tuple[int, LineStated] | RefusedItem]:
    """Yield the lines of an edition with their rows, and the refusals of rows that fit no line."""
    path = list[tuple[int, str]]()
    first, line = 0, None
    for row in edition.rows:
        indent = int(row.indent or 0)
        while path and path[-1][0] >= indent:
            path.pop()
        path.append((indent, clean(row.description)))
        code, rates = row.code, row.rates
        if code.startswith(PROVISIONS):
            if any(rates.values()):
                yield _left_out(row, "a provision of chapters 98 and 99 is not a line", "LEFT_OUT")
            continue
        if any(rates.values()):
            if line:
                yield first, line
            line = None
            if len(code) not in (LINE_DIGITS, ALL_DIGITS):
                yield _left_out(row, "expected a code of 8 or 10 digits at a rate")
                continue
            first, line = row.row, _line(edition, row, rates, tuple(text for _, text in path))
        elif len(code) == ALL_DIGITS:
            if line is None or line.code != code[:LINE_DIGITS]:
                yield _left_out(row, "expected a line with a rate above this suffix")
                continue
            own = tuple(text for _, text in path)[len(line.texts) :]
            line = replace(line, suffixes=(*line.suffixes, _suffix(row, own)))
    if line:
        yield first, line


def _left_out(row: Row, reason: str, code: str = "NOT_UNDERSTOOD") -> RefusedItem:
    return RefusedItem(SourceLocation(row.row), reason, row.htsno, code)


def _line(
    edition: Edition, row: Row, rates: Mapping[str, str | None], texts: tuple[str, ...]
) -> LineStated:
    is_suffix = len(row.code) == ALL_DIGITS
    return LineStated(
        general=rates["general"],
        special=rates["special"],
        column2=rates["column2"],
        source=edition.source(f"row {row.row}"),
        place=US,
        code=row.code[:LINE_DIGITS],
        edition=edition.key,
        texts=texts,
        units=() if is_suffix else _units(row),
        footnotes=() if is_suffix else _footnotes(row),
        suffixes=(_suffix(row, ()),) if is_suffix else (),
    )


def _suffix(row: Row, texts: tuple[str, ...]) -> TariffSuffix:
    return TariffSuffix(
        suffix=row.code[LINE_DIGITS:], texts=texts, units=_units(row), footnotes=_footnotes(row)
    )


def _units(row: Row) -> tuple[str, ...]:
    return tuple(filter(None, map(clean, row.units or ())))


def _footnotes(row: Row) -> tuple[Footnote, ...]:
    return tuple(
        Footnote(column=column, text=clean(note.value))
        for note in row.footnotes or ()
        for column in note.columns
    )


READER = Reader(
    name="hts",
    title="Harmonized Tariff Schedule of the United States: the JSON export of an edition",
    version="1",
    licence="Public domain (17 U.S.C. 105): name USITC and the edition",
    example="hts-2026-rev-10.json",
    recognise=recognise,
    read=read,
)
