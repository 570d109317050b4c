"""Orders of lists, from `order_by.toml`: an enum for every kind of item. Its values include the direction."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

import strawberry
from strawberry import argument, enum_value

from projections.query.list_statements import Ordering, SortKey
from tracker.domain.basics.toml_files import read_toml
from tracker.review.candidates import CandidateOrder as QueueOrder

ORDER_BY = argument(description="The order of the list.")
DECLARED: Mapping[str, Any] = read_toml(__file__)
COMMON = DECLARED["common"]


def _enum(name: str, description: str, values: dict[str, Any]) -> type[Enum]:
    made = Enum(name, values, module=__name__)  # type: ignore[misc]  # its values are known at run time only
    return strawberry.enum(made, description=description)


def _orders(name: str) -> type[Enum]:
    values, declared = {}, DECLARED[name]
    for value, of in declared["values"].items():
        of = of or COMMON[value]
        key = SortKey[of["key"]]
        values[value] = enum_value(Ordering(key), description=of["up"])
        if "down" in of:
            down = enum_value(Ordering(key, down=True), description=of["down"])
            values[f"{value}_DESC"] = down
    return _enum(name, declared["description"], values)


ExportControlOrder = _orders("ExportControlOrder")
AllianceOrder = _orders("AllianceOrder")
FirmOrder = _orders("FirmOrder")
WatchedSourceOrder = _orders("WatchedSourceOrder")
CoverageOrder = _orders("CoverageOrder")
AnnouncementOrder = _orders("AnnouncementOrder")
FigureOrder = _orders("FigureOrder")
ClaimOrder = _orders("ClaimOrder")
TradeFlowOrder = _orders("TradeFlowOrder")
TariffLineOrder = _orders("TariffLineOrder")
ObligationOrder = _orders("ObligationOrder")
KeyOrder = _orders("KeyOrder")
ImportOrder = _orders("ImportOrder")
ChangeOrder = _orders("ChangeOrder")
TransitionOrder = _orders("TransitionOrder")
DisputeOrder = _orders("DisputeOrder")
ClauseStatusOrder = _orders("ClauseStatusOrder")
MembershipOrder = _orders("MembershipOrder")
EventOrder = _orders("EventOrder")
FactOrder = _orders("FactOrder")
EditionOrder = _orders("EditionOrder")
HorizonOrder = _orders("HorizonOrder")
PUBLISHED_ON = COMMON["PUBLISHED_ON"]
CandidateOrder = _enum(
    "CandidateOrder",
    "Orders of candidates. Candidates without a date of publication count as the oldest.",
    {
        "FOUND_AT": enum_value(
            QueueOrder.OLDEST_FOUND,
            description="In the order in which they were added, the oldest first.",
        ),
        "FOUND_AT_DESC": enum_value(
            QueueOrder.NEWEST_FOUND,
            description="In the order in which they were added, the newest first.",
        ),
        "PUBLISHED_ON": enum_value(QueueOrder.OLDEST_PUBLISHED, description=PUBLISHED_ON["up"]),
        "PUBLISHED_ON_DESC": enum_value(
            QueueOrder.NEWEST_PUBLISHED, description=PUBLISHED_ON["down"]
        ),
    },
)


def cursor_name(order: Enum) -> str | None:
    """Return the name of an order in cursors, which both directions share; None for the order by name."""
    of: Ordering = order.value
    return None if of.by is SortKey.NAME else order.name.removesuffix("_DESC")
