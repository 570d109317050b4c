"""Claims side by side: which one to use, why, and how far publishers lie apart. Pure.

A figure keeps all claims. Which one is preferred follows from the figure and from the orders of
publishers, both of the same moment: so an order is one event, and no figure is folded anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from projections.analysis.quantities import (
    ARITHMETIC,
    in_unit_of,
    incomparable_reason,
    not_numeric_reason,
    ratio,
    rounded,
)
from tracker.domain.bases import equivalence
from tracker.domain.commodities import Commodity, ancestors
from tracker.domain.entity import Evidence
from tracker.domain.figure import Claim, FigureState
from tracker.domain.figure_facts import Series
from tracker.domain.preference import PreferenceState
from tracker.domain.values import Unit
from tracker.domain.vocabulary import PreferenceRule

Orders: TypeAlias = Sequence[PreferenceState]
"""The orders of publishers of a moment."""

ClaimRef: TypeAlias = tuple[FigureState, Claim]
"""A claim with the figure that it is on."""


@dataclass(frozen=True, slots=True)
class PreferredClaim:
    """The claim to use for a figure, and why: `reason` and `event` of what was recorded, if it was."""

    figure: FigureState
    claim: Claim
    rule: PreferenceRule
    reason: str | None = None
    event: Evidence | None = None

    @property
    def cited(self) -> ClaimRef:
        """The claim with its figure."""
        return self.figure, self.claim


@dataclass(frozen=True, slots=True)
class Spread:
    """How far claims lie apart, in the unit and basis of the one that they are compared with.

    `relative` is the distance as a fraction of the smallest, to 4 places; None if that is not
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


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every publisher's latest claim on a figure, the preferred one among all claims, and the
    spread of those that can be compared; None with fewer than two.

    `not_comparable` are the others, each with the reason in words.
    """

    chosen: PreferredClaim
    latest: tuple[Claim, ...]
    spread: Spread | None
    not_comparable: tuple[tuple[Claim, str], ...]


def choose(figure: FigureState, orders: Orders) -> PreferredClaim:
    """The claim to use, by the first of these that says one:

    1. the figure's own judgement;
    2. the most specific order that names a publisher with a claim: of the nearest commodity, and of
       one commodity the order for a statistic before that for all. It is that publisher's latest;
    3. the latest claim of the publisher who was first to publish on the series.
    """
    return (
        _judgement_of(figure)
        or _choice_of_orders(figure, orders)
        or PreferredClaim(figure, _latest(figure)[figure.claims[0].publisher], PreferenceRule.FIRST)
    )


def compare(figure: FigureState, orders: Orders) -> Comparison:
    """The claims on a figure side by side.

    They are compared with the preferred one, or, if that has no number, with the first that has.
    """
    chosen, latest = choose(figure, orders), tuple(_latest(figure).values())
    counted = (
        claim for claim in (chosen.claim, *latest) if not_numeric_reason(claim.quantity) is None
    )
    measure = next(counted, chosen.claim)
    obstacles = [
        (
            claim,
            incomparable_reason(
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
    """How far claims lie apart that can be compared with `measure`; None with fewer than two."""
    if len(claims) < 2:
        return None
    numbers = [in_unit_of(claim.quantity, measure.quantity) for claim in claims]
    low, high = min(numbers), max(numbers)
    apart = ARITHMETIC.subtract(high, low)
    relative = ratio(apart, low) if low > 0 else None
    return Spread(
        low,
        high,
        apart,
        None if relative is None else rounded(relative),
        measure.quantity.unit,
        measure.quantity.basis,
        tuple(claims),
        tuple(_equivalences(measure, claims, commodity)),
    )


def _equivalences(measure: Claim, claims: Iterable[Claim], commodity: Commodity) -> Iterator[str]:
    """The declared equivalences of bases by which claims are compared, in words."""
    own = measure.quantity.basis
    for basis in dict.fromkeys(claim.quantity.basis for claim in claims):
        if basis != own and (reason := equivalence(basis, own, commodity)):
            yield f"{basis} is taken as {own}: {reason}"


def edition_of(claim: Claim) -> tuple[str, str, str | None]:
    """The edition that a claim stands in, version and all."""
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
    """The orders that are for a series."""
    line = (series.commodity, *ancestors(series.commodity), None)
    meant = [
        order
        for order in orders
        if order.commodity in line and order.statistic in (None, series.statistic)
    ]
    return sorted(meant, key=lambda order: (line.index(order.commodity), order.statistic is None))


def _latest(figure: FigureState) -> dict[str, Claim]:
    """Every publisher's latest claim, who published first before the others."""
    latest: dict[str, Claim] = {}
    for claim in figure.claims:
        latest[claim.publisher] = claim
    return latest
