"""The share of a group of countries as GraphQL shows it."""

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
from tracker.domain.values import Quantity


@output_type(of=groups.Uncounted, only_spelled=True, given="orders")
class UncountedPlace:
    """A place whose figure, if there is one, is not counted in the share of a group."""

    of: strawberry.Private[groups.Uncounted]
    orders: strawberry.Private[Orders]

    place: Place = struct_field(description="The place.")
    reason: str = struct_field(description="Why, in words.")
    figure: PlaceFigure | None = struct_field(
        "share", description="Its figure; null where there is none."
    )


@output_type(
    of=groups.GroupShare,
    only_spelled=True,
    first="members members_known share share_at_most complete value unit basis",
)
class GroupShare:
    """The share of a group of countries in the world's figure, each country counted once. What is
    not known is listed and never taken for 0.
    """

    of: strawberry.Private[groups.GroupShare]
    spread: strawberry.Private[Distribution]
    orders: strawberry.Private[Orders]

    members: list[Place] = struct_field(
        description="The countries of the group at this moment; of all but some, those that there are"
        " figures for."
    )
    members_known: bool = struct_field(
        description="Whether all of them are known; false for an alliance without a published list."
    )
    share: Decimal | None = struct_field(
        description="The sum of the counted shares as a fraction of 1, rounded to 4 decimal places: the"
        " share of the group where it is `complete`, else a part of it. Null where no member has"
        " a share."
    )
    share_at_most: Decimal | None = struct_field(
        description="What the known shares of all others leave of the world, and no less than `share`, or"
        " than that with the figure for other countries where a member may be one of these; `share`"
        " itself where it is complete and the group is not `allBut`. Null where no share is known,"
        " where not all members are, and where all known shares leave a member whose figure gives it no"
        " share (withheld, a bound) nothing, or no more than the rounding of the world's total may hide:"
        " the total may be one without it. World totals are rounded, so it is not exact to the last"
        " digit."
    )
    complete: bool = struct_field(description="Whether every member is counted, and there is one.")
    value: Decimal | None = struct_field(
        "number",
        description="The sum of the counted figures; null where they cannot be added to the world's.",
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
        description="The counted figures, the largest shares first: of countries or, where one of these"
        " has none, of a group of which all are members. In a group of all but some also that of"
        " `other countries`, where its edition names each of these: it counts in the stead of members"
        " whom only other editions name.",
    )
    missing: list[UncountedPlace] = struct_field(
        description="Members that are not counted: without a figure of their own, withheld, or not"
        " comparable."
    )
    overlapping: list[UncountedPlace] = struct_field(
        description="Figures that are not counted since they include countries that are counted already,"
        " or others than members."
    )
    computed_from: list[Claim] = struct_field(
        description="The claims that the share is computed from, the world's claim first."
    )
    mixed_editions: bool = struct_field(
        description="Whether these claims are of several editions or publishers."
    )
