"""Converts a cell of the salient statistics of the United States to a claim.

Codes of refusals: NOT_FOLLOWED for statistics that the tracker does not have, IN_WORLD_TABLE for production
that a table by country states, REPEATED for a price in a second unit, KNOWN_MISTAKE for values that cannot be
right.
"""

import re
from dataclasses import dataclass, field, replace
from decimal import Decimal

from tracker.domain.basics.values import PartialDate, Quantity
from tracker.domain.basics.vocabulary import Qualifier, Stage, Statistic
from tracker.domain.catalogue.places import Place
from tracker.domain.figures.figure_facts import Claimed, Series
from tracker.errors import InvalidInput
from tracker.sources.reader import RefusedItem
from tracker.sources.readers.usgs import notes, salient_terms
from tracker.sources.readers.usgs.cells import Cell, Edition
from tracker.sources.readers.usgs.quantities import UNIT_FACTORS, Amount, amount

NOT_FOLLOWED = "NOT_FOLLOWED"
IN_WORLD_TABLE = "IN_WORLD_TABLE"
KNOWN_MISTAKE = "KNOWN_MISTAKE"
REPEATED = "REPEATED"
UNITED_STATES = Place("US")
RELEASED = {2026: PartialDate("2026-02-06")}
"""Exact days of publication, if that of the tables by country is only a month."""

HALF_UNIT = re.compile(r"(?:less than )?(?:½|1/2|one-half|a half) ?unit\.?", re.IGNORECASE)
LESS_THAN = re.compile(r"less than (?P<value>[\d,]+) (?P<what>tons|carats)\.?", re.IGNORECASE)
NEGATIVE = re.compile(r"(?P<sign>[-\u2212?])(?P<value>[\d,]+)")
"""A negative number; its sign may be lost in the file."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of a cell of the salient statistics."""

    product: salient_terms.Product
    measure: salient_terms.Measure
    basis: str | None = None
    words: str = ""
    """The publisher's words for the product, which determine the stage of production."""
    remarks: tuple[str, ...] = field(default=())


def parse_salient(cell: Cell, about: Subject) -> Claimed | RefusedItem:
    """Return the claim of a cell, or the reason why it is refused."""
    stage = None
    commodity, unit = about.product.commodity, about.measure.unit
    if salient_terms.declarations()["same_prices"].get(commodity) == unit:
        return cell.refused("repeats the price in another unit", REPEATED)
    if cell.statistic is Statistic.PRODUCTION:
        if salient_terms.is_in_world_table(commodity):
            return cell.refused(
                "the production of the United States is read from the table by country",
                IN_WORLD_TABLE,
            )
        staged = salient_terms.stage_of(commodity, about.words)
        if staged is None:
            return cell.refused(f"{cell.type!r} has no stage of production", NOT_FOLLOWED)
        stage, form = staged
        about = replace(about, product=salient_terms.Product(commodity, form))
    stated = salient_amount(cell, about.measure)
    if isinstance(stated, RefusedItem):
        return stated
    try:
        claim = _claim(cell, about, stage, stated)
        claim.check_recordable()
    except InvalidInput as error:
        return cell.refused(error.message, error.code)
    return claim


def source_day(edition: Edition) -> PartialDate | None:
    """Return the exact day of an edition; None if it is the one of its tables by country."""
    return RELEASED.get(edition.year)


def salient_amount(cell: Cell, measure: salient_terms.Measure) -> Amount | RefusedItem:
    """Return the amount of a cell in the publisher's unit, or the reason why it is unknown."""
    text, unit = cell.text.removesuffix("%"), measure.unit
    if text == "E" and cell.statistic is Statistic.NET_IMPORT_RELIANCE:
        return Amount(qualifier=Qualifier.NET_EXPORTER)
    if match := NEGATIVE.fullmatch(text):
        if cell.statistic is Statistic.STOCKPILE_SHIPMENTS:
            return Amount(-Decimal(match["value"].replace(",", "")))
        reason = "no negative number is possible: a footnote mark in brackets was read as one"
        return cell.refused(reason, KNOWN_MISTAKE)
    if HALF_UNIT.fullmatch(text):
        return Amount(Decimal("0.5"), qualifier=Qualifier.LESS_THAN)
    if match := LESS_THAN.fullmatch(text):
        factor = UNIT_FACTORS.get((match["what"].casefold(), unit))
        if factor:
            value = Decimal(match["value"].replace(",", "")) / factor
            return Amount(value, qualifier=Qualifier.LESS_THAN)
    if text.startswith("Variable"):
        return cell.refused("words in place of a number")
    stated = amount(text, cell.note, cell.year, unit)
    if isinstance(stated, str):
        if text == "s" and cell.note:
            return Amount(qualifier=Qualifier.NOT_AVAILABLE)
        return cell.refused(stated)
    if cell.statistic is Statistic.PRICE and stated.value == 0:
        return cell.refused(
            "no price is 0: nothing was traded, or decimals are lost", KNOWN_MISTAKE
        )
    return stated


def _claim(cell: Cell, about: Subject, stage: Stage | None, stated: Amount) -> Claimed:
    factor = about.measure.factor
    estimated = notes.is_estimate(cell.note, cell.year, cell.estimated, by_type=False)
    return Claimed(
        source=cell.edition.source(cell.reference, source_day(cell.edition)),
        series=Series(
            commodity=about.product.commodity,
            place=UNITED_STATES,
            statistic=cell.statistic,
            stage=stage,
            form=about.product.form,
            period=cell.year,
        ),
        edition=cell.edition.name,
        quantity=Quantity(
            unit=about.measure.unit,
            value=None if stated.value is None else _plain(stated.value * factor),
            upper=None if stated.upper is None else _plain(stated.upper * factor),
            qualifier=stated.qualifier,
            basis=about.basis,
            estimated=stated.estimated or estimated,
            rounded=notes.is_rounded(cell.note),
        ),
        note=notes.joined(_notes(cell, about)),
    )


def _plain(value: Decimal) -> Decimal:
    """Return a number without an exponent and without zeros after its last decimal."""
    whole = value.to_integral_value()
    return whole if value == whole else value.normalize()


def _notes(cell: Cell, about: Subject) -> list[str]:
    """Return the publisher's note, the remarks of the header, and corrections made here."""
    note = notes.without_repetitions(cell.note)
    lost = cell.text.startswith("?") and cell.statistic is Statistic.STOCKPILE_SHIPMENTS
    corrected = "The minus sign is lost in the file." if lost else None
    return [text for text in (note, *about.remarks, corrected) if text]
