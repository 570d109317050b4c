"""Gaps in the yearly numbers of a publisher's acts. Pure."""

from collections.abc import Mapping
from datetime import date

MAX_GAPS = 200
"""Maximum number of gaps reported at once; more indicate a misread number."""


def find_gaps(seen: Mapping[int, date], first: int, until: date) -> list[int]:
    """Return the missing numbers from `first` up to the highest number published by a day.

    Publishers do not list acts in the order of numbers, so higher numbers are ignored until their neighbours
    had time to appear. At most MAX_GAPS are returned, lowest first.
    """
    settled = [number for number, day in seen.items() if day <= until]
    if not settled:
        return []
    missing = (number for number in range(first, max(settled)) if number not in seen)
    return [number for number, _ in zip(missing, range(MAX_GAPS), strict=False)]
