"""Converts a cell to a claim: place, series, quantity, note and source."""

import re
from collections.abc import Iterator

from tracker.domain.basics.units import Unit
from tracker.domain.basics.values import Quantity
from tracker.domain.basics.vocabulary import Qualifier, Statistic
from tracker.domain.catalogue.places import Place, find_place
from tracker.domain.figures.figure_facts import Claimed, Series
from tracker.errors import InvalidInput
from tracker.sources.reader import RefusedItem
from tracker.sources.readers.usgs import notes
from tracker.sources.readers.usgs.cells import Cell
from tracker.sources.readers.usgs.quantities import Amount, amount
from tracker.sources.readers.usgs.tables import Subject, subject, unit_correction, wrong_value
from tracker.sources.readers.usgs.words import WORDS

UNITS = WORDS["units"]
COUNTRY = re.compile(r"(?P<name>[^(]+?)\s*(?:\((?P<detail>[^()]*)\)|, (?P<after>concentrate))?")
AFTER_STAGE = re.compile(r"(?::|\u2014)\s*(?P<detail>[^:\u2014]+)$")
HOW_COUNTED = re.compile(
    r"includes|exports|shipments|from|extracted|recoverable|excluding|rounded", re.IGNORECASE
)
"""Details about the counting of a figure, not about the basis of weight."""


def parse_claim(cell: Cell) -> Claimed | RefusedItem:
    """Return the claim of a cell, or the reason why it is refused."""
    about = subject(cell)
    if isinstance(about, str):
        return cell.refused(about)
    wrong = wrong_value(cell)
    if wrong:
        return cell.refused(wrong.why, "KNOWN_MISTAKE")
    try:
        return _claim(cell, about)
    except InvalidInput as error:
        return cell.refused(error.message, error.code)


def _claim(cell: Cell, about: Subject) -> Claimed | RefusedItem:
    place, detail = country(cell.country)
    if place is None:
        return cell.refused(f"unknown country {cell.country!r}", "UNKNOWN_PLACE")
    unit = _unit(cell)
    stated = amount(cell.text, cell.note, cell.year, unit)
    if isinstance(stated, str):
        return cell.refused(stated)
    details = _details(cell, about, detail)
    basis = _basis(about, details)
    return Claimed(
        source=cell.edition.source(cell.reference, notes.revised_on(cell.note)),
        series=_series(cell, about, place, stated),
        edition=cell.edition.name,
        quantity=_quantity(cell, place, stated, unit, basis),
        as_of=cell.year if cell.statistic is Statistic.RESERVES else None,
        note="; ".join(_notes(cell, details, basis)) or None,
    )


def country(text: str) -> tuple[Place | None, str | None]:
    """Return the place of a row and the addition to its name: `Russia (recoverable)`.

    Footnote marks may be attached to it: `Other countries4`, `Japane` (MCS 2024).
    """
    bare = re.sub(r"\s*\d+$", "", text)
    for candidate in dict.fromkeys((text, bare, bare.removesuffix("e"))):
        if place := find_place(candidate):
            return place, None
        match = COUNTRY.fullmatch(candidate)
        if match and (place := find_place(match["name"])):
            return place, match["detail"] or match["after"]
    return None, None


def _series(cell: Cell, about: Subject, place: Place, stated: Amount) -> Series:
    """Return the series; a figure included elsewhere is missing from the row's own commodity."""
    elsewhere = stated.qualifier is Qualifier.INCLUDED_ELSEWHERE
    return Series(
        commodity=about.own if elsewhere else about.commodity,
        place=about.place or place,
        statistic=cell.statistic,
        stage=about.stage,
        form=about.form,
        period=None if cell.statistic is Statistic.RESERVES else cell.year,
    )


def _quantity(cell: Cell, place: Place, stated: Amount, unit: Unit, basis: str | None) -> Quantity:
    by_type = cell.statistic is not Statistic.RESERVES and "estimated" in cell.type.lower()
    estimated = notes.is_estimate(cell.note, cell.year, cell.estimated, by_type)
    total = place == "WORLD" and stated.qualifier is not Qualifier.RANGE
    return Quantity(
        unit=unit,
        value=stated.value,
        upper=stated.upper,
        qualifier=stated.qualifier,
        basis=basis,
        estimated=stated.estimated or estimated,
        rounded=total or notes.is_rounded(cell.country, cell.type, cell.note),
    )


def _unit(cell: Cell) -> Unit:
    """Return the unit in the file, or its declared correction."""
    correction = unit_correction(cell)
    unit_text = correction.unit if correction else cell.unit
    return Unit(UNITS.get(unit_text.lower(), unit_text))


def _details(cell: Cell, about: Subject, of_country: str | None) -> list[str]:
    """Return a row's addition to its table's subject: with the country, the stage, or as a note."""
    match = AFTER_STAGE.search(cell.type)
    of_type = match["detail"] if match and not about.typed else None
    of_note = notes.material(cell.note) if about.detail_is_basis else None
    details = (of_country if not about.typed else None, of_type, of_note)
    return [_uncapitalized(d) for d in details if d and "rounded" not in d.lower()]


def _uncapitalized(detail: str) -> str:
    """Return `Ulexite` as `ulexite`, but `K2O equivalent` unchanged."""
    return detail.lower() if detail.istitle() or detail.capitalize() == detail else detail


def _basis(about: Subject, details: list[str]) -> str | None:
    if not about.detail_is_basis:
        return about.basis
    return next((d for d in details if not HOW_COUNTED.match(d)), about.basis)


def _notes(cell: Cell, details: list[str], basis: str | None) -> Iterator[str]:
    """Return the publisher's note, the row's details besides the basis, and corrections made here."""
    note = notes.without_repetitions(cell.note)
    if note and note.rstrip(".").lower() != basis:
        yield note
    yield from (d for d in details if d != basis)
    if correction := unit_correction(cell):
        yield f"Read in {correction.unit}: {correction.why}."
