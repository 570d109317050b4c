"""Supplies as GraphQL shows them."""

from __future__ import annotations

import strawberry

from projections.analysis import supplies
from schema.base.output_types import output_type, struct_field
from schema.types.common import Commodity
from tracker.domain.vocabulary import Stage, Statistic


@output_type(of=supplies.SupplyUnit, only_spelled=True)
class SupplyUnit:
    """A unit and a basis in which claims are given."""

    of: strawberry.Private[supplies.SupplyUnit]

    unit: str = struct_field(description="The unit, such as `t`.")
    basis: str | None = struct_field(
        description="The basis of the weight; null where the publisher does not say."
    )
    claims: int = struct_field(description="The number of claims given so.")


@output_type(of=supplies.Supply, only_spelled=True)
class Supply:
    """One product of a commodity: a statistic, stage and form with the figures that there are."""

    of: strawberry.Private[supplies.Supply]

    commodity: Commodity = struct_field(description="The commodity.")
    figures_of: Commodity = struct_field(
        description="The commodity under which publishers file the figures, such as graphite for natural"
        " graphite; the commodity itself if it has its own."
    )
    statistic: Statistic = struct_field(description="The statistic.")
    stage: Stage | None = struct_field(
        description="The stage of the supply chain; null for reserves."
    )
    form: str | None = struct_field(
        description="The product, where one stage has several; null otherwise."
    )
    years: list[int] = struct_field(
        description="The years that there are figures for, ascending; empty for reserves."
    )
    places: int = struct_field(
        description="The number of countries with a figure, in any of these years; without the world,"
        " other countries, unions and groups."
    )
    has_world_total: bool = struct_field(
        description="Whether there is a figure for the world in one of these years at least. Without it"
        " there are no shares."
    )
    figures: int = struct_field(description="The number of figures.")
    claims: int = struct_field(description="The number of claims in them, of all editions.")
    publishers: list[str] = struct_field(
        description="The short ids of the publishers of the claims."
    )
    unit: str = struct_field(
        "most_used.unit",
        description="The unit of most claims, counted with their basis: the first of `units`.",
    )
    basis: str | None = struct_field(
        "most_used.basis",
        description="The basis that goes with this unit; null where the publishers do not say.",
    )
    units: list[SupplyUnit] = struct_field(
        description="All units and bases in which claims are given, that of most claims first. Figures"
        " of different bases are not comparable unless an equivalence is declared."
    )
