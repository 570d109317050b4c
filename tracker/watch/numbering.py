"""Acts that a publisher numbers through the year: which numbers are missing between others. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

MAX_GAPS = 200
"""The most numbers that are named as missing at once; more than that is a mistake in a number."""


def find_gaps(seen: Mapping[int, date], first: int, until: date) -> list[int]:
    """The numbers from `first` on that are not among the seen ones, below the highest one that was
    published up to a day.

    Lists are not filled in the order of numbers: what is above waits until its neighbours had time
    to appear. At most MAX_GAPS are given, the lowest first.
    """
    settled = [number for number, day in seen.items() if day <= until]
    if not settled:
        return []
    missing = (number for number in range(first, max(settled)) if number not in seen)
    return [number for number, _ in zip(missing, range(MAX_GAPS), strict=False)]
