"""Shares of places in world production or reserves, and concentration. Pure.

Shares use preferred claims that are comparable; nothing is coerced. A figure without a number has no
share, and neither has a figure on another basis than the world's. Both are listed, so that omissions
are visible. Editions are not mixed silently: a claim is divided by the world total of its own edition.
If that does not exist, the result says so.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeAlias

from msgspec import Struct

from projections.analysis.claims import (
    ClaimRef,
    Orders,
    PreferredClaim,
    choose,
    edition_of,
    several_editions,
)
from projections.analysis.quantities import (
    ARITHMETIC,
    in_unit_of,
    incomparable_reason,
    not_numeric_reason,
    ratio,
    rounded,
    sum_of_shares,
    total,
)
from projections.analysis.supplies import Product
from tracker.domain.basics.units import Unit
from tracker.domain.basics.vocabulary import Statistic
from tracker.domain.catalogue.commodities import Commodity, ancestors
from tracker.domain.catalogue.places import Place
from tracker.domain.figures.figure import Claim, FigureState

WORLD, OTHER = Place("WORLD"), Place("OTHER")
NOT_COUNTRIES = frozenset({WORLD, OTHER, Place("EU")})
"""Places without a rank in the concentration: the total, the residual, and a union of counted members."""

TOP = 3

ProductYear: TypeAlias = tuple[Commodity, Statistic, Product, int | None]
"""A commodity, statistic, product and year; the year is None for reserves."""


@dataclass(frozen=True, slots=True)
class Share:
    """A place's preferred claim and its unrounded share of the world's, as a fraction of 1.

    `whole` is the world's claim of the same edition, or else the preferred one. `incomparable_reason`
    explains a missing share. `rank` counts countries with a share above 0; equal shares have the same
    rank. `cumulative` is the unrounded sum of the shares up to this one.
    """

    chosen: PreferredClaim
    whole: ClaimRef | None
    exact: Decimal | None
    incomparable_reason: str | None = None
    rank: int | None = None
    """Its rank among countries, 1 for the largest share; equal shares have the same rank. Null without a
    share or with one of 0, and for `other countries` and the EU."""
    cumulative: Decimal | None = None

    @property
    def place(self) -> Place:
        """The place of the figure."""
        return self.chosen.figure.series.place

    @property
    def share(self) -> Decimal | None:
        """Its share of the world's figure as a fraction of 1, rounded to 4 decimal places. Null if one of
        the two has no number or only a bound, if the bases differ, or if the units cannot be converted.
        Null also if the world's figure is nil or less than a thousandth of it."""
        return None if self.exact is None else rounded(self.exact)

    @property
    def cumulative_share(self) -> Decimal | None:
        """The sum of the shares of the countries down to this one, rounded to 4 decimal places; null
        without a rank. It can exceed 1 because the world's total is rounded."""
        return None if self.cumulative is None else rounded(self.cumulative)

    @property
    def has_number(self) -> bool:
        """Whether the preferred claim has a number."""
        return self.chosen.claim.quantity.value is not None

    @property
    def computed_from(self) -> tuple[ClaimRef, ...]:
        """The claims from which the share is computed: its own, and the world's claim in the same edition
        or else its preferred one. Empty without a share."""
        if self.exact is None or self.whole is None:
            return ()
        return self.chosen.cited, self.whole

    @property
    def mixed_editions(self) -> bool:
        """Whether these two claims are of different editions or publishers."""
        return several_editions(claim for _, claim in self.computed_from)


class Concentration(Struct, frozen=True):
    """The concentration of output or reserves; see `concentration`."""

    hhi: Decimal
    """The Herfindahl-Hirschman index: the sum of squared shares in percent, up to 10000, rounded to 1
    decimal place. A lower bound if places have no share: see `coveredShare`."""
    top_three_share: Decimal
    """The sum of the three largest shares, as a fraction of 1, rounded to 4 decimal places."""
    top_three: tuple[Place, ...]
    """The places of the three largest shares, the largest first."""
    covered_share: Decimal
    """The sum of all shares in the index, as a fraction of 1."""
    computed_from: tuple[ClaimRef, ...]
    """The claims from which it is computed, the world's claim first."""

    @property
    def mixed_editions(self) -> bool:
        """Whether these claims are of several editions or publishers."""
        return several_editions(claim for _, claim in self.computed_from)


class Residual(Struct, frozen=True):
    """An edition's remainder for places that it does not name: see `residual`."""

    value: Decimal
    """The number."""
    unit: Unit
    """The unit, that of the world's claim."""
    basis: str | None
    """The basis of the weight; null if the publisher does not state it."""
    published: ClaimRef | None
    """The claim of the same edition for `other countries`; null if not recorded."""
    included_places: tuple[Place, ...]
    """Listed places without a number that could be subtracted: withheld, a bound, or of another basis.
    Their figures are part of the residual."""
    computed_from: tuple[ClaimRef, ...]
    """The claims from which it is computed, the world's claim first."""


class Distribution(Struct, frozen=True):
    """The distribution of a commodity's world total over places.

    `figures` are the input.
    """

    world: PreferredClaim | None
    """The preferred claim for the world; null if not recorded."""
    shares: tuple[Share, ...]
    figures: tuple[FigureState, ...] = ()

    @property
    def without_number(self) -> tuple[Place, ...]:
        """Places whose preferred claim has no number: withheld, not available, …."""
        return tuple(s.place for s in self.shares if not s.has_number)

    @property
    def not_comparable(self) -> tuple[Share, ...]:
        """Figures whose number cannot be compared with the world's."""
        return tuple(s for s in self.shares if s.has_number and s.exact is None)

    @property
    def concentration(self) -> Concentration | None:
        """The concentration over countries; null if no share is known."""
        return concentration(self.shares)

    @property
    def residual(self) -> Residual | None:
        """The remainder of the world's total after all listed countries; null if the world has no number."""
        return residual(self.world, self.figures) if self.world else None

    def share_of(self, place: Place) -> Share | None:
        """Return the share of a place, or None without a figure for it."""
        return next((share for share in self.shares if share.place == place), None)

    @property
    def figures_of(self) -> Commodity | None:
        """The commodity under which publishers file the figures, such as graphite for natural graphite;
        null without figures."""
        return self.figures[0].series.commodity if self.figures else None


def with_filed_products(
    figures: Mapping[ProductYear, Sequence[FigureState]], commodities: Iterable[Commodity]
) -> dict[ProductYear, Sequence[FigureState]]:
    """Return figures by product; commodities without own figures get those filed under another."""
    own = {of[:2] for of in figures}
    filed: dict[ProductYear, Sequence[FigureState]] = {
        (commodity, *of[1:]): of_product
        for commodity in commodities
        if commodity.filed_figures
        for of, of_product in figures.items()
        if of[0] == commodity.filed_figures.commodity
        and commodity.filed_figures.include(of[2].stage)
        and (commodity, of[1]) not in own
    }
    return {**figures, **filed}


def by_product(figures: Iterable[FigureState]) -> dict[ProductYear, list[FigureState]]:
    """Group figures by commodity, statistic, product and year."""
    groups: dict[ProductYear, list[FigureState]] = defaultdict(list)
    for figure in figures:
        of = figure.series
        groups[of.commodity, of.statistic, Product(of.stage, of.form), of.period].append(figure)
    return groups


def largest_shares(
    commodity: Commodity, products: Mapping[ProductYear, Sequence[FigureState]]
) -> dict[str, Decimal]:
    """Return the largest share of each place in a product of some goods, or else of those above them.

    `products` has one year of each product.
    """
    filed = commodity.filed_figures
    for one in (commodity, *([filed.commodity] if filed else []), *ancestors(commodity)):
        spread = [distribution(figures, ()) for (of, *_), figures in products.items() if of == one]
        shares = [(at.share or Decimal(0), at.place) for each in spread for at in each.shares]
        if shares:
            return {place: share for share, place in sorted(shares)}
    return {}


def distribution(figures: Sequence[FigureState], orders: Orders) -> Distribution:
    """Return the distribution from the figures of one commodity, statistic, stage, form and year.

    The share of a place is its preferred claim divided by the world's claim, in the same unit. The
    world's claim is that of the same publisher and edition, or else the preferred one. A share
    exists only if

    - both claims have a number that represents the value: exact, about, nearly or nil, not a bound;
    - both have the same basis (or neither has one);
    - the units are the same, or a factor between them is declared.

    The largest shares come first, then the figures without one by place.
    """
    chosen = [choose(figure, orders) for figure in figures]
    world = next((one for one in chosen if one.figure.series.place == WORLD), None)
    shares = ranked(_share(one, world) for one in chosen if one is not world)
    return Distribution(world, tuple(shares), tuple(figures))


def ranked(shares: Iterable[Share]) -> list[Share]:
    """Return shares in descending order, with ranks for countries.

    The world, other countries and the EU have no rank, nor has a place without output or without a
    share. A declared group such as US_CA counts as one place.
    """
    result: list[Share] = []
    counted, rank, sum_, last = 0, 0, Decimal(0), None
    in_order = sorted(shares, key=lambda s: (s.exact is None, -(s.exact or 0), s.place))
    for share in in_order:
        if share.exact is None or share.exact <= 0 or share.place in NOT_COUNTRIES:
            result.append(share)
            continue
        counted, sum_ = counted + 1, ARITHMETIC.add(sum_, share.exact)
        rank = rank if share.exact == last else counted
        last = share.exact
        result.append(replace(share, rank=rank, cumulative=sum_))
    return result


def concentration(shares: Iterable[Share]) -> Concentration | None:
    """Return the Herfindahl-Hirschman index and the share of the three largest, or None without a
    share.

    The index is the sum of the squared shares in percent: 10,000 for a single producer. It includes all
    places except the world, other countries and the EU. A declared group such as US_CA counts as one
    place. If places lack a share, the true index is higher; `covered_share` is the total share of the
    included places. Rounding comes last: the index to one place, shares to four.
    """
    counted = [s for s in shares if s.place not in NOT_COUNTRIES]
    exact = {s.place: s.exact for s in counted if s.exact is not None}
    if not exact:
        return None
    top = sorted(exact, key=lambda place: (-exact[place], place))[:TOP]
    squares = (ARITHMETIC.multiply(part, part) * 10_000 for part in exact.values())
    return Concentration(
        hhi=rounded(total(squares), "0.1"),
        top_three_share=rounded(sum_of_shares(exact[place] for place in top)),
        top_three=tuple(top),
        covered_share=rounded(sum_of_shares(exact.values())),
        computed_from=claims_used(counted),
    )


def residual(world: PreferredClaim, figures: Iterable[FigureState]) -> Residual | None:
    """Return the world total minus all places that its edition names: the remainder for other
    countries.

    Only claims of the edition of the world's preferred claim are used. Returns None if that claim has
    no number that represents its value. The result may be negative, because totals are rounded.
    """
    whole = world.claim
    if not_numeric_reason(whole.quantity):
        return None
    same = [
        (figure, claim)
        for figure in figures
        if (claim := in_edition(figure, edition_of(whole))) and figure is not world.figure
    ]
    named = [(figure, claim) for figure, claim in same if figure.series.place not in NOT_COUNTRIES]
    counted = [
        item
        for item in named
        if incomparable_reason(item[1].quantity, whole.quantity, "", item[0].series.commodity)
        is None
    ]
    numbers = total(in_unit_of(claim.quantity, whole.quantity) for _, claim in counted)
    return Residual(
        value=ARITHMETIC.subtract(in_unit_of(whole.quantity, whole.quantity), numbers),
        unit=whole.quantity.unit,
        basis=whole.quantity.basis,
        published=next((item for item in same if item[0].series.place == OTHER), None),
        included_places=tuple(item[0].series.place for item in named if item not in counted),
        computed_from=(world.cited, *counted),
    )


def claims_used(shares: Iterable[Share]) -> tuple[ClaimRef, ...]:
    """Return the distinct claims behind shares, the world's first."""
    cited = [item for share in shares for item in share.computed_from]
    cited.sort(key=lambda item: item[0].series.place != WORLD)
    return tuple({(figure.id, claim.event_id): (figure, claim) for figure, claim in cited}.values())


def in_edition(figure: FigureState, edition: tuple[str, str, str | None]) -> Claim | None:
    """Return the claim on a figure in an edition, or None."""
    return next((claim for claim in figure.claims if edition_of(claim) == edition), None)


def _share(chosen: PreferredClaim, world: PreferredClaim | None) -> Share:
    if world is None:
        return Share(chosen, None, None, "there is no figure for the world")
    whole = in_edition(world.figure, edition_of(chosen.claim)) or world.claim
    cited, part = (world.figure, whole), chosen.claim.quantity
    commodity = chosen.figure.series.commodity
    if reason := incomparable_reason(part, whole.quantity, "the world's", commodity):
        return Share(chosen, cited, None, reason)
    exact = ratio(in_unit_of(part, whole.quantity), in_unit_of(whole.quantity, whole.quantity))
    if exact is None:
        return Share(chosen, cited, None, "the world's figure is nil, or far too small")
    return Share(chosen, cited, exact)
