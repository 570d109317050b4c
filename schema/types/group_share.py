"""GraphQL types of the share of a group of countries."""

from __future__ import annotations

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


@output_type(of=groups.Uncounted, only_spelled=True, given="orders")
class UncountedPlace:
    """A place without a counted figure in the share of a group."""

    of: strawberry.Private[groups.Uncounted]
    orders: strawberry.Private[Orders]

    place: Place = struct_field(description="The place.")
    reason: str = struct_field(description="The reason, in words.")
    figure: PlaceFigure | None = struct_field(
        "share", description="Its figure; null if not recorded."
    )


@output_type(
    of=groups.GroupShare,
    only_spelled=True,
    first="members members_known share share_at_most complete value unit basis",
)
class GroupShare:
    """The share of a group of countries in the world's figure, each country counted once. Missing
    figures are listed and never counted as 0."""

    of: strawberry.Private[groups.GroupShare]
    spread: strawberry.Private[Distribution]
    orders: strawberry.Private[Orders]

    members: list[Place] = struct_field(
        description="The countries of the group at this moment. For a group of all but"
        " some countries, those with figures."
    )
    members_known: bool = struct_field(
        description="Whether the list of members is complete; false for an alliance"
        " without a published list."
    )
    share: Decimal | None = struct_field(
        description="The sum of the counted shares as a fraction of 1, rounded to 4"
        " decimal places. It is the share of the group if `complete`, else a"
        " part of it. Null if no member has a share."
    )
    share_at_most: Decimal | None = struct_field(
        description="An upper bound of the share: 1 less the known shares of all other"
        " countries. It is at least `share`, plus the figure for other"
        " countries if that may contain a member. It equals `share` if the"
        " share is complete and the group is not `allBut`. Null if no share"
        " is known or if the list of members is incomplete. Null also if a"
        " member has a figure without a share (withheld, a bound), and the"
        " known shares leave it no more than the rounding of the world's"
        " total: the total may exclude that member. World totals are rounded,"
        " so the last digit is not exact."
    )
    complete: bool = struct_field(
        description="Whether every member is counted and there is at least one."
    )
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
    missing: list[UncountedPlace] = struct_field(
        description="Members that are not counted: without a figure of their own,"
        " withheld, or not comparable."
    )
    overlapping: list[UncountedPlace] = struct_field(
        description="Figures that are not counted because they include counted countries"
        " or non-members."
    )
    computed_from: list[Claim] = struct_field(
        description="The claims from which the share is computed, the world's claim first."
    )
    mixed_editions: bool = struct_field(
        description="Whether these claims are of several editions or publishers."
    )
