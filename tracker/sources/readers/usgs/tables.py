"""Subject of each USGS table: commodity, stage, form and basis, as declared in `tables.toml`."""

import re
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from msgspec import Struct

from tracker.domain.basics.toml_files import read_toml
from tracker.domain.basics.vocabulary import Stage, Statistic
from tracker.domain.catalogue.commodities import Commodity, find_commodity
from tracker.domain.catalogue.places import Place
from tracker.sources.readers.usgs.cells import Cell

COMMODITY_IN_NAME = (
    "the commodity is read from the file name mcs2022-NAME_world.csv; use --set commodity=NAME"
)


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of a cell."""

    commodity: Commodity
    stage: Stage | None
    form: str | None
    basis: str | None
    place: Place | None
    """The place, if the type names it rather than the column of countries."""
    detail_is_basis: bool
    """Whether a row's addition to its type or country is the basis of weight."""
    typed: bool
    """Whether the type chose this subject, so that it adds no further detail."""
    own: Commodity
    """The commodity of the row itself, if its reserves are stated for a wider one."""


class Correction(Struct, frozen=True):
    """A wrong unit in the file, or a value that cannot be right."""

    edition: int
    of: str
    statistic: str
    why: str
    unit: str = ""
    country: str = ""
    text: str = ""

    def matches(self, cell: Cell, commodity: Commodity) -> bool:
        """Return whether the correction applies to this cell."""
        return (
            self.edition == cell.edition.year
            and self.of == commodity
            and self.statistic == cell.statistic
            and self.country in ("", cell.country)
            and self.text in ("", cell.text)
        )


def subject(cell: Cell) -> Subject | str:
    """Return the subject of a cell, or the reason why it is unknown."""
    if not cell.table:
        return COMMODITY_IN_NAME
    chapter = chapter_of(cell)
    if chapter is None:
        return f"unknown commodity {cell.table!r}"
    rule = next((rule for rule in _declared()["tables"] if _matches(rule, cell, chapter)), None)
    if rule is None:
        return f"no table is declared for {chapter} with the type {cell.type!r}"
    plain = _subject(rule, chapter)
    if cell.statistic is not Statistic.RESERVES:
        return plain if plain.stage else f"{cell.type!r} has no stage for {cell.statistic}"
    return _of_reserves(plain, rule.get("reserves", {}))


def chapter_of(cell: Cell) -> Commodity | None:
    """Return the commodity that the publisher's chapter or file is named after."""
    return find_commodity(_declared()["names"].get(cell.table.lower(), cell.table))


def unit_correction(cell: Cell) -> Correction | None:
    """Return the declared correction of the unit of this cell."""
    return _correction(cell, "units")


def wrong_value(cell: Cell) -> Correction | None:
    """Return the declared reason why the value of this cell cannot be right, if any."""
    return _correction(cell, "wrong")


def _correction(cell: Cell, kind: str) -> Correction | None:
    chapter = chapter_of(cell)
    return next((c for c in _corrections(kind) if chapter and c.matches(cell, chapter)), None)


def _matches(rule: dict[str, Any], cell: Cell, chapter: Commodity) -> bool:
    return (
        chapter in rule["of"].split("|")
        and rule.get("edition", cell.edition.year) == cell.edition.year
        and rule.get("statistic", cell.statistic) == cell.statistic
        and re.search(rule.get("type", ""), f"{cell.type} {cell.country}", re.IGNORECASE)
        is not None
    )


def _subject(rule: dict[str, Any], chapter: Commodity) -> Subject:
    commodity = Commodity(rule.get("commodity", chapter))
    return Subject(
        commodity=commodity,
        own=commodity,
        stage=Stage(rule["stage"]) if "stage" in rule else None,
        form=rule.get("form"),
        basis=rule.get("basis"),
        place=Place(rule["place"]) if "place" in rule else None,
        detail_is_basis=rule.get("detail", False),
        typed="type" in rule,
    )


def _of_reserves(plain: Subject, override: dict[str, str] | bool) -> Subject | str:
    """Return the subject of reserves: they have no stage, and often another basis than production."""
    if isinstance(override, bool):
        return "reserves are stated in the rows for the mine"
    return replace(
        plain,
        stage=None,
        commodity=Commodity(override.get("commodity", plain.commodity)),
        form=override.get("form", plain.form),
        basis=override.get("basis", plain.basis) or None,
    )


@cache
def _declared() -> dict[str, Any]:
    return read_toml(__file__)


@cache
def _corrections(kind: str) -> tuple[Correction, ...]:
    return tuple(Correction(**item) for item in _declared()[kind])
