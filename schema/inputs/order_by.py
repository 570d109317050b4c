"""Orders of lists: an enum for every kind of item, whose values include the direction."""

from enum import Enum
from typing import Any, NamedTuple

import strawberry
from strawberry import argument, enum_value

from projections.query.list_statements import Ordering, SortKey
from tracker.review.candidates import CandidateOrder as QueueOrder

ORDER_BY = argument(description="The order of the list.")


class By(NamedTuple):
    """A value of an order with a description, and its counterpart in the opposite direction,
    `<name>_DESC`."""

    name: str
    key: SortKey
    up: str
    down: str | None


KEY = By("KEY", SortKey.NAME, "By key, ascending.", "By key, descending.")
NAME = By("NAME", SortKey.TITLE, "By name, A to Z.", "By name, Z to A.")
TITLE = By("TITLE", SortKey.TITLE, "By title, A to Z.", "By title, Z to A.")
PERIOD = By(
    "PERIOD",
    SortKey.PERIOD,
    "By year, the oldest first; reserves, which have no year, come first.",
    "By year, the newest first; reserves, which have no year, come last.",
)
PUBLISHED_ON = By(
    "PUBLISHED_ON",
    SortKey.PUBLICATION,
    "By the date of publication, the oldest first.",
    "By the date of publication, the newest first.",
)


def _by_day(name: str, of: str, key: SortKey = SortKey.DATE) -> By:
    return By(name, key, f"By {of}, the oldest first.", f"By {of}, the newest first.")


def _enum(name: str, description: str, values: dict[str, Any]) -> type[Enum]:
    made = Enum(name, values, module=__name__)  # type: ignore[misc]  # its values are known at run time only
    return strawberry.enum(made, description=description)


def _orders(name: str, description: str, *by: By) -> type[Enum]:
    values = {}
    for one in by:
        values[one.name] = enum_value(Ordering(one.key), description=one.up)
        if one.down:
            down = enum_value(Ordering(one.key, down=True), description=one.down)
            values[f"{one.name}_DESC"] = down
    return _enum(name, description, values)


ExportControlOrder = _orders(
    "ExportControlOrder",
    "Orders of export controls. Export controls that are equal are ordered by key.",
    KEY,
    TITLE,
    _by_day("ANNOUNCED_ON", "the date of the announcement"),
)
AllianceOrder = _orders(
    "AllianceOrder",
    "Orders of alliances. Alliances that are equal are ordered by key.",
    KEY,
    NAME,
    _by_day("FOUNDED_ON", "the date of the founding"),
)
FirmOrder = _orders(
    "FirmOrder", "Orders of firms. Firms that are equal are ordered by key.", KEY, NAME
)
WatchedSourceOrder = _orders(
    "WatchedSourceOrder",
    "Orders of watched sources. Watched sources that are equal are ordered by key.",
    KEY,
    NAME,
)
CoverageOrder = _orders(
    "CoverageOrder",
    "Orders of lists of acts that were read. Equal ones are ordered by key.",
    KEY,
    NAME,
)
AnnouncementOrder = _orders(
    "AnnouncementOrder",
    "Orders of announcements. Announcements that are equal are ordered by key.",
    KEY,
    TITLE,
    _by_day("DATE", "the date on which they were made"),
)
FigureOrder = _orders(
    "FigureOrder",
    "Orders of figures. Figures that are equal are ordered by key.",
    KEY,
    PERIOD,
    _by_day("PUBLISHED_ON", "the date of the newest claim"),
)
ClaimOrder = _orders(
    "ClaimOrder",
    "Orders of claims. Claims that are equal are ordered by figure and position.",
    By(
        "FIGURE",
        SortKey.NAME,
        "By the key of the figure, ascending.",
        "By the key of the figure, descending.",
    ),
    PERIOD,
    PUBLISHED_ON,
)
TradeFlowOrder = _orders(
    "TradeFlowOrder",
    "Orders of trade flows. Trade flows that are equal are ordered by key.",
    KEY,
    By("YEAR", SortKey.PERIOD, "By year, the oldest first.", "By year, the newest first."),
    _by_day("PUBLISHED_ON", "the date of the newest claim"),
)
TariffLineOrder = _orders(
    "TariffLineOrder",
    "Orders of lines of tariffs.",
    By("CODE", SortKey.NAME, "By place and code, ascending.", "By place and code, descending."),
)
KeyOrder = _orders("KeyOrder", "Orders of lists that can only be ordered by key.", KEY)
ImportOrder = _orders(
    "ImportOrder",
    "Orders of imports. Their keys sort by time.",
    By("KEY", SortKey.NAME, "The oldest first.", "The newest first."),
)
ChangeOrder = _orders(
    "ChangeOrder",
    "Orders of changes. Changes on the same date are ordered by entity.",
    By(
        "ENTITY",
        SortKey.NAME,
        "By the name of the entity, ascending.",
        "By the name of the entity, descending.",
    ),
    By(
        "DAY",
        SortKey.DATE,
        "By the date from which the state at the second moment holds (`heldFrom`), the"
        " earliest first. Entities without a state at that moment come first.",
        "By the date from which the state at the second moment holds, the latest first.",
    ),
)
TransitionOrder = _orders(
    "TransitionOrder",
    "Orders of transitions. Transitions on the same date are ordered by entity.",
    By("DAY", SortKey.NAME, "By date, the earliest first.", "By date, the latest first."),
)
DisputeOrder = _orders(
    "DisputeOrder",
    "Orders of disputes. Equal ones are ordered by control.",
    By("CONTROL", SortKey.NAME, "By the key of the control, ascending.", None),
    PUBLISHED_ON,
)
ClauseStatusOrder = _orders(
    "ClauseStatusOrder",
    "Orders of the statuses of clauses.",
    By("CLAUSE", SortKey.NAME, "By control and clause, then by date.", None),
    By(
        "FROM",
        SortKey.DATE,
        "By the first date, the earliest first.",
        "By the first date, the latest first.",
    ),
)
MembershipOrder = _orders(
    "MembershipOrder",
    "Orders of memberships.",
    By("ALLIANCE", SortKey.NAME, "By alliance, then by place and date.", None),
    By("PLACE", SortKey.TITLE, "By place, then by alliance and date.", None),
)
EventOrder = _orders(
    "EventOrder", "Orders of events.", _by_day("POSITION", "position", SortKey.NAME)
)
FactOrder = _orders(
    "FactOrder",
    "Orders of facts. Facts with the same date are ordered by position.",
    _by_day("PUBLIC_ON", "the date from which they count"),
)
EditionOrder = _orders(
    "EditionOrder",
    "Orders of editions. Editions with the same date are ordered by publisher and edition.",
    PUBLISHED_ON._replace(key=SortKey.DATE),
)
HorizonOrder = _orders(
    "HorizonOrder",
    "Orders of the newest recorded facts. Equal ones are ordered by kind, issuer and publisher.",
    By(
        "GROUP",
        SortKey.NAME,
        "By kind, issuer and publisher, ascending.",
        "By kind, issuer and publisher, descending.",
    ),
    _by_day("NEWEST_FACT_ON", "the date of the newest fact"),
)
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
        "PUBLISHED_ON": enum_value(QueueOrder.OLDEST_PUBLISHED, description=PUBLISHED_ON.up),
        "PUBLISHED_ON_DESC": enum_value(QueueOrder.NEWEST_PUBLISHED, description=PUBLISHED_ON.down),
    },
)


def cursor_name(order: Enum) -> str | None:
    """Return the name of an order in cursors, which both directions share; None for the order by name."""
    of: Ordering = order.value
    return None if of.by is SortKey.NAME else order.name.removesuffix("_DESC")
