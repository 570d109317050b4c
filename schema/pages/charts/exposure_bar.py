"""Bars whose parts are under controls of different kinds. Pure."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec import Struct


class Segment(Struct, frozen=True):
    """A part of a bar: its name, and its location in percent of the whole."""

    part: str
    x: str
    width: str


class ExposureBar(Struct, frozen=True):
    """The parts of a bar that are not empty, and the bar in words."""

    segments: Sequence[Segment]
    words: str


def bar_segments(shares: Mapping[str, Decimal]) -> list[Segment]:
    """Return the segments of shares of 1 in their order; together they are never more than the whole."""
    segments, x = [], Decimal(0)
    for part, share in shares.items():
        width = min(share, 1 - x)
        if width > 0:
            segments.append(Segment(part, f"{x * 100:.2f}%", f"{width * 100:.2f}%"))
        x += max(width, Decimal(0))
    return segments
