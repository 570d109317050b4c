"""Shares as bars, a row each: the largest takes the whole width. Pure."""

from collections.abc import Sequence
from decimal import Decimal

MIN_WIDTH_PERCENT = Decimal("0.4")
"""Minimum width, so that small shares are visible."""


def bar_widths(shares: Sequence[Decimal | None]) -> list[str | None]:
    """Return the widths of bars in percent, such as `40%`; None for a share that is unknown or 0."""
    largest = max((share for share in shares if share is not None), default=Decimal(0))
    return [
        f"{max(share / largest * 100, MIN_WIDTH_PERCENT):.2f}%" if share else None
        for share in shares
    ]
