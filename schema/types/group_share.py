"""The share of a group of countries as GraphQL shows it."""

from __future__ import annotations

from decimal import Decimal

from strawberry import field

from projections.analysis import groups
from projections.analysis.claims import Orders
from projections.analysis.distribution import Distribution
from schema.base.decorators import object_type
from schema.types.common import Place, place
from schema.types.figure import Claim, referenced_claim
from schema.types.place_figure import PlaceFigure, place_figure


@object_type
class UncountedPlace:
    """A place whose figure, if there is one, is not counted in the share of a group."""

    place: Place = field(description="The place.")
    reason: str = field(description="Why, in words.")
    figure: PlaceFigure | None = field(description="Its figure; null where there is none.")


@object_type
class GroupShare:
    """The share of a group of countries in the world's figure, each country counted once. What is
    not known is listed and never taken for 0.
    """

    members: list[Place] = field(
        description="The countries of the group at this moment; of all but some, those that there are"
        " figures for."
    )
    members_known: bool = field(
        description="Whether all of them are known; false for an alliance without a published list."
    )
    share: Decimal | None = field(
        description="The sum of the counted shares as a fraction of 1, rounded to 4 decimal places: the"
        " share of the group where it is `complete`, else a part of it. Null where no member has"
        " a share."
    )
    share_at_most: Decimal | None = field(
        description="What the known shares of all others leave of the world, and no less than `share`, or"
        " than that with the figure for other countries where a member may be one of these; `share`"
        " itself where it is complete and the group is not `allBut`. Null where no share is known,"
        " where not all members are, and where all known shares leave a member whose figure gives it no"
        " share (withheld, a bound) nothing, or no more than the rounding of the world's total may hide:"
        " the total may be one without it. World totals are rounded, so it is not exact to the last"
        " digit."
    )
    complete: bool = field(description="Whether every member is counted, and there is one.")
    value: Decimal | None = field(
        description="The sum of the counted figures; null where they cannot be added to the world's."
    )
    unit: str | None = field(description="The unit of the value, that of the world's claim.")
    basis: str | None = field(description="The basis of the value.")
    figures: list[PlaceFigure] = field(
        description="The counted figures, the largest shares first: of countries or, where one of these"
        " has none, of a group of which all are members. In a group of all but some also that of"
        " `other countries`, where its edition names each of these: it counts in the stead of members"
        " whom only other editions name."
    )
    missing: list[UncountedPlace] = field(
        description="Members that are not counted: without a figure of their own, withheld, or not"
        " comparable."
    )
    overlapping: list[UncountedPlace] = field(
        description="Figures that are not counted since they include countries that are counted already,"
        " or others than members."
    )
    computed_from: list[Claim] = field(
        description="The claims that the share is computed from, the world's claim first."
    )
    mixed_editions: bool = field(
        description="Whether these claims are of several editions or publishers."
    )


def shown_group_share(of: groups.GroupShare, spread: Distribution, orders: Orders) -> GroupShare:
    """The GraphQL type of the share of a group in a distribution."""
    world = spread.world.claim.quantity if spread.world and of.number is not None else None
    return GroupShare(
        members=[place(code) for code in of.members],
        members_known=of.members_known,
        share=of.share,
        share_at_most=of.share_at_most,
        complete=of.complete,
        value=of.number,
        unit=world.unit if world else None,
        basis=world.basis if world else None,
        figures=[place_figure(item, orders) for item in of.counted],
        missing=[uncounted_place(item, orders) for item in of.missing],
        overlapping=[uncounted_place(item, orders) for item in of.overlapping],
        computed_from=[referenced_claim(item, orders) for item in of.computed_from],
        mixed_editions=of.mixed_editions,
    )


def uncounted_place(of: groups.Uncounted, orders: Orders) -> UncountedPlace:
    """The GraphQL type of a place that is not counted."""
    return UncountedPlace(
        place=place(of.place),
        reason=of.reason,
        figure=place_figure(of.share, orders) if of.share else None,
    )
