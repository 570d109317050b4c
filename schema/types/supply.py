"""Supplies as GraphQL shows them."""

from __future__ import annotations

from strawberry import field

from projections.analysis import supplies
from schema.base.decorators import object_type
from schema.types.common import Commodity, commodity
from tracker.domain.vocabulary import Stage, Statistic


@object_type
class SupplyUnit:
    """A unit and a basis in which claims are given."""

    unit: str = field(description="The unit, such as `t`.")
    basis: str | None = field(
        description="The basis of the weight; null where the publisher does not say."
    )
    claims: int = field(description="The number of claims given so.")


@object_type
class Supply:
    """One product of a commodity: a statistic, stage and form with the figures that there are."""

    commodity: Commodity = field(description="The commodity.")
    figures_of: Commodity = field(
        description="The commodity under which publishers file the figures, such as graphite for natural"
        " graphite; the commodity itself if it has its own."
    )
    statistic: Statistic = field(description="The statistic.")
    stage: Stage | None = field(description="The stage of the supply chain; null for reserves.")
    form: str | None = field(
        description="The product, where one stage has several; null otherwise."
    )
    years: list[int] = field(
        description="The years that there are figures for, ascending; empty for reserves."
    )
    places: int = field(
        description="The number of countries with a figure, in any of these years; without the world,"
        " other countries, unions and groups."
    )
    has_world_total: bool = field(
        description="Whether there is a figure for the world in one of these years at least. Without it"
        " there are no shares."
    )
    figures: int = field(description="The number of figures.")
    claims: int = field(description="The number of claims in them, of all editions.")
    publishers: list[str] = field(description="The short ids of the publishers of the claims.")
    unit: str = field(
        description="The unit of most claims, counted with their basis: the first of `units`."
    )
    basis: str | None = field(
        description="The basis that goes with this unit; null where the publishers do not say."
    )
    units: list[SupplyUnit] = field(
        description="All units and bases in which claims are given, that of most claims first. Figures"
        " of different bases are not comparable unless an equivalence is declared."
    )


def supply(of: supplies.Supply) -> Supply:
    """The GraphQL type of a supply."""
    most = of.units[0]
    return Supply(
        commodity=commodity(of.commodity),
        figures_of=commodity(of.figures_of),
        statistic=of.statistic,
        stage=of.stage,
        form=of.form,
        years=list(of.years),
        places=of.places,
        has_world_total=of.has_world_total,
        figures=of.figures,
        claims=of.claims,
        publishers=list(of.publishers),
        unit=most.unit,
        basis=most.basis,
        units=[SupplyUnit(unit=one.unit, basis=one.basis, claims=one.claims) for one in of.units],
    )
