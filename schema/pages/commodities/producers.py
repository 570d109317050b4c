"""Producers of a commodity: the ranking with its bars, and the map. Pure."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct

from schema.pages.charts.share_bars import bar_widths
from schema.pages.charts.world_map import SHARES, PlaceValue, WorldMap, draw_world
from schema.pages.site.amounts import amount, measured, same_measure, unit
from tracker.domain.wording.phrases import percent

PlacePage = Callable[[str], str]
"""A function from the code of a place to the address of its page."""


class ProducerRow(Struct, frozen=True):
    """A place with its number and share."""

    path: str
    """Path of the figure in the response."""
    figure: Mapping[str, Any]
    words: str
    other_measure: str | None
    """Its unit and basis if they differ from those of the world's number."""
    bar: str | None

    @property
    def has_page(self) -> bool:
        """Return whether the place has its own page."""
        return not self.figure["place"]["isAggregate"]


def producer_rows(
    figures: Sequence[Mapping[str, Any]], measure: Mapping[str, Any] | None, path: str
) -> list[ProducerRow]:
    """Return the places in the order of the response: the largest shares first, then those without."""
    bars = bar_widths([Decimal(one["share"]) if one["share"] else None for one in figures])
    return [
        ProducerRow(
            f"{path}.{index}",
            one,
            amount(one),
            unit(one)
            if one["value"] is not None and measure and not same_measure(one, measure)
            else None,
            bar,
        )
        for index, (one, bar) in enumerate(zip(figures, bars, strict=True))
    ]


def producers_map(figures: Sequence[Mapping[str, Any]], page: PlacePage) -> WorldMap:
    """Return the map of shares; places without a known share are hatched."""
    return draw_world(
        {
            one["place"]["code"]: PlaceValue(
                one["place"]["name"],
                f"{one['place']['name']}: {measured(one)}"
                + (f", {percent(one['share'])}" if one["share"] else ""),
                SHARES.step(Decimal(one["share"])) if one["share"] else None,
                page(one["place"]["code"]),
            )
            for one in figures
            if not one["place"]["isAggregate"]
        },
        "producers",
    )
