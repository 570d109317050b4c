"""Supplies: products with figures, and the product that a query means. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from tracker.domain.basics.units import Unit
from tracker.domain.basics.vocabulary import Stage, Statistic
from tracker.domain.catalogue.commodities import Commodity

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SupplyUnit:
    """A unit and basis of claims on a supply, with the number of claims."""

    unit: Unit
    basis: str | None
    claims: int


@dataclass(frozen=True, slots=True)
class Supply:
    """A product of a commodity with a summary of its figures for one statistic.

    `places` counts countries, not the world, other countries or unions. `units` begins with the unit of
    most claims.
    """

    commodity: Commodity
    statistic: Statistic
    stage: Stage | None
    form: str | None
    years: tuple[int, ...]
    places: int
    has_world_total: bool
    figures: int
    claims: int
    publishers: tuple[str, ...]
    units: tuple[SupplyUnit, ...]
    figures_of: Commodity
    """The commodity under which the figures are filed."""

    @property
    def most_used(self) -> SupplyUnit:
        """The unit and basis with the most claims."""
        return self.units[0]


@dataclass(frozen=True, slots=True)
class Product:
    """A stage of the supply chain and a form of the commodity at it."""

    stage: Stage | None
    form: str | None


def with_filed_supplies(
    supplies: Collection[Supply], commodities: Iterable[Commodity]
) -> Iterator[Supply]:
    """Yield supplies; commodities without own figures get those filed under another."""
    yield from supplies
    own = {(one.commodity, one.statistic) for one in supplies}
    for commodity in commodities:
        filed = commodity.filed_figures
        for one in supplies if filed else ():
            if (
                filed
                and one.commodity == filed.commodity
                and filed.include(one.stage)
                and (commodity, one.statistic) not in own
            ):
                yield replace(one, commodity=commodity)


def of_statistic(
    supplies: Iterable[Supply], commodity: Commodity, statistic: Statistic
) -> list[Supply]:
    """Return the supplies of one commodity and statistic."""
    return [one for one in supplies if (one.commodity, one.statistic) == (commodity, statistic)]


def product_meant(
    supplies: Collection[Supply], stage: Stage | None = None, form: str | None = None
) -> Product:
    """Return the product of a query that names only a stage, only a form, or neither.

    `supplies` are those of its commodity and statistic.

    - Without a stage it is the mine if there are figures for it in any year, else the only stage
      with figures.
    - Without a form it is the product without one if there are figures for it, else the only form
      at that stage.

    If several remain, none is chosen. A named stage or form is never replaced.
    """
    if stage is None:
        stages = {one.stage for one in supplies if form in (None, one.form)}
        stage = Stage.MINE if Stage.MINE in stages else _only(stages)
    forms = {one.form for one in supplies if one.stage == stage}
    if form is None and None not in forms:
        form = _only(forms)
    return Product(stage, form)


def latest_year(supplies: Iterable[Supply], product: Product) -> int | None:
    """Return the latest year with figures for a product, or None.

    `supplies` are those of its commodity and statistic.
    """
    years = [one.years for one in supplies if Product(one.stage, one.form) == product]
    return max((year for of in years for year in of), default=None)


def plain_product(statistic: Statistic, stage: Stage | None = None) -> Product:
    """Return the product without a form for a query, assuming that figures for it exist: see
    `product_meant`."""
    mined = statistic is not Statistic.RESERVES
    return Product(stage or (Stage.MINE if mined else None), None)


def _only(items: Collection[T]) -> T | None:
    return next(iter(items)) if len(items) == 1 else None
