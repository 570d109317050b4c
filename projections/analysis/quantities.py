"""Comparison of quantities, only of like with like, by declared factors. Pure."""

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Context, Decimal

from tracker.domain.basics.values import Quantity
from tracker.domain.basics.vocabulary import Qualifier
from tracker.domain.catalogue.bases import equivalence
from tracker.domain.catalogue.commodities import Commodity

APPROXIMATE = frozenset({None, Qualifier.ABOUT, Qualifier.NEARLY, Qualifier.NIL})
"""Qualifiers whose number represents the value; the others give a bound of it."""

ARITHMETIC = Context(prec=28, rounding=ROUND_HALF_EVEN, traps=[])
"""A separate context, so that no process setting changes a result, without exceptions."""

ONE = Decimal(1)

SHARE_PLACES = Decimal("1e-20")


def not_numeric_reason(quantity: Quantity) -> str | None:
    """Return the reason why a quantity cannot be used in sums, or None."""
    if quantity.value is None:
        return "figure has no number"
    if quantity.qualifier not in APPROXIMATE:
        return f"figure is a bound or a range ({quantity.qualifier})"
    if quantity.value < 0:  # recorded before such figures were refused
        return "figure is below 0"
    return None


def incomparable_reason(
    quantity: Quantity, other: Quantity, whose: str, commodity: Commodity
) -> str | None:
    """Return the reason why two quantities of a commodity cannot be compared, or None.

    `whose` names the other quantity: `the world's`. Bases are equal by name or by a declared
    equivalence.
    """
    for owner, one in (("its", quantity), (whose, other)):
        if reason := not_numeric_reason(one):
            return f"{owner} {reason}"
    if not have_same_basis(quantity, other, commodity):
        return (
            f"its basis is {quantity.basis or 'not stated'}, {whose} is"
            f" {other.basis or 'not stated'}"
        )
    if quantity.unit.convert(ONE, other.unit) is None:
        return f"no factor from {quantity.unit} to {other.unit} is declared"
    return None


def have_same_basis(quantity: Quantity, other: Quantity, commodity: Commodity) -> bool:
    """Whether two quantities have bases that are equal by name or by a declared equivalence."""
    same = quantity.basis == other.basis
    return same or bool(equivalence(quantity.basis, other.basis, commodity))


def in_unit_of(quantity: Quantity, other: Quantity) -> Decimal:
    """Convert the number of a quantity to the unit of a comparable one."""
    factor = quantity.unit.convert(ONE, other.unit)
    assert quantity.value is not None
    assert factor is not None
    return ARITHMETIC.multiply(quantity.value, factor)


def ratio(part: Decimal, whole: Decimal) -> Decimal | None:
    """Return `part` divided by `whole`, unrounded; None without a sensible result."""
    if not whole:
        return None
    quotient = ARITHMETIC.divide(part, whole)
    return quotient if quotient.is_finite() and abs(quotient) < 1000 else None


def total(values: Iterable[Decimal]) -> Decimal:
    """Return the sum."""
    sum_ = Decimal(0)
    for value in values:
        sum_ = ARITHMETIC.add(sum_, value)
    return sum_


def sum_of_shares(shares: Iterable[Decimal]) -> Decimal:
    """Return the sum of shares, to 20 decimal places.

    A share is a quotient of 28 digits, so the last digits of a sum depend on its order. Rounding makes
    three thirds exactly one.
    """
    return ARITHMETIC.quantize(total(shares), SHARE_PLACES)


def rounded(value: Decimal, place: str = "0.0001") -> Decimal:
    """Round to the digits of `place`, by default four decimals for shares."""
    return ARITHMETIC.quantize(value, Decimal(place))
