"""Supplies: products with figures, and the product that a query means. Pure."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from msgspec import Struct

from tracker.domain.basics.units import Unit
from tracker.domain.basics.vocabulary import Stage, Statistic
from tracker.domain.catalogue.commodities import Commodity

T = TypeVar("T")


class SupplyUnit(Struct, frozen=True):
    """A unit and basis of claims on a supply, with the number of claims."""

    unit: Unit
    """The unit, such as `t`."""
    basis: str | None
    """The basis of the weight; null if the publisher does not state it."""
    claims: int
    """The number of claims with this unit and basis."""


@dataclass(frozen=True, slots=True)
class Supply:
    """A product of a commodity with a summary of its figures for one statistic."""

    commodity: Commodity
    """The commodity."""
    statistic: Statistic
    """The statistic."""
    stage: Stage | None
    """The stage of the supply chain; null for reserves."""
    form: str | None
    """The product, if one stage has several; null otherwise."""
    years: tuple[int, ...]
    """The years with figures, ascending; empty for reserves."""
    places: int
    """The number of countries with a figure in any of these years, without the world, other countries,
    unions and groups."""
    has_world_total: bool
    """Whether there is a figure for the world in at least one of these years. Without it there are no
    shares."""
    figures: int
    """The number of figures."""
    claims: int
    """The number of claims in them, of all editions."""
    publishers: tuple[str, ...]
    """The short ids of the publishers of the claims."""
    units: tuple[SupplyUnit, ...]
    """All units and bases of claims, the most frequent first. Figures of different bases are not
    comparable unless an equivalence is declared."""
    figures_of: Commodity
    """The commodity under which publishers file the figures, such as graphite for natural graphite; the
    commodity itself if it has its own."""

    @property
    def most_used(self) -> SupplyUnit:
        """The unit and basis with the most claims."""
        return self.units[0]


class Product(Struct, frozen=True):
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
