"""Trade flows of an importer by code of the Harmonized System, with their largest origins. Pure."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct

from schema.pages.site.words import publisher_of
from tracker.domain.wording.phrases import NBSP, listed

MAX_ORIGINS = 5
"""Maximum number of named origins in a cell, the largest first."""
MAX_GOODS = 3
"""Maximum number of named goods of a code."""
SHARES = {"weight": "quantityPercent", "value": "valuePercent"}
"""Fields of a part with its shares, by what is measured."""


class FlowRow(Struct, frozen=True):
    """The imports under one code in one year."""

    flow: Mapping[str, Any]
    source: str
    """Publisher and edition."""
    by_weight: str
    by_value: str
    goods: str
    """The commodities whose goods are under the code, in words."""


def flow_rows(flows: Sequence[Mapping[str, Any]], key: str | None = None) -> list[FlowRow]:
    """Return the flows of a response in its order; `key` is the commodity of the page."""
    return [
        FlowRow(
            one,
            f"{publisher_of(one['preferred']['source'])}, {one['preferred']['edition']}",
            _origins(one["parts"], "weight"),
            _origins(one["parts"], "value"),
            _goods(one["goods"]["commodities"] if one["goods"] else (), key),
        )
        for one in flows
    ]


def _goods(commodities: Sequence[Mapping[str, Any]], key: str | None) -> str:
    """Return the goods of a code in words: those besides the commodity of the page, or all."""
    names = [of["name"] for of in commodities if of["key"] != key]
    if key is None:
        return listed(names, MAX_GOODS) if names else "not compared"
    return f"a bundle, also of {listed(names, MAX_GOODS)}" if names else "no other commodity"


def _origins(parts: Sequence[Mapping[str, Any]], measured: str) -> str:
    """Return the largest origins with their shares; nothing if no part has one."""
    field = SHARES[measured]
    shares = [
        (Decimal(part[field]), part["place"]["name"] if part["place"] else "places not named")
        for part in parts
        if part[field] is not None
    ]
    shares.sort(key=lambda pair: -pair[0])
    names = [f"{name} {share:.1f}{NBSP}%" for share, name in shares]
    return listed(names, MAX_ORIGINS)
