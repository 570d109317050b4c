"""A place's figure and its share as GraphQL shows them."""

from __future__ import annotations

from decimal import Decimal

from strawberry import field

from projections.analysis.claims import Orders
from projections.analysis.distribution import Share
from schema.base.decorators import object_type
from schema.types.common import Place, Quantity, from_state, place
from schema.types.figure import Choice, Claim, choice, claim, preferred_claim, referenced_claim


@object_type
class PlaceFigure(Quantity):
    """A place's preferred claim, and its share of the world's figure."""

    place: Place = field(description="The place of the figure.")
    share: Decimal | None = field(
        description="Its share of the world's figure as a fraction of 1, rounded to 4 decimal places;"
        " null where one of the two has no number or only a bound, the bases differ, the"
        " units cannot be converted, or the world's figure is nil or less than a thousandth of it."
    )
    share_unavailable_reason: str | None = field(
        description="Why there is no share, in words; null where there is one."
    )
    rank: int | None = field(
        description="Its rank among countries, 1 for the largest share; equal shares have the same rank."
        " Null without a share or with one of 0, and for `other countries` and the EU."
    )
    cumulative_share: Decimal | None = field(
        description="The sum of the shares of the countries down to this one, rounded to 4 decimal"
        " places; null without a rank. It can exceed 1 where the world's total is rounded."
    )
    computed_from: list[Claim] = field(
        description="The claims that the share is computed from: its own, and the world's claim in the"
        " same edition or else its preferred one. Empty without a share."
    )
    mixed_editions: bool = field(
        description="Whether these two claims are of different editions or publishers."
    )
    publisher: str = field(description="The short id of the publisher of the preferred claim.")
    edition: str = field(description="The edition of the preferred claim.")
    figure: str = field(description="The key of the figure.")
    preferred: Claim = field(description="The preferred claim, with its source.")
    choice: Choice = field(description="Why it is preferred.")
    claims: list[Claim] = field(description="All claims on the figure.")


def place_figure(item: Share, orders: Orders) -> PlaceFigure:
    """The GraphQL type of a place's figure."""
    figure, preferred = item.chosen.cited
    return from_state(
        PlaceFigure,
        preferred.quantity,
        preferred,
        publisher=preferred.publisher,
        place=place(item.place),
        share=item.share,
        share_unavailable_reason=item.incomparable_reason,
        rank=item.rank,
        cumulative_share=item.cumulative_share,
        figure=figure.id,
        later={
            "computed_from": lambda: [referenced_claim(one, orders) for one in item.computed_from],
            "mixed_editions": lambda: item.mixed_editions,
            "preferred": lambda: preferred_claim(item.chosen),
            "choice": lambda: choice(item.chosen),
            "claims": lambda: [
                claim(figure, of, preferred=of is preferred) for of in figure.claims
            ],
        },
    )
