"""GraphQL types of supplies."""

from __future__ import annotations

import strawberry

from projections.analysis import supplies
from schema.base.output_types import output_type, struct_field
from schema.types.common import Commodity
from tracker.domain.basics.vocabulary import Stage, Statistic


@output_type(of=supplies.SupplyUnit, only_spelled=True)
class SupplyUnit:
    """A unit and a basis of claims."""

    of: strawberry.Private[supplies.SupplyUnit]

    unit: str = struct_field(description="The unit, such as `t`.")
    basis: str | None = struct_field(
        description="The basis of the weight; null if the publisher does not state it."
    )
    claims: int = struct_field(description="The number of claims with this unit and basis.")


@output_type(of=supplies.Supply, only_spelled=True)
class Supply:
    """One product of a commodity: a statistic, stage and form with its figures."""

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
        description="The product, if one stage has several; null otherwise."
    )
    years: list[int] = struct_field(
        description="The years with figures, ascending; empty for reserves."
    )
    places: int = struct_field(
        description="The number of countries with a figure in any of these years, without"
        " the world, other countries, unions and groups."
    )
    has_world_total: bool = struct_field(
        description="Whether there is a figure for the world in at least one of these"
        " years. Without it there are no shares."
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
        description="The basis of this unit; null if the publishers do not state it.",
    )
    units: list[SupplyUnit] = struct_field(
        description="All units and bases of claims, the most frequent first. Figures of"
        " different bases are not comparable unless an equivalence is"
        " declared."
    )
