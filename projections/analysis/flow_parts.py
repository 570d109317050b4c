"""The parts of trade flows: their shares, and flows into a union from outside. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from msgspec import Struct

from tracker.domain.basics.units import Unit
from tracker.domain.basics.values import Quantity, Value
from tracker.domain.catalogue.places import Place
from tracker.domain.figures.trade_flow import FlowClaim, TradeFlowState

HUNDREDTH = Decimal("0.01")
TONNES, DOLLARS = Unit("t"), Unit("USD")


class FlowPart(Value, frozen=True, kw_only=True):
    """One origin of a trade flow, with its part of the weight and of the value."""

    place: Place | None = None
    """The place of origin; null for the places that the list does not name."""
    quantity: Quantity | None = None
    """Its weight; null if the publisher states none."""
    value: Quantity | None = None
    """Its value; null if the publisher states none."""
    quantity_percent: Decimal | None = None
    """Its share in percent of all weights that the publisher states, rounded to 2 decimal places. If a
    part has no weight, the shares of the others are lower than this."""
    value_percent: Decimal | None = None
    """Its share of the value in percent, rounded to 2 decimal places. It differs from the share of the
    weight."""


def flow_parts(claim: FlowClaim) -> list[FlowPart]:
    """Return the parts of a claim in its order, then the unnamed part."""
    origins = claim.origins
    parts: list[tuple[Place | None, Quantity | None, Quantity | None]]
    parts = [(part.place, part.quantity, part.value) for part in origins.parts]
    if origins.unnamed is not None or origins.unnamed_value is not None:
        parts.append((None, origins.unnamed, origins.unnamed_value))
    weight = _total(quantity for _, quantity, _ in parts)
    worth = _total(value for _, _, value in parts)
    return [
        FlowPart(
            place=place,
            quantity=quantity,
            value=value,
            quantity_percent=_percent(quantity, weight),
            value_percent=_percent(value, worth),
        )
        for place, quantity, value in parts
    ]


def _total(parts: Iterable[Quantity | None]) -> Decimal:
    values = (part.value for part in parts if part is not None and part.value is not None)
    return sum(values, Decimal(0))


def _percent(part: Quantity | None, whole: Decimal) -> Decimal | None:
    if part is None or part.value is None or not whole:
        return None
    return (100 * part.value / whole).quantize(HUNDREDTH)


class UnionFlow(Struct, frozen=True):
    """The imports of a union from outside under one code in one year, added over its members."""

    value: Decimal
    """The value in US dollars."""
    quantity: Decimal | None
    """The weight in tonnes; None if the weight of a part is missing."""
    origins: dict[Place, tuple[Decimal, Decimal | None]]
    """Value and weight by origin, the largest value first."""
    unnamed: tuple[Decimal, Decimal | None]
    """Value and weight of the places that the lists do not name. Shipped lists name every member."""
    importers: tuple[Place, ...]
    """The members with a flow. Others have no record, which does not mean no imports."""


def union_flow(flows: Iterable[TradeFlowState], members: frozenset[Place]) -> UnionFlow | None:
    """Add the flows of the members of a union from outside, for one code and year; None without any.

    Trade between members does not count. Each flow counts by its preferred claim.
    """
    values: dict[Place | None, Decimal] = defaultdict(Decimal)
    weights: dict[Place | None, Decimal | None] = defaultdict(Decimal)
    importers = []
    for flow in flows:
        if flow.importer not in members:
            continue
        importers.append(flow.importer)
        for part in flow_parts(flow.preferred):
            if part.place in members:
                continue
            values[part.place] += _amount(part.value, DOLLARS) or 0
            weight, before = _amount(part.quantity, TONNES), weights[part.place]
            weights[part.place] = None if weight is None or before is None else before + weight
    if not importers:
        return None
    unnamed = values.pop(None, Decimal(0)), weights.pop(None, Decimal(0))
    total = [unnamed[1], *weights.values()]
    named = sorted(((at, of) for at, of in values.items() if at), key=lambda one: (-one[1], one[0]))
    return UnionFlow(
        value=sum(values.values(), unnamed[0]),
        quantity=None if None in total else sum(filter(None, total), Decimal(0)),
        origins={at: (value, weights[at]) for at, value in named},
        unnamed=unnamed,
        importers=tuple(sorted(importers)),
    )


def _amount(of: Quantity | None, unit: Unit) -> Decimal | None:
    return None if of is None or of.value is None else of.unit.convert(of.value, unit)
