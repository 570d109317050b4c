"""Producers of a commodity: shares of the world's production, on the map and as a table. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from schema.pages.charts.world_map import SHARES, PlaceValue
from schema.pages.site.address import Address, path_of
from tracker.domain.wording.phrases import percent, word_phrase

NO_SHARE = "a figure without a share"
"""Legend of a hatched place."""


def share_in_words(figure: Mapping[str, Any]) -> str:
    """Return the share of a place, or the reason why there is none, in the words of the publisher or the
    API."""
    if figure["share"] is not None:
        estimated = ", estimated" if figure["estimated"] else ""
        return f"{percent(figure['share'])} of the world{estimated}"
    if figure["value"] is None and figure["qualifier"]:
        return word_phrase(figure["qualifier"])
    return str(figure["shareUnavailableReason"] or "no share")


def share_values(production: Mapping[str, Any], address: Address) -> dict[str, PlaceValue]:
    """Return the places on the map: by share, hatched for a figure without a share."""
    return {
        figure["place"]["code"]: PlaceValue(
            figure["place"]["name"],
            f"{figure['place']['name']}: {share_in_words(figure)}",
            None if figure["share"] is None else SHARES.step(Decimal(figure["share"])),
            address.link(path_of("places", figure["place"]["code"])),
        )
        for figure in production["figures"]
        if not figure["place"]["isAggregate"]
    }
