"""The trade flows that ship: some importers, with the smallest origins added up.

Origins in the importer's own union stay named: its imports from outside leave them out.
`tracker import` reads all flows of the publisher's file, with each origin.
"""

from datetime import date
from decimal import Decimal

from msgspec.structs import replace

from tracker.commands.commands import PlannedEvent
from tracker.domain.basics.values import Quantity
from tracker.domain.catalogue.places import Place
from tracker.domain.catalogue.unions import EU, members_of, unions_of
from tracker.domain.figures.origins import Origin
from tracker.domain.figures.trade_flow import FlowClaimed

IMPORTERS = frozenset(map(Place, ("CN", "GB", "IN", "JP", "KR", "US"))) | members_of(
    EU, date(2024, 12, 31)
)
"""The importers whose flows ship: the members of the European Union, and six others."""
FROM_YEAR = 2024
"""The first year whose flows ship. Earlier extracts have no weights."""
SMALL = Decimal("0.001")
"""The share below which origins are added up, if their values and weights are both smaller."""
NOTE = "Origins below 0.1 % of value and weight ({count}) are added up as unnamed."


def flow_ships(claim: FlowClaimed) -> bool:
    """Return whether a claim of the publisher's file is part of the corpus."""
    return claim.importer in IMPORTERS and claim.year >= FROM_YEAR


def shipped_flow(reading: PlannedEvent) -> PlannedEvent:
    """Return a claim with its smallest origins added up, if there are several."""
    claim = reading.fact
    assert isinstance(claim, FlowClaimed)
    last_day = date(claim.year, 12, 31)
    inside = {
        at for union in unions_of(claim.importer, last_day) for at in members_of(union, last_day)
    }
    small = [
        part for part in claim.origins.parts if part.place not in inside and _is_small(part, claim)
    ]
    if len(small) < 2:
        return reading
    weights = [part.quantity for part in small]
    origins = replace(
        claim.origins,
        parts=tuple(part for part in claim.origins.parts if part not in small),
        unnamed=None if None in weights else _sum(weights),
        unnamed_value=_sum([part.value for part in small]),
    )
    fact = replace(claim, origins=origins, note=NOTE.format(count=len(small)))
    return PlannedEvent(reading.stream, fact, reading.event_id)


def _is_small(part: Origin, claim: FlowClaimed) -> bool:
    return _is_below(part.value, claim.value) and _is_below(part.quantity, claim.quantity)


def _is_below(part: Quantity | None, whole: Quantity) -> bool:
    """Return whether a part is small; a missing weight does not matter."""
    if part is None or part.value is None or whole.value is None:
        return True
    return part.value < whole.value * SMALL


def _sum(parts: list[Quantity | None]) -> Quantity:
    numbers = [part for part in parts if part is not None and part.value is not None]
    total = sum((part.value for part in numbers if part.value is not None), Decimal(0))
    return Quantity(unit=numbers[0].unit, value=total)
