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
    """A place's preferred claim, and its share of the world's figure."""

    place: Place = field(description="The place of the figure.")
    share: Decimal | None = field(
        description="Its share of the world's figure as a fraction of 1, rounded to 4 decimal places;"
        " null where one of the two has no number or only a bound, the bases differ, or the"
        " units cannot be converted."
    )
    share_unavailable_reason: str | None = field(
        description="Why there is no share, in words; null where there is one."
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


@object_type
class Concentration:
    """The concentration of production or reserves, computed from the unrounded shares of countries
    (without the world, `other countries` and the EU).
    """

    hhi: Decimal = field(
        description="The Herfindahl-Hirschman index: the sum of squared shares in percent, up to"
        " 10000. A lower bound where places have no share: see `coveredShare`."
    )
    top_three_share: Decimal = field(
        description="The sum of the three largest shares, as a fraction of 1."
    )
    top_three: list[Place] = field(
        description="The places of the three largest shares, the largest first."
    )
    covered_share: Decimal = field(
        description="The sum of all shares in the index, as a fraction of 1."
    )
    computed_from: list[Claim] = field(
        description="The claims that it is computed from, the world's claim first."
    )
    mixed_editions: bool = field(
        description="Whether these claims are of several editions or publishers."
    )


@object_type
class Residual:
    """The world's preferred claim less all countries that its edition lists. It can be negative
    where the world's total is rounded.
    """

    value: Decimal = field(description="The number.")
    unit: str = field(description="The unit, that of the world's claim.")
    basis: str | None = field(
        description="The basis of the weight; null where the publisher does not say."
    )
    published: Claim | None = field(
        description="The claim of the same edition for `other countries`; null where it has none."
    )
    included_places: list[Place] = field(
        description="Listed places without a number that could be subtracted: withheld, a bound, or of"
        " another basis. Their figures are part of the residual."
    )
    computed_from: list[Claim] = field(
        description="The claims that it is computed from, the world's claim first."
    )


@object_type
class Distribution:
    """The world's production or reserves of a commodity, by place."""

    commodity: Commodity = field(description="The commodity.")
    world: Claim | None = field(
        description="The preferred claim for the world; null where there is none."
    )
    figures: list[PlaceFigure] = field(
        description="The figures of all other places: the largest shares first, then those without a"
        " share."
    )
    without_number: list[Place] = field(
        description="Places whose preferred claim has no number: withheld, not available, …."
    )
    not_comparable: list[PlaceFigure] = field(
        description="Figures whose number cannot be compared with the world's."
    )
    concentration: Concentration | None = field(
        description="The concentration over countries; null where no share is known."
    )
    residual: Residual | None = field(
        description="The rest that no listed country accounts for; null where the world has no number."
    )


def distribution(id: str, of: production.Distribution, orders: Orders) -> Distribution:
    """The GraphQL type of a distribution."""
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
    """The GraphQL type of a concentration."""
    return Concentration(
        hhi=of.hhi,
        top_three_share=of.top_three_share,
        top_three=[place(code) for code in of.top_three],
        covered_share=of.covered_share,
        computed_from=[referenced_claim(item, orders) for item in of.computed_from],
        mixed_editions=of.mixed_editions,
    )


def residual(of: production.Residual, orders: Orders) -> Residual:
    """The GraphQL type of what is left for other countries."""
    return Residual(
        value=of.value,
        unit=of.unit,
        basis=of.basis,
        published=referenced_claim(of.published, orders) if of.published else None,
        included_places=[place(code) for code in of.included_places],
        computed_from=[referenced_claim(item, orders) for item in of.computed_from],
    )


def place_figure(item: production.Share, orders: Orders) -> PlaceFigure:
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
