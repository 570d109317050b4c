"""Bars of the world's output under controls, with a separate part for what is not confirmed. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from schema.pages.charts.exposure_bar import ExposureBar, bar_segments
from tracker.domain.wording.phrases import percent, word_phrase

PARTS = {
    "full": "fully covered, by a record",
    "terms": "fully covered by their own terms, not confirmed",
    "contradicted": "fully covered by the text, contradicted by a recorded statement",
    "part": "partly covered",
}
"""Parts of a bar in order, in words of the legend; the names are those of the style sheet."""


def exposure_bar(supply: Mapping[str, Any]) -> ExposureBar:
    """Draw the shares of an exposure; a share that is not known has no part."""
    assumed, contradicted = _share(supply["assumedShare"]), _share(supply["contradictedShare"])
    shares = {
        "full": max(_share(supply["controlledShare"]) - assumed - contradicted, Decimal(0)),
        "terms": assumed,
        "contradicted": contradicted,
        "part": _share(supply["partlyControlledShare"]),
    }
    segments = bar_segments(shares)
    words = [f"{percent(shares[one.part])} {PARTS[one.part]}" for one in segments]
    return ExposureBar(segments, "; ".join(words) or "No share is known to be covered")


def unconfirmed_measures(supply: Mapping[str, Any]) -> list[str]:
    """Return the measures that are not confirmed for a part of the output, each with its share in words."""
    return [
        f"{word_phrase(one['measure'])} {percent(share)} {meaning}"
        for one in supply["measures"]
        for share, meaning in (
            (one["assumedShare"], "by its own terms, not confirmed"),
            (one["contradictedShare"], "contradicted by a recorded statement"),
        )
        if Decimal(share) > 0
    ]


def _share(share: str | None) -> Decimal:
    return min(max(Decimal(share or 0), Decimal(0)), Decimal(1))
