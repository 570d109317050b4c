"""Reads figure 2 of MCS 2023 to 2025: net import reliance of the last year, and major import sources.

Sources are names in descending order, without numbers. Reliance repeats the chapters, which count; it is read
for commodities whose chapter has none. Figure 3 and table 5 repeat other tables and are not read.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from msgspec import Struct

from tracker.domain.basics.units import Unit
from tracker.domain.basics.values import Quantity
from tracker.domain.basics.vocabulary import Qualifier, Statistic
from tracker.domain.catalogue.places import Place
from tracker.domain.figures.figure_facts import Claimed, Series
from tracker.domain.figures.origins import Origin, Origins
from tracker.errors import InvalidInput
from tracker.sources.reader import File, RefusedItem, SourceLocation
from tracker.sources.readers.usgs import salient_claims, salient_terms
from tracker.sources.readers.usgs.cells import Cell, Edition
from tracker.sources.readers.usgs.import_sources import HONG_KONG, place_of
from tracker.sources.text_files import Row

RELIANCE = re.compile(r"Net_Import_Reliance_pct_(?P<year>\d{4})")
SOURCES = re.compile(r"Major_Import_Sources_(?P<first>\d{4})_(?P<last>\d{4})")
OTHER_TABLES = {
    "Map_Class": "figure 3 counts the commodities of each source, which figure 2 lists",
    "Critical_mineral": "table 5 repeats figures of the chapters and of the tables by country",
}
IN_CHAPTER = "IN_CHAPTER"
PERCENT = salient_terms.Measure(Unit("percent"))


class Column(Struct, frozen=True):
    """The position of a column of figure 2, with its header."""

    index: int
    header: str
    match: re.Match[str]


def is_trends(header: Sequence[str]) -> bool:
    """Return whether these are the columns of figure 2, figure 3 or table 5."""
    is_figure_2 = _column(header, SOURCES) is not None and "Commodity" in header
    return is_figure_2 or not OTHER_TABLES.keys().isdisjoint(header)


def read_trends(
    file: File, edition: Edition, header: Sequence[str], rows: Sequence[Row]
) -> Iterator[tuple[SourceLocation, Claimed | RefusedItem]]:
    """Yield the claims of figure 2 with their places, and the refused cells."""
    for name, reason in OTHER_TABLES.items():
        if name in header:
            at = SourceLocation(1)
            yield at, RefusedItem(at, reason, ",".join(header), salient_claims.NOT_FOLLOWED)
            return
    reliance, sources = _column(header, RELIANCE), _column(header, SOURCES)
    assert sources is not None
    names = list(header)
    for row in rows:
        cell = Cell(
            file=file.name,
            line=row.line,
            column=sources.header,
            edition=edition,
            table=row.at(names.index("Commodity")),
            type="",
            country=row.at(sources.index),
            statistic=Statistic.IMPORT_RANKS,
            unit="percent",
            year=int(sources.match["first"]),
            estimated=False,
            text=row.at(sources.index),
            note=row.at(names.index("Notes") if "Notes" in names else None),
        )
        yield cell.at, _ranks(cell, int(sources.match["last"]))
        if reliance is not None:
            value = replace(
                cell,
                column=reliance.header,
                statistic=Statistic.NET_IMPORT_RELIANCE,
                year=int(reliance.match["year"]),
                text=row.at(reliance.index),
                estimated=True,
                note="",
            )
            yield value.at, _reliance(value)


def _column(header: Sequence[str], pattern: re.Pattern[str]) -> Column | None:
    matches = (
        Column(i, name, m) for i, name in enumerate(header) if (m := pattern.fullmatch(name))
    )
    return next(matches, None)


def _subject(name: str) -> salient_terms.Product | None:
    """Return the subject of a row: `RARE EARTHS, compounds and metals`."""
    whole = salient_terms.find_subject(name)
    commodity, _, words = name.partition(",")
    subject = whole or salient_terms.find_subject(commodity)
    if subject is None:
        return None
    form = subject.form or (salient_terms.form_slug(words) if not whole else None)
    return salient_terms.narrowed(subject.commodity, form)


def _ranks(cell: Cell, until: int) -> Claimed | RefusedItem:
    subject = _subject(cell.table)
    if subject is None:
        return cell.refused(f"unknown commodity {cell.table!r}", "UNKNOWN_COMMODITY")
    with_hong_kong = HONG_KONG.search(cell.note) is not None
    try:
        claim = Claimed(
            source=cell.edition.source(cell.reference),
            series=Series(
                commodity=subject.commodity,
                place=salient_claims.UNITED_STATES,
                statistic=Statistic.IMPORT_RANKS,
                form=subject.form,
                period=cell.year,
                until=until,
            ),
            edition=cell.edition.name,
            quantity=Quantity(unit=PERCENT.unit, qualifier=Qualifier.NOT_STATED),
            origins=Origins(
                parts=tuple(
                    _origin(name, with_hong_kong) for name in re.split(r",\s*", cell.text.strip())
                ),
                measured="value"
                if subject.commodity in salient_terms.declarations()["value_lists"]
                else "quantity",
            ),
            note=HONG_KONG.sub(
                "", cell.note.removeprefix("Descending order of import share.")
            ).strip(" .")
            or None,
        )
        claim.check_recordable()
    except InvalidInput as error:
        return cell.refused(error.message, error.code)
    return claim


def _origin(name: str, with_hong_kong: bool) -> Origin:
    """Return the origin of a name.

    The digit in `China3` of MCS 2025 marks a lost note: MCS 2024 and 2026 include Hong Kong.
    """
    place = place_of(name)
    includes = place == "CN" and (with_hong_kong or name[-1:].isdigit())
    return Origin(place=place, includes=(Place("HK"),) if includes else ())


def _reliance(cell: Cell) -> Claimed | RefusedItem:
    """Return the claim of reliance, if the chapter of the edition has none."""
    subject = _subject(cell.table)
    if subject is None:
        return cell.refused(f"unknown commodity {cell.table!r}", "UNKNOWN_COMMODITY")
    key = f"{cell.edition.year} {cell.table.casefold()}"
    declared = salient_terms.declarations()["figure_2"]
    if key in declared["differs"]:
        reason = f"the chapter says {declared['differs'][key]}, and the chapter counts"
        return cell.refused(reason, salient_claims.KNOWN_MISTAKE)
    if key not in declared["without_chapter"]:
        return cell.refused("repeats the chapter's salient statistics", IN_CHAPTER)
    basis = salient_terms.denominator(subject, cell.edition.year)
    return salient_claims.parse_salient(cell, salient_claims.Subject(subject, PERCENT, basis))
