"""Shares, concentration and what is left for other countries as GraphQL shows them."""

from __future__ import annotations

from decimal import Decimal

from strawberry import field

from projections.analysis import distribution as production
from projections.analysis.claims import Orders
from schema.base.decorators import object_type
from schema.types.common import Commodity, Place, Quantity, commodity, from_state, place
from schema.types.figure import Choice, Claim, choice, claim, preferred_claim, referenced_claim


@object_type
class PlaceFigure(Quantity):
    """A place's preferred claim, and its share of the world's."""

    place: Place = field(description="Whose figure it is.")
    share: Decimal | None = field(
        description="Its part of the world's figure as a fraction of 1, to 4 places; null where one"
        " of the two has no number or only a bound, the bases differ, or no factor between the"
        " units is declared."
    )
    share_unavailable_reason: str | None = field(description="Why there is no share, in words.")
    computed_from: list[Claim] = field(
        description="The claims that the share is computed from: its own, and the world's in the"
        " same edition, or else the world's preferred one. Empty without a share."
    )
    mixed_editions: bool = field(
        description="Whether these two are not of one edition of one publisher."
    )
    publisher: str = field(description="Whose claim is preferred.")
    edition: str = field(description="The edition of the preferred claim.")
    figure: str = field(description="The key of the figure.")
    preferred: Claim = field(description="The preferred claim, with its source.")
    choice: Choice = field(description="Why it is preferred.")
    claims: list[Claim] = field(description="All claims for it, side by side.")


@object_type
class Concentration:
    """How far output or reserves lie in few hands, from unrounded shares of places other than the
    world, other countries and the EU.
    """

    hhi: Decimal = field(
        description="The Herfindahl-Hirschman index: the sum of squared shares in percent, up to"
        " 10000. A lower bound where places have no share: see `coveredShare`."
    )
    top_three_share: Decimal = field(description="The part of the three largest, as a fraction.")
    top_three: list[Place] = field(description="The three largest, the first of them first.")
    covered_share: Decimal = field(description="The part of the world that went into the index.")
    computed_from: list[Claim] = field(
        description="The claims that it is computed from, the world's first."
    )
    mixed_editions: bool = field(
        description="Whether these are not all of one edition of one publisher."
    )


@object_type
class Residual:
    """What the world's preferred claim leaves for countries that its edition does not name: the
    total less all that is named in the same edition. Negative where a rounded total is smaller.
    """

    value: Decimal = field(description="The number.")
    unit: str = field(description="The unit, that of the world's claim.")
    basis: str | None = field(description="What is weighed; null where it is not said.")
    published: Claim | None = field(
        description="What the same edition itself says of other countries; null if nothing."
    )
    included_places: list[Place] = field(
        description="Named places without a number that could be subtracted: withheld, a bound, of"
        " another basis. What they make is part of the residual."
    )
    computed_from: list[Claim] = field(
        description="The claims that it is computed from, the world's first."
    )


@object_type
class Distribution:
    """How the world's output or reserves of a commodity are spread."""

    commodity: Commodity = field(description="Of what.")
    world: Claim | None = field(description="The preferred claim for the world; null without one.")
    figures: list[PlaceFigure] = field(
        description="Every other place's figure: the largest shares first, then those without one."
    )
    without_number: list[Place] = field(
        description="Places whose preferred claim has no number: withheld, not available, …."
    )
    not_comparable: list[PlaceFigure] = field(
        description="Figures with a number that can't be set against the world's."
    )
    concentration: Concentration | None = field(
        description="How far it lies in few hands; null without any share."
    )
    residual: Residual | None = field(
        description="What is left for other countries; null where the world has no number."
    )


def distribution(id: str, of: production.Distribution, orders: Orders) -> Distribution:
    """A distribution as it is shown."""
    return Distribution(
        commodity=commodity(id),
        world=preferred_claim(of.world) if of.world else None,
        figures=[place_figure(item, orders) for item in of.shares],
        without_number=[place(code) for code in of.without_number],
        not_comparable=[place_figure(item, orders) for item in of.not_comparable],
        concentration=concentration(of.concentration, orders) if of.concentration else None,
        residual=residual(of.residual, orders) if of.residual else None,
    )


def concentration(of: production.Concentration, orders: Orders) -> Concentration:
    """A concentration as it is shown."""
    return Concentration(
        hhi=of.hhi,
        top_three_share=of.top_three_share,
        top_three=[place(code) for code in of.top_three],
        covered_share=of.covered_share,
        computed_from=[referenced_claim(item, orders) for item in of.computed_from],
        mixed_editions=of.mixed_editions,
    )


def residual(of: production.Residual, orders: Orders) -> Residual:
    """What is left for other countries as it is shown."""
    return Residual(
        value=of.value,
        unit=of.unit,
        basis=of.basis,
        published=referenced_claim(of.published, orders) if of.published else None,
        included_places=[place(code) for code in of.included_places],
        computed_from=[referenced_claim(item, orders) for item in of.computed_from],
    )


def place_figure(item: production.Share, orders: Orders) -> PlaceFigure:
    """A place's figure as it is shown."""
    figure, preferred = item.chosen.cited
    return from_state(
        PlaceFigure,
        preferred.quantity,
        preferred,
        publisher=preferred.publisher,
        place=place(item.place),
        share=item.share,
        share_unavailable_reason=item.incomparable_reason,
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
