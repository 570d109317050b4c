"""Revisions of a number from edition to edition of its publisher. Pure."""

from decimal import Decimal

from msgspec import Struct

from projections.analysis.quantities import (
    ARITHMETIC,
    in_unit_of,
    incomparable_reason,
    ratio,
    rounded,
)
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.figures.figure import Claim, FigureState

HUNDRED = Decimal(100)


class Revision(Struct, frozen=True):
    """A claim with the earlier claim of the same publisher that it restates.

    `change` is in the unit of the new claim. `change_percent` is relative to the earlier number, to 2
    places; None if that is not above 0. Without a change, `incomparable_reason` explains why. A first
    claim has neither.
    """

    claim: Claim
    before: Claim | None
    change: Decimal | None = None
    """The number less that of the claim before, in the unit of this claim. Null for the first claim of a
    publisher, and if the two are not comparable."""
    change_percent: Decimal | None = None
    """The change in percent of the number before, rounded to 2 decimal places. Null also if that number is
    not above 0, or if the change is 1000 times as large or more."""
    incomparable_reason: str | None = None


def revisions(figure: FigureState) -> list[Revision]:
    """Return every claim on a figure in the order of publication, with the publisher's previous claim."""
    latest: dict[str, Claim] = {}
    result = []
    for claim in figure.claims:
        before = latest.get(claim.publisher)
        result.append(_revision(claim, before, figure.series.commodity))
        latest[claim.publisher] = claim
    return result


def _revision(claim: Claim, before: Claim | None, commodity: Commodity) -> Revision:
    if before is None:
        return Revision(claim, None)
    reason = incomparable_reason(claim.quantity, before.quantity, "the earlier", commodity)
    if reason:
        return Revision(claim, before, incomparable_reason=reason)
    new, old = (in_unit_of(of.quantity, claim.quantity) for of in (claim, before))
    change = ARITHMETIC.subtract(new, old)
    part = ratio(change, old) if old > 0 else None
    percent = None if part is None else rounded(ARITHMETIC.multiply(part, HUNDRED), "0.01")
    return Revision(claim, before, change, percent)
