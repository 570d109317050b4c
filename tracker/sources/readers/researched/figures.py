"""Researched production, reserves and shares as claims."""

from __future__ import annotations

from typing import Any

from tracker.domain.figure import Claimed, Series
from tracker.domain.units import Unit
from tracker.domain.values import Commodity, Place, Quantity
from tracker.domain.vocabulary import Qualifier, Stage, Statistic
from tracker.sources.readers.researched.rows import Entry, Row, check_details, note, number, source

QUALIFIERS = {
    "about": Qualifier.ABOUT,
    "greater_than": Qualifier.MORE_THAN,
    "nearly": Qualifier.NEARLY,
    "not_available": Qualifier.NOT_AVAILABLE,
    "not_stated_in_csv": Qualifier.NOT_STATED,
    "withheld": Qualifier.WITHHELD,
}

STATISTICS = {
    ("production", False): Statistic.PRODUCTION,
    ("reserves", True): Statistic.RESERVES,
    ("share", False): Statistic.PRODUCTION_SHARE,
    ("share", True): Statistic.RESERVES_SHARE,
}
"""What is counted, by the kind of the fact and whether it is about reserves."""

STATUS = {"claim": "A claim of the article, not a statistic of its own"}
"""What a fact's status says beyond `estimated`, in words."""

EXPRESSED = {
    "country": "series.place",
    "geo_kind": "series.place, which knows whether it is an aggregate",
    "status": "quantity.estimated, or the note; not_flagged is what no note calls an estimate",
    "restates": "the same series in a later edition",
    "conflicts_with": "another publisher's claim on the same series",
    "derived_candidates": "the note, which does the sums",
    "probably_year": "the note",
}
"""Details that are expressed otherwise than by a field of the same meaning."""

FIELDS = (
    "commodity",
    "geo",
    "stage",
    "data_year",
    "value",
    "unit",
    "basis",
    "qualifier",
    "edition",
    "rounded",
)


def claim(row: Row) -> Entry:
    """The claim that a fact makes."""
    check_details(row, (*FIELDS, *EXPRESSED))
    subject = series(row)
    fact = Claimed(
        source=source(row),
        series=subject,
        edition=row.details["edition"],
        quantity=_quantity(row.details),
        as_of=row.details["data_year"] if subject.statistic is Statistic.RESERVES else None,
        note=note(STATUS.get(row.details["status"]), row.note),
    )
    return Entry(row.id, subject.stream, fact, row.on.first)


def series(row: Row) -> Series:
    """What a fact's figure is about. Reserves have neither stage nor period."""
    details = row.details
    stock = details["stage"] == "reserves"
    return Series(
        commodity=Commodity(details["commodity"]),
        place=Place(details["geo"]),
        statistic=STATISTICS[row.kind, stock],
        stage=None if stock else Stage(details["stage"]),
        period=None if stock else details["data_year"],
    )


def _quantity(details: dict[str, Any]) -> Quantity:
    return Quantity(
        unit=Unit(details["unit"]),
        value=number(details["value"]),
        qualifier=QUALIFIERS[details["qualifier"]] if details["qualifier"] else None,
        basis=basis(details["basis"], details["unit"]),
        estimated=details["status"] == "estimate",
        rounded=details["rounded"],
    )


def basis(text: str | None, unit: str) -> str | None:
    """What is weighed, without the unit: `REO` of `t REO`; None where only the unit stands."""
    return (text or "").removeprefix(unit).strip() or None
