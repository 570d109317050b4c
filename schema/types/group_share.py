"""GraphQL types of the share of a group of countries."""

from decimal import Decimal

import strawberry

from projections.analysis import groups
from projections.analysis.claims import Orders
from projections.analysis.distribution import Distribution
from schema.base.output_types import made_field, output_type, struct_field
from schema.types.common import Place
from schema.types.figure import Claim
from schema.types.place_figure import PlaceFigure
from tracker.domain.basics.values import Quantity


@output_type(of=groups.Uncounted, only_spelled=True, given="orders", first="place reason")
class UncountedPlace:
    """A place without a counted figure in the share of a group."""

    of: strawberry.Private[groups.Uncounted]
    orders: strawberry.Private[Orders]

    place: Place = struct_field()
    figure: PlaceFigure | None = struct_field(
        "share", description="Its figure; null if not recorded."
    )


@output_type(
    of=groups.GroupShare,
    only_spelled=True,
    first="members members_known share share_at_most complete value unit basis figures missing "
    "overlapping computed_from mixed_editions",
)
class GroupShare:
    """The share of a group of countries in the world's figure, each country counted once. Missing
    figures are listed and never counted as 0."""

    of: strawberry.Private[groups.GroupShare]
    spread: strawberry.Private[Distribution]
    orders: strawberry.Private[Orders]

    members: list[Place] = struct_field()
    value: Decimal | None = struct_field(
        "number",
        description="The sum of the counted figures; null if they cannot be added to the world's.",
    )

    @made_field
    def unit(self) -> str | None:
        """The unit of the value, that of the world's claim."""
        return self._world.unit if self._world else None

    @made_field
    def basis(self) -> str | None:
        """The basis of the value."""
        return self._world.basis if self._world else None

    @property
    def _world(self) -> Quantity | None:
        world = self.spread.world
        return world.claim.quantity if world and self.of.number is not None else None

    figures: list[PlaceFigure] = struct_field(
        "counted",
        description="The counted figures, the largest shares first: of countries, or of a"
        " group of members if one of these has no figure. A group of all but"
        " some countries also includes `other countries`, if its edition"
        " names each excluded country. It then represents the members that"
        " only other editions name.",
    )
    missing: list[UncountedPlace] = struct_field()
    overlapping: list[UncountedPlace] = struct_field()
    computed_from: list[Claim] = struct_field()
