"""Prices over years with the dates of export controls. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from msgspec import Struct

from schema.pages.charts.line_chart import (
    MAX_LINES,
    SERIES,
    DatedMark,
    Line,
    LineChart,
    YearMark,
    change_in_words,
)
from schema.pages.dependence.exposure_lists import ExposureList, beside_rows, clause_rows
from schema.pages.dependence.reliance import LinkTo
from schema.pages.site.amounts import EXACT_QUALIFIERS, amount, measured
from schema.pages.site.naming import edition_of, product
from tracker.domain.wording.phrases import rounded, with_capital, word_phrase

UNITED_STATES = re.compile(r"\bu s\b")
"""The abbreviation in the name of a product, whose points are not in it."""


class PriceRow(Struct, frozen=True):
    """A price of a year."""

    name: str
    year: int
    path: str
    """Path of the claim in the response."""
    claim: Mapping[str, Any]
    words: str
    edition: str
    basis_changed: bool


class ControlDate(Struct, frozen=True):
    """The first day in force of an issuer's clauses, with its number in the charts."""

    number: int
    day: str
    issuer: str
    title: str
    control: str


def control_dates(lists: Sequence[ExposureList]) -> list[ControlDate]:
    """Return the first days in force of the clauses that name the goods, the earliest first."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for row in (*clause_rows(lists), *beside_rows(lists)):
        day, control = row.applied["clause"]["firstInForce"], row.applied["control"]
        if day and row.applied["match"] == "CERTAIN":
            found.setdefault((day, control["issuer"]["name"]), (control["title"], control["key"]))
    return [
        ControlDate(number, day, issuer, title, key)
        for number, ((day, issuer), (title, key)) in enumerate(sorted(found.items()), start=1)
    ]


def price_name(line: Mapping[str, Any], key: str) -> str:
    """Return the product of a price, without the name of the commodity of the page."""
    if line["commodity"]["key"] == key and line["form"]:
        return with_capital(UNITED_STATES.sub("US", word_phrase(line["form"])))
    return product(line["commodity"]["name"], line["form"])


def price_rows(lines: Sequence[Mapping[str, Any]], key: str) -> list[PriceRow]:
    """Return the prices by product, the newest year first."""
    return [
        PriceRow(
            price_name(line, key),
            point["year"],
            f"asOf.prices.lines.{number}.points.{index}.claim",
            point["claim"],
            amount(point["claim"]),
            edition_of(point["claim"]),
            point["basisChanged"],
        )
        for number, line in enumerate(lines)
        for index, point in reversed(list(enumerate(line["points"])))
    ]


def price_charts(
    lines: Sequence[Mapping[str, Any]],
    key: str,
    dates: Sequence[ControlDate],
    source: str,
    link: LinkTo,
) -> list[LineChart]:
    """Return a chart for each unit. Lines of different products are beside each other only."""
    by_unit: dict[str, list[tuple[str, list[YearMark]]]] = {}
    titles = dict[str, str]()
    for line in lines:
        name = price_name(line, key)
        for unit in dict.fromkeys(point["claim"]["unit"] for point in line["points"]):
            marks = [
                _mark(name, point, link)
                for point in line["points"]
                if point["claim"]["unit"] == unit
                and point["claim"]["value"] is not None
                and point["claim"]["qualifier"] in EXACT_QUALIFIERS
            ]
            if marks:
                by_unit.setdefault(unit, []).append((name, marks))
                whole_name = product(line["commodity"]["name"], line["form"])
                change = change_in_words(marks, unit) or f"in {unit}"
                titles.setdefault(unit, f"{whole_name}: price {change}")
    return [_chart(titles[unit], unit, of_unit, dates, source) for unit, of_unit in by_unit.items()]


def _chart(
    title: str,
    unit: str,
    of_unit: Sequence[tuple[str, list[YearMark]]],
    dates: Sequence[ControlDate],
    source: str,
) -> LineChart:
    lines = [
        Line(name, marks, colour)
        for (name, marks), colour in zip(of_unit[:MAX_LINES], ("ink", *SERIES), strict=False)
    ]
    words = "; ".join(
        f"{line.name}: " + ", ".join(f"{mark.year} {rounded(mark.value)}" for mark in line.marks)
        for line in lines
    )
    return LineChart(
        title,
        f"In {unit}. {words}.",
        source,
        unit,
        lines,
        [DatedMark(date.fromisoformat(one.day), str(one.number)) for one in dates],
    )


def _mark(name: str, point: Mapping[str, Any], link: LinkTo) -> YearMark:
    claim = point["claim"]
    return YearMark(
        point["year"],
        Decimal(claim["value"]),
        f"{name}, {point['year']}: {measured(claim)}, {claim['edition']}",
        link(claim["figure"]),
        True,
        claim["publisher"],
        breaks=point["basisChanged"],
    )
