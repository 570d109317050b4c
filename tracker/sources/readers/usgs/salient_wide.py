"""Reads the salient files of MCS 2022 to 2025: a file for each chapter, a column for each statistic.

A header names statistic, product and unit: `Imports_Oxide_t`, `Bauxite_Price_dt`. Wrong headers are corrected
by `headers.toml`, with the evidence. The files mark no estimates: the last year is estimated.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from msgspec import Struct

from tracker.domain.basics.toml_files import read_toml
from tracker.domain.basics.vocabulary import Statistic
from tracker.domain.figures.figure_facts import Claimed
from tracker.sources.reader import NOT_UNDERSTOOD, File, RefusedItem, SourceLocation
from tracker.sources.readers.usgs import salient_terms
from tracker.sources.readers.usgs.cells import Cell, Edition
from tracker.sources.readers.usgs.salient_claims import (
    KNOWN_MISTAKE,
    NOT_FOLLOWED,
    Subject,
    parse_salient,
)
from tracker.sources.readers.usgs.words import WORDS
from tracker.sources.text_files import Row

OTHER_TABLE = "OTHER_TABLE"
FILE_NAME = re.compile(r"mcs(?P<year>\d{4})-?(?P<key>.+?)_salient\.csv", re.IGNORECASE)
STATISTICS = {word: Statistic(of) for word, of in WORDS["columns"].items()}
STOCKPILE = {"manganese", "tungsten"}
"""Commodities whose shipments are all from the government stockpile, as MCS 2026 says."""
ABBREVIATIONS = WORDS["abbreviations"]
"""Abbreviations in headers."""


class Column(Struct, frozen=True):
    """A column of a salient file."""

    index: int
    header: str
    """The header in the file; `column 14` without one, and `Consump_t (column 8)` if several are equal."""
    name: str
    """The header, corrected."""
    why: str | None = None
    """The evidence of the correction."""


class ColumnContent(Struct, frozen=True):
    """The content of a column, by its header."""

    statistic: Statistic
    subject: Subject


def is_salient(header: Sequence[str]) -> bool:
    """Return whether these are the columns of a salient file."""
    return list(header[1:3]) == ["Commodity", "Year"] and header[0].endswith("Source")


def read_wide(
    file: File, edition: Edition, header: Sequence[str], rows: Sequence[Row]
) -> Iterator[tuple[SourceLocation, Claimed | RefusedItem]]:
    """Yield the claims of a file with their places, and the refused cells."""
    match = FILE_NAME.fullmatch(file.name)
    key = match["key"].casefold() if match else ""
    last = max((int(row.at(2)) for row in rows if row.at(2).isdecimal()), default=0)
    for column in _columns(edition, key, header, rows):
        content = _content(column, edition, rows[0].at(1) if rows else "")
        for row in rows:
            at = SourceLocation(row.line, column.header)
            text = row.at(column.index)
            if isinstance(content, RefusedItem):
                yield at, RefusedItem(at, content.reason, text, content.code)
            elif not row.at(2).isdecimal():
                yield at, RefusedItem(at, f"unknown year {row.at(2)!r}", text)
            else:
                cell = _cell(file.name, edition, column, row, content.statistic, last)
                yield at, parse_salient(cell, content.subject)


def read_other_table(file: File, edition: Edition, header: Sequence[str]) -> RefusedItem:
    """Return the refusal of a file that is named after salient statistics and has another table."""
    reason = (
        f"{file.name} holds a table by country: {edition.name} has no salient statistics of this"
        " commodity"
    )
    return RefusedItem(SourceLocation(1), reason, ",".join(header), OTHER_TABLE)


def _cell(
    file: str, edition: Edition, column: Column, row: Row, statistic: Statistic, last: int
) -> Cell:
    year = int(row.at(2))
    return Cell(
        file=file,
        line=row.line,
        column=column.header,
        edition=edition,
        table=row.at(1),
        type=column.name,
        country="United States",
        statistic=statistic,
        unit="",
        year=year,
        estimated=year == last,
        text=row.at(column.index),
        note="",
    )


def _columns(
    edition: Edition, key: str, header: Sequence[str], rows: Sequence[Row]
) -> Iterator[Column]:
    """Yield the columns with content, each with its corrected header."""
    corrections = _corrections(edition.year, key)
    names = [name.strip() for name in header]
    seen: Counter[str] = Counter()
    for index in range(3, max((len(row.fields) for row in rows), default=0)):
        name = names[index] if index < len(names) else ""
        if not name and not any(row.at(index) for row in rows):
            continue
        seen[name] += 1
        place = f"{name}#{seen[name]}" if seen[name] > 1 else name
        place = place if name else f"#{index + 1}"
        corrected, why = corrections.get(place, (name, None))
        if names.count(name) > 1 and name:
            name = f"{name} (column {index + 1})"
        yield Column(index, name or f"column {index + 1}", corrected, why)


def _content(column: Column, edition: Edition, chapter: str) -> ColumnContent | RefusedItem:
    """Return the content of a column, or the reason why its column is refused."""
    if column.name == "?":
        return _refused(f"{column.header}: {column.why}", KNOWN_MISTAKE)
    words = column.name.split("_")
    first = salient_terms.find_subject(words[0]) if len(words) > 2 else None
    subject = first or salient_terms.find_subject(chapter)
    if subject is None:
        return _refused(f"unknown commodity {chapter!r}", "UNKNOWN_COMMODITY")
    if first:
        words = words[1:]
    statistic = _statistic(words, subject)
    if statistic is None:
        return _refused(f"{column.name}: no statistic that the tracker has", NOT_FOLLOWED)
    measure = salient_terms.find_measure(words[-1])
    if measure is None:
        return _refused(f"{column.name}: {words[-1]!r} is not a unit of figures", NOT_UNDERSTOOD)
    about = _subject(column, edition, subject, statistic, words[1:-1], measure)
    return ColumnContent(statistic, about)


def _refused(reason: str, code: str) -> RefusedItem:
    return RefusedItem(SourceLocation(1), reason, code=code)


def _statistic(words: Sequence[str], subject: salient_terms.Product) -> Statistic | None:
    if words[0].casefold() == "shipments":
        government = "Gov" in words or subject.commodity in STOCKPILE
        return Statistic.STOCKPILE_SHIPMENTS if government else None
    if words[:2] == ["Price", "Index"]:
        return None
    return STATISTICS.get(words[0].casefold())


def _subject(
    column: Column,
    edition: Edition,
    subject: salient_terms.Product,
    statistic: Statistic,
    words: Sequence[str],
    measure: salient_terms.Measure,
) -> Subject:
    plain = [ABBREVIATIONS.get(word.casefold(), word) for word in words]
    kinds = [word.casefold() for word in plain if word.casefold() in salient_terms.KINDS]
    slug = salient_terms.form_slug(
        " ".join(word for word in plain if word.casefold() not in salient_terms.KINDS)
    )
    word = salient_terms.product_of_word(subject.commodity, slug) if slug else None
    if statistic is Statistic.CONSUMPTION and not kinds:  # the kind that reliance is a share of
        counted = (
            salient_terms.denominator(salient_terms.Product(subject.commodity, word), edition.year)
            or ""
        )
        kinds = [kind for kind in salient_terms.KINDS if counted.startswith(kind)]
    form = "_".join(part for part in (subject.form, *kinds, word) if part) or None
    product = salient_terms.narrowed(subject.commodity, form)
    return Subject(
        product=product,
        measure=measure,
        basis=_basis(product, edition, statistic, plain, measure),
        words=" ".join(plain),
        remarks=_remarks(column, edition, statistic, product),
    )


def _basis(
    product: salient_terms.Product,
    edition: Edition,
    statistic: Statistic,
    words: Sequence[str],
    measure: salient_terms.Measure,
) -> str | None:
    """Return the denominator of reliance; the files tell no other basis, except in a header."""
    if statistic is Statistic.NET_IMPORT_RELIANCE:
        return salient_terms.denominator(product, edition.year)
    if measure.unit == "USD/mtu":
        return "WO3" if product.commodity == "tungsten" else "manganese content"
    return "gross weight" if "Gross" in words else None


def _remarks(
    column: Column, edition: Edition, statistic: Statistic, product: salient_terms.Product
) -> tuple[str, ...]:
    remarks = []
    if column.why and column.name != column.header:
        remarks.append(f"Read as {column.name}: {column.why}.")
    changed = (
        edition.year >= 2024 and product.commodity in salient_terms.declarations()["stockpile"]
    )
    if statistic is Statistic.NET_IMPORT_RELIANCE and changed:
        remarks.append(salient_terms.declarations()["stockpile_note"])
    return tuple(remarks)


@cache
def _corrections(year: int, key: str) -> dict[str, tuple[str, str]]:
    """Return the corrected headers of a file, each with the evidence."""
    declared: list[dict[str, Any]] = read_toml(__file__, "headers.toml")["headers"]
    return {
        was: (name, entry["why"])
        for entry in declared
        if year in entry["edition"] and entry["file"] == key
        for was, name in entry["is"].items()
    }
