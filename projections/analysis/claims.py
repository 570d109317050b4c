"""Compared claims: the preferred claim, its reason, and the spread between publishers. Pure.

A figure keeps all claims. The preferred one follows from the figure and from the publisher orders of
the same moment. So a new order is one event, and no figure is folded again.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import TypeAlias

from msgspec import Struct

from projections.analysis import quantities
from tracker.domain.basics.units import Unit
from tracker.domain.basics.vocabulary import PreferenceRule
from tracker.domain.catalogue.bases import equivalence
from tracker.domain.catalogue.commodities import Commodity, ancestors
from tracker.domain.entities.entity import Evidence
from tracker.domain.figures.figure import Claim, FigureState
from tracker.domain.figures.figure_facts import Series
from tracker.domain.figures.preference import PreferenceState

Orders: TypeAlias = Sequence[PreferenceState]
"""The publisher orders of a moment."""

ClaimRef: TypeAlias = tuple[FigureState, Claim]
"""A claim with its figure."""


class PreferredClaim(Struct, frozen=True):
    """The preferred claim of a figure, with the rule, and the reason and event if recorded."""

    figure: FigureState
    claim: Claim
    rule: PreferenceRule
    """The rule that decided."""
    reason: str | None = None
    """The recorded reason; null if none is recorded."""
    event: Evidence | None = None
    """The event that recorded the judgement or the order; null if neither is recorded."""

    @property
    def cited(self) -> ClaimRef:
        """The claim with its figure."""
        return self.figure, self.claim


class Spread(Struct, frozen=True):
    """The spread of claims, in the unit and basis of the reference claim.

    `relative` is the difference as a fraction of the minimum, to 4 places; None if the minimum is not
    above 0.
    """

    minimum: Decimal
    maximum: Decimal
    absolute: Decimal
    relative: Decimal | None
    unit: Unit
    basis: str | None
    claims: tuple[Claim, ...]
    equivalences: tuple[str, ...] = ()


class Comparison(Struct, frozen=True):
    """The latest claim of each publisher, the preferred claim, and the spread.

    The spread is None with fewer than two comparable claims. `not_comparable` has the other claims with
    the reason for each.
    """

    chosen: PreferredClaim
    latest: tuple[Claim, ...]
    spread: Spread | None
    not_comparable: tuple[tuple[Claim, str], ...]


def choose(figure: FigureState, orders: Orders) -> PreferredClaim:
    """Return the preferred claim, by the first rule that selects one.

    1. The figure's own judgement.
    2. The most specific order that names a publisher with a claim, and the publisher's latest claim. An
       order for the nearest commodity is most specific, and then an order for a statistic.
    3. The latest claim of the first publisher on the series.
    """
    return (
        _judgement_of(figure)
        or _choice_of_orders(figure, orders)
        or PreferredClaim(figure, _latest(figure)[figure.claims[0].publisher], PreferenceRule.FIRST)
    )


def compare(figure: FigureState, orders: Orders) -> Comparison:
    """Compare the claims on a figure.

    The reference is the preferred claim or, if it has no number, the first claim that has one.
    """
    chosen, latest = choose(figure, orders), tuple(_latest(figure).values())
    counted = (
        claim
        for claim in (chosen.claim, *latest)
        if quantities.not_numeric_reason(claim.quantity) is None
    )
    measure = next(counted, chosen.claim)
    obstacles = [
        (
            claim,
            quantities.incomparable_reason(
                claim.quantity,
                measure.quantity,
                f"that of {measure.publisher}",
                figure.series.commodity,
            ),
        )
        for claim in latest
    ]
    return Comparison(
        chosen=chosen,
        latest=latest,
        spread=spread(
            measure,
            [claim for claim, reason in obstacles if reason is None],
            figure.series.commodity,
        ),
        not_comparable=tuple((claim, reason) for claim, reason in obstacles if reason),
    )


def spread(measure: Claim, claims: Sequence[Claim], commodity: Commodity) -> Spread | None:
    """Return the spread of claims comparable with `measure`, or None with fewer than two."""
    if len(claims) < 2:
        return None
    numbers = [quantities.in_unit_of(claim.quantity, measure.quantity) for claim in claims]
    low, high = min(numbers), max(numbers)
    apart = quantities.ARITHMETIC.subtract(high, low)
    relative = quantities.ratio(apart, low) if low > 0 else None
    return Spread(
        low,
        high,
        apart,
        None if relative is None else quantities.rounded(relative),
        measure.quantity.unit,
        measure.quantity.basis,
        tuple(claims),
        tuple(_equivalences(measure, claims, commodity)),
    )


def _equivalences(measure: Claim, claims: Iterable[Claim], commodity: Commodity) -> Iterator[str]:
    """Yield the declared equivalences of bases between the claims, as sentences."""
    own = measure.quantity.basis
    for basis in dict.fromkeys(claim.quantity.basis for claim in claims):
        if basis != own and (reason := equivalence(basis, own, commodity)):
            yield f"{basis} is taken as {own}: {reason}"


def edition_of(claim: Claim) -> tuple[str, str, str | None]:
    """Return the edition of a claim: publisher, edition and version."""
    return claim.publisher, claim.edition, claim.edition_version


def several_editions(claims: Iterable[Claim]) -> bool:
    """Whether the claims are not all from one edition of one publisher."""
    return len({edition_of(claim) for claim in claims}) > 1


def _judgement_of(figure: FigureState) -> PreferredClaim | None:
    judgement = figure.judgement
    if judgement is None:
        return None
    claim = next(claim for claim in figure.claims if claim.event_id == judgement.prefers)
    return PreferredClaim(
        figure, claim, PreferenceRule.JUDGEMENT, judgement.reason, judgement.event
    )


def _choice_of_orders(figure: FigureState, orders: Orders) -> PreferredClaim | None:
    latest = _latest(figure)
    for order in _most_specific_first(figure.series, orders):
        for publisher in order.publishers:
            if publisher in latest:
                return PreferredClaim(
                    figure, latest[publisher], PreferenceRule.ORDER, order.reason, order.event
                )
    return None


def _most_specific_first(series: Series, orders: Orders) -> list[PreferenceState]:
    """Return the publisher orders that apply to a series, most specific first."""
    line = (series.commodity, *ancestors(series.commodity), None)
    meant = [
        order
        for order in orders
        if order.commodity in line and order.statistic in (None, series.statistic)
    ]
    return sorted(meant, key=lambda order: (line.index(order.commodity), order.statistic is None))


def _latest(figure: FigureState) -> dict[str, Claim]:
    """Return the latest claim of each publisher, in the order of their first claims."""
    latest: dict[str, Claim] = {}
    for claim in figure.claims:
        latest[claim.publisher] = claim
    return latest
