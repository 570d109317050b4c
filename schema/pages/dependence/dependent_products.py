"""Products that a place imports, with its reliance and the controls of their origins. Pure."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct

from schema.pages.dependence.exposure_lists import ExposureList
from schema.pages.dependence.reliance import is_reliance, latest_point, line_name, reliance_in_words

NET_EXPORT, MISSING = Decimal(-1), Decimal(-2)
"""Ranks of a net exporter and of a missing number, below all numbers."""


class Reliance(Struct, frozen=True):
    """The latest net import reliance on a product."""

    name: str
    commodity: Mapping[str, Any]
    claim: Mapping[str, Any]
    year: int
    path: str
    """Path of the claim in the response."""
    words: str

    @property
    def rank(self) -> Decimal:
        """Return the number for the order; a bound such as `more than 50` counts as its number."""
        return NET_EXPORT if self.claim["value"] is None else Decimal(self.claim["value"])


class DependentProduct(Struct, frozen=True):
    """A product with its list of origins, and the reliance on its commodity; one may be missing."""

    name: str
    commodity: Mapping[str, Any]
    reliance: Reliance | None
    listed: ExposureList | None

    @property
    def controlling(self) -> list[str]:
        """Return the names of the origins that control it."""
        if self.listed is None:
            return []
        return [
            one["place"]["name"]
            for one in self.listed.listed["origins"]
            if one["controls"]["status"] != "NONE"
        ]


def reliances(lines: Sequence[Mapping[str, Any]]) -> list[Reliance]:
    """Return the latest reliance of each line, the largest first."""
    known = [
        Reliance(
            line_name(line),
            line["commodity"],
            point["claim"],
            point["year"],
            f"asOf.reliance.lines.{number}.points.{line['points'].index(point)}.claim",
            reliance_in_words(point["claim"]),
        )
        for number, line in enumerate(lines)
        if (point := latest_point(line))
    ]
    return sorted(known, key=_largest_first)


def newest_reliances(figures: Sequence[Mapping[str, Any]]) -> list[Reliance]:
    """Return the newest reliance on each product of figures, the largest first.

    `figures` are the newest ones first.
    """
    newest: dict[str, Reliance] = {}
    for index, figure in enumerate(figures):
        series, claim = figure["series"], figure["preferred"]
        if is_reliance(claim):
            newest.setdefault(
                name := line_name(series),
                Reliance(
                    name,
                    series["commodity"],
                    claim,
                    series["period"],
                    f"asOf.reliance.nodes.{index}.preferred",
                    reliance_in_words(claim),
                ),
            )
    return sorted(newest.values(), key=_largest_first)


def _largest_first(one: Reliance) -> tuple[Decimal, str]:
    return -one.rank, one.name


def dependent_products(
    of_place: Sequence[Reliance], lists: Sequence[ExposureList]
) -> list[DependentProduct]:
    """Return a row for each list and for each reliance without one, the largest dependence first.

    Reliance is the first order and the upper bound of a list the second. They are never combined.
    """
    rows = [
        DependentProduct(one.name, one.listed["commodity"], _of(of_place, one), one)
        for one in lists
    ]
    used = {id(row.reliance) for row in rows}
    rows += [
        DependentProduct(one.name, one.commodity, one, None)
        for one in of_place
        if id(one) not in used
    ]
    return sorted(
        rows,
        key=lambda row: (
            -(row.reliance.rank if row.reliance else MISSING),
            -_upper_share(row),
            row.name,
        ),
    )


def _of(of_place: Sequence[Reliance], listed: ExposureList) -> Reliance | None:
    """Return the reliance on the commodity of a list; None without one, or one of each product."""
    key = listed.listed["commodity"]["key"]
    same = [one for one in of_place if one.commodity["key"] == key]
    exact = [one for one in same if one.name == listed.name]
    return next(iter(exact), same[0] if len(same) == 1 else None)


def _upper_share(row: DependentProduct) -> Decimal:
    if row.listed is None:
        return Decimal(0)
    listed = row.listed.listed
    return Decimal(listed["upper"]) / (Decimal(listed["whole"]) or 1)
