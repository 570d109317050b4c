"""Shares and concentration as GraphQL shows them."""

from __future__ import annotations

from decimal import Decimal

from strawberry import field

from projections import production
from schema.described import output
from schema.types.common import Commodity, Place, Quantity, commodity, place, shown
from schema.types.figure import Claim, claim


@output
class PlaceFigure(Quantity):
    """A place's preferred claim, and its share of the world's."""

    place: Place = field(description="Whose figure it is.")
    share: Decimal | None = field(
        description="Its part of the world's figure as a fraction of 1, to 4 places; null where one"
        " of the two has no number or only a bound, the bases differ, or no factor between the"
        " units is declared.")
    no_share_because: str | None = field(description="Why there is no share, in words.")
    publisher: str = field(description="Whose claim is preferred.")
    edition: str = field(description="The edition of the preferred claim.")
    figure: str = field(description="The id of the figure.")
    preferred: Claim = field(description="The preferred claim, with its source.")
    claims: list[Claim] = field(description="All claims for it, side by side.")


@output
class Concentration:
    """How far output or reserves lie in few hands, from unrounded shares of places other than the
    world, other countries and the EU.
    """

    hhi: Decimal = field(
        description="The Herfindahl-Hirschman index: the sum of squared shares in percent, up to"
        " 10000. A lower bound where places have no share: see `coveredShare`.")
    top_three_share: Decimal = field(description="The part of the three largest, as a fraction.")
    top_three: list[Place] = field(description="The three largest, the first of them first.")
    covered_share: Decimal = field(description="The part of the world that went into the index.")
    computed_from: list[Claim] = field(description="The claims that it is computed from, the"
                                       " world's first.")


@output
class Distribution:
    """How the world's output or reserves of a commodity are spread."""

    commodity: Commodity = field(description="Of what.")
    world: Claim | None = field(description="The preferred claim for the world; null without one.")
    figures: list[PlaceFigure] = field(
        description="Every other place's figure: the largest shares first, then those without one.")
    without_number: list[Place] = field(
        description="Places whose preferred claim has no number: withheld, not available, ….")
    not_comparable: list[PlaceFigure] = field(
        description="Figures with a number that can't be set against the world's.")
    concentration: Concentration | None = field(
        description="How far it lies in few hands; null without any share.")


def distribution(id: str, of: production.Distribution) -> Distribution:
    """A distribution as it is shown."""
    return Distribution(
        commodity=commodity(id),
        world=claim(of.world, of.world.preferred) if of.world else None,
        figures=[place_figure(item) for item in of.shares],
        without_number=[place(code) for code in of.without_number],
        not_comparable=[place_figure(item) for item in of.not_comparable],
        concentration=concentration(of.concentration) if of.concentration else None,
    )


def concentration(of: production.Concentration) -> Concentration:
    """A concentration as it is shown."""
    return Concentration(
        hhi=of.hhi,
        top_three_share=of.top_three_share,
        top_three=[place(code) for code in of.top_three],
        covered_share=of.covered_share,
        computed_from=[claim(figure, figure.preferred) for figure in of.computed_from],
    )


def place_figure(item: production.Share) -> PlaceFigure:
    """A place's figure as it is shown."""
    preferred = item.figure.preferred
    return shown(
        PlaceFigure, preferred.quantity, preferred,
        place=place(item.place),
        share=item.share,
        no_share_because=item.obstacle,
        figure=item.figure.id,
        preferred=claim(item.figure, preferred),
        claims=[claim(item.figure, of) for of in item.figure.claims],
    )
