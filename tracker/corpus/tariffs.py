"""The tariff lines that ship: editions of the schedule of the United States, reduced to chapters of minerals,
metals and their articles, and lines of the Combined Nomenclature of the European Union.

Those of the United States were read in copies of the publisher's export, whose SHA-256 is that of the
uncompressed file. They are one compressed file of rows as in the export of the publisher, in the order of the
schedule. A row is the list of the fields of `hts.Row`; an object with a key begins an edition.
`tools/pack_tariff_lines.py` makes the file.
"""

import lzma
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import msgspec

from tracker.commands.commands import PlannedEvent
from tracker.domain.basics.codec import from_builtins
from tracker.domain.catalogue.places import Place
from tracker.domain.entities.fact import Source
from tracker.domain.figures.tariff import (
    PROVISION,
    Footnote,
    LineFact,
    LineStated,
    LineWithdrawn,
    PrintedLine,
)
from tracker.domain.figures.tariff_edition import EditionRead
from tracker.sources.ids import tariff_id
from tracker.sources.reader import ReadFact, SourceLocation, read_fact
from tracker.sources.readers.hts import Edition, Row, items, known_editions

TARIFFS = "figures/us-tariff.jsonl.xz"
"""The file of the rows in the directory of the corpus."""
EU = Place("EU")
EU_TARIFF = "figures/eu-tariff.jsonl"
"""The file of the lines of the Combined Nomenclature: its edition, then a line in each row."""
ARCHIVE = (
    "https://github.com/arifshehab/tariff-rate-tracker/blob/9919812fe16ad61d72318dc7b96d387cc6c226da"
    "/data/hts_archives/hts_{}.json.gz"
)
"""The address of a copy, by the key of its edition with underscores."""
CHAPTERS = (
    *("25", "26", "28", "71", "72", "73", "74", "75", "76", "78", "79", "80", "81", "82", "83"),
    *("2701", "2702", "2703", "2704", "2915", "2931", "3104", "3105", "3206", "3606", "3801"),
    *("3815", "3818", "3824", "6804", "6815", "8401", "8505", "8506", "8507", "8541", "8544"),
    *("8545", "8549"),
)
"""The chapters and headings that ship in full."""


def shipped_tariffs(directory: Path) -> list[PlannedEvent]:
    """Return the facts of the files of tariffs in the directory of the corpus, as far as it has them."""
    found = list[PlannedEvent]()
    for name, read in ((TARIFFS, tariff_readings), (EU_TARIFF, eu_tariff_readings)):
        if (path := directory / name).is_file():
            found += read(path)
    return found


def tariff_readings(path: Path) -> list[PlannedEvent]:
    """Return the facts of the compressed file."""
    return [one.planned for one in items(_editions(path)) if isinstance(one, ReadFact)]


class EuEdition(msgspec.Struct, forbid_unknown_fields=True):
    """An edition of the Combined Nomenclature, and where its text was read."""

    edition: str
    title: str
    source: Source
    codes: tuple[str, ...]
    """The headings and subheadings that were read in full."""


class EuLine(msgspec.Struct, forbid_unknown_fields=True):
    """A line of the Combined Nomenclature with its conventional rate."""

    code: str
    texts: tuple[str, ...]
    general: str
    units: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """The footnotes at the rate."""


def eu_tariff_readings(path: Path) -> Iterator[PlannedEvent]:
    """Yield the facts of the file of the Combined Nomenclature."""
    first, *rows = path.read_bytes().splitlines()
    of = from_builtins(EuEdition, msgspec.json.decode(first))
    yield _planned(
        EditionRead(
            source=of.source, place=EU, edition=of.edition, title=of.title, chapters=of.codes
        )
    )
    for row in rows:
        line = msgspec.json.decode(row, type=EuLine)
        yield _planned(
            LineStated(
                source=of.source,
                place=EU,
                code=line.code,
                edition=of.edition,
                texts=line.texts,
                general=line.general,
                units=line.units,
                footnotes=tuple(Footnote(column="general", text=note) for note in line.notes),
            )
        )


def _planned(fact: EditionRead | LineFact) -> PlannedEvent:
    return read_fact(SourceLocation(0), fact.stream, fact, tariff_id(fact)).planned


@cache
def printed_under(path: Path) -> dict[str, list[str]]:
    """Return the codes that the newest edition of the compressed file prints under each provision, in order.

    They have 8 digits, or 10 if only some suffixes of a line are under it.
    """
    lines = dict[str, PrintedLine]()
    for reading in tariff_readings(path):
        if isinstance(reading.fact, PrintedLine):
            lines[reading.fact.code] = reading.fact
        elif isinstance(reading.fact, LineWithdrawn):
            lines.pop(reading.fact.code)
    codes = defaultdict[str, list[str]](list)
    for code, line in sorted(lines.items()):
        own = _provisions(line.footnotes)
        below = {one.suffix: _provisions(one.footnotes) for one in line.suffixes}
        for provision in sorted(own.union(*below.values())):
            some = [suffix for suffix, of in below.items() if provision in of]
            whole = provision in own or len(some) == len(below)
            codes[provision] += [code] if whole else [f"{code}{suffix}" for suffix in some]
    return codes


def _provisions(footnotes: Iterable[Footnote]) -> set[str]:
    return {code for one in footnotes for code in PROVISION.findall(one.text)}


def _editions(path: Path) -> Iterator[Edition]:
    """Yield the editions of the file, in its order."""
    key, rows = "", list[Row]()
    for text in [*lzma.decompress(path.read_bytes()).splitlines(), b'{"edition":""}']:
        if text.startswith(b'{"edition"'):
            if key:
                known = known_editions()[key]
                copy = ARCHIVE.format(key.replace("-", "_"))
                yield Edition(key, rows, CHAPTERS, known["on"], known["sha256"], copy)
            key, rows = msgspec.json.decode(text)["edition"], []
        else:
            fields = zip(Row.__struct_fields__, msgspec.json.decode(text), strict=True)
            rows.append(msgspec.convert(dict(fields), Row))
