"""World totals with their method: published, and summed over places. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from projections.analysis import quantities
from projections.analysis.claims import ClaimRef, PreferredClaim, edition_of, several_editions
from projections.analysis.distribution import WORLD, Distribution, in_edition
from tracker.domain.basics.units import Unit
from tracker.domain.basics.values import Quantity
from tracker.domain.catalogue.places import Place
from tracker.domain.catalogue.unions import EU


class TotalMethod(StrEnum):
    """Method of a world total."""

    PUBLISHED = "published"
    """A publisher states it."""
    SUM_OF_PLACES = "sum_of_places"
    """No publisher states it as a number: it is the sum of the places that can be added. Places
    without a figure are missing in it."""


class WorldTotal(Struct, frozen=True):
    """A world total with its method."""

    method: TotalMethod
    """The method."""
    value: Decimal
    """The number."""
    unit: Unit
    """The unit of these numbers."""
    basis: str | None
    """The basis of the weight; null if the publisher does not state it."""
    published: PreferredClaim | None
    """The preferred claim for the world; null if not recorded."""
    sum_of_places: Decimal | None
    """The sum of the figures for all places of the same edition, with `other countries` and without the
    EU. Without a published total, the sum of the preferred claims that can be added. Null if no place
    has a number."""
    difference: Decimal | None
    """The published total less this sum; null if one of the two is missing. Totals are rounded, and places
    can be left out."""
    relative_difference: Decimal | None
    """The difference as a fraction of the published total, rounded to 4 decimal places; null if it would
    be 1000 or more."""
    not_summed: tuple[Place, ...]
    """Places with a figure that cannot be added: withheld, a bound, of another basis or unit."""
    computed_from: tuple[ClaimRef, ...]
    """The claims from which these numbers are computed, the world's claim first."""

    @property
    def mixed_editions(self) -> bool:
        """Whether these claims are of several editions or publishers."""
        return several_editions(claim for _, claim in self.computed_from)


def world_total(of: Distribution) -> WorldTotal | None:
    """Return the world total of a distribution, or None without any number.

    It is the number of the world's preferred claim, compared with the sum of the places in the same
    edition. If that claim is missing or has no number that represents its value, it is the sum of the
    places' preferred claims. That sum is in the unit and basis to which most of them can be added.
    """
    if of.world and not quantities.not_numeric_reason(of.world.claim.quantity):
        return _published_total(of.world, of)
    return _summed_total(of)


def _published_total(world: PreferredClaim, of: Distribution) -> WorldTotal:
    edition, quantity = edition_of(world.claim), world.claim.quantity
    named = [
        (figure, claim)
        for figure in of.figures
        if figure.series.place not in (WORLD, EU) and (claim := in_edition(figure, edition))
    ]
    counted = [item for item in named if _can_be_added(item, quantity)]
    value = quantities.in_unit_of(quantity, quantity)
    sum_ = (
        quantities.total(quantities.in_unit_of(claim.quantity, quantity) for _, claim in counted)
        if counted
        else None
    )
    difference = None if sum_ is None else quantities.ARITHMETIC.subtract(value, sum_)
    relative = None if difference is None else quantities.ratio(difference, value)
    return WorldTotal(
        method=TotalMethod.PUBLISHED,
        value=value,
        unit=quantity.unit,
        basis=quantity.basis,
        published=world,
        sum_of_places=sum_,
        difference=difference,
        relative_difference=None if relative is None else quantities.rounded(relative),
        not_summed=_places(item for item in named if item not in counted),
        computed_from=(world.cited, *counted),
    )


def _summed_total(of: Distribution) -> WorldTotal | None:
    cited = [share.chosen.cited for share in of.shares if share.place != EU]
    measure = _commonest(cited)
    if measure is None:
        return None
    counted = [item for item in cited if _can_be_added(item, measure)]
    sum_ = quantities.total(quantities.in_unit_of(claim.quantity, measure) for _, claim in counted)
    return WorldTotal(
        method=TotalMethod.SUM_OF_PLACES,
        value=sum_,
        unit=measure.unit,
        basis=measure.basis,
        published=of.world,
        sum_of_places=sum_,
        difference=None,
        relative_difference=None,
        not_summed=_places(item for item in cited if item not in counted),
        computed_from=tuple(counted),
    )


def _commonest(cited: Sequence[ClaimRef]) -> Quantity | None:
    """Return the quantity to which most claims can be added; the most frequent unit breaks ties."""
    numeric = [
        claim.quantity for _, claim in cited if not quantities.not_numeric_reason(claim.quantity)
    ]
    kinds = Counter((of.unit, of.basis) for of in numeric).most_common()
    examples = [next(of for of in numeric if (of.unit, of.basis) == kind) for kind, _ in kinds]
    return max(
        examples, key=lambda of: sum(_can_be_added(item, of) for item in cited), default=None
    )


def _can_be_added(item: ClaimRef, measure: Quantity) -> bool:
    figure, claim = item
    return (
        quantities.incomparable_reason(claim.quantity, measure, "", figure.series.commodity) is None
    )


def _places(items: Iterable[ClaimRef]) -> tuple[Place, ...]:
    return tuple(figure.series.place for figure, _ in items)
