"""Scales of amounts: round numbers for axes, and labels that do not overlap."""

from collections.abc import Iterator, Sequence
from decimal import Decimal, localcontext
from itertools import count

STEPS = (Decimal(1), Decimal(2), Decimal(5))
"""First digits of the distances between round numbers."""
PRECISION_DIGITS = 100
"""More digits than the greatest and the smallest amount have together: `MAX_DIGITS` of the domain is 30."""


def ticks(low: Decimal, high: Decimal, most: int) -> list[Decimal]:
    """Return at most `most` evenly spaced round numbers that enclose a range.

    They run from the last one at or below `low` to the first at or above `high`; at least two. Amounts on
    both sides of 0 need at least three.
    """
    with localcontext(prec=PRECISION_DIGITS):
        return _ticks(low, high if high > low else low + (abs(low) / 10 or 1), max(most, 3))


def _ticks(low: Decimal, high: Decimal, most: int) -> list[Decimal]:
    for step in _steps(high - low, most):
        first, last = low // step, -(-high // step)
        first -= 1 if first * step > low else 0  # `//` of decimals rounds toward zero
        last += 1 if last * step < high else 0
        if last - first < most:
            return [number * step for number in _numbers(first, last)]
    raise AssertionError("steps grow without end")


def _steps(span: Decimal, most: int) -> Iterator[Decimal]:
    """Yield round distances, ascending, from one that is too small."""
    exponent = (span / most).adjusted()
    for power in count(exponent):
        for step in STEPS:
            yield step.scaleb(power)


def _numbers(first: Decimal, last: Decimal) -> Iterator[Decimal]:
    return (Decimal(number) for number in range(int(first), int(last) + 1))


def amount_words(number: Decimal) -> str:
    """Return a number with commas between thousands, and all of its decimals without trailing zeros."""
    text = f"{number:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def apart(desired: Sequence[float], distance: float, lowest: float, highest: float) -> list[float]:
    """Return positions for labels near the wanted ones, in the given order.

    They are at least `distance` apart and inside the range, as far as there is room.
    """
    order = sorted(range(len(desired)), key=desired.__getitem__)
    places = [max(lowest, min(highest, desired[index])) for index in order]
    for upper, lower in zip(range(len(places)), range(1, len(places)), strict=False):
        places[lower] = max(places[lower], places[upper] + distance)
    limit = highest
    for index in reversed(range(len(places))):
        places[index] = min(places[index], limit)
        limit = places[index] - distance
    return [place for _, place in sorted(zip(order, places, strict=True))]
