"""GraphQL types of supplies."""

import strawberry

from projections.analysis import supplies
from schema.base.output_types import output_type, struct_field
from schema.types.common import Commodity


@output_type()
class SupplyUnit:
    """A unit and a basis of claims."""

    of: strawberry.Private[supplies.SupplyUnit]


@output_type(
    first="commodity figures_of statistic stage form years places has_world_total figures claims "
    "publishers"
)
class Supply:
    """One product of a commodity: a statistic, stage and form with its figures."""

    of: strawberry.Private[supplies.Supply]

    commodity: Commodity = struct_field()
    figures_of: Commodity = struct_field()
    unit: str = struct_field("most_used.unit")
    """The unit of most claims, counted with their basis: the first of `units`."""
    basis: str | None = struct_field("most_used.basis")
    """The basis of this unit; null if the publishers do not state it."""
    units: list[SupplyUnit] = struct_field()
