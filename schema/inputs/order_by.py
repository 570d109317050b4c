"""Orders of lists: an enum for every kind of item, whose values include the direction."""

from __future__ import annotations

from enum import Enum
from typing import Any

import strawberry
from strawberry import argument, enum_value

from projections.query.list_statements import Ordering, SortKey
from tracker.review.candidates import CandidateOrder as QueueOrder

ORDER_BY = argument(description="The order of the list.")


def _order(by: SortKey, description: str, *, down: bool = False) -> Any:
    return enum_value(Ordering(by, down), description=description)


def _found(order: QueueOrder, description: str) -> Any:
    return enum_value(order, description=description)


BY_KEY = _order(SortKey.NAME, "By key, ascending.")
BY_KEY_DESC = _order(SortKey.NAME, "By key, descending.", down=True)


@strawberry.enum(
    description="Orders of export controls. Export controls that are equal are ordered by key."
)
class ExportControlOrder(Enum):
    """Orders of export controls."""

    KEY = BY_KEY
    KEY_DESC = BY_KEY_DESC
    TITLE = _order(SortKey.TITLE, "By title, A to Z.")
    TITLE_DESC = _order(SortKey.TITLE, "By title, Z to A.", down=True)
    ANNOUNCED_ON = _order(SortKey.DATE, "By the day of the announcement, the oldest first.")
    ANNOUNCED_ON_DESC = _order(
        SortKey.DATE, "By the day of the announcement, the newest first.", down=True
    )


@strawberry.enum(description="Orders of alliances. Alliances that are equal are ordered by key.")
class AllianceOrder(Enum):
    """Orders of alliances."""

    KEY = BY_KEY
    KEY_DESC = BY_KEY_DESC
    NAME = _order(SortKey.TITLE, "By name, A to Z.")
    NAME_DESC = _order(SortKey.TITLE, "By name, Z to A.", down=True)
    FOUNDED_ON = _order(SortKey.DATE, "By the day of the founding, the oldest first.")
    FOUNDED_ON_DESC = _order(
        SortKey.DATE, "By the day of the founding, the newest first.", down=True
    )


@strawberry.enum(description="Orders of firms. Firms that are equal are ordered by key.")
class FirmOrder(Enum):
    """How firms are ordered."""

    KEY = BY_KEY
    KEY_DESC = BY_KEY_DESC
    NAME = _order(SortKey.TITLE, "By name, A to Z.")
    NAME_DESC = _order(SortKey.TITLE, "By name, Z to A.", down=True)


@strawberry.enum(
    description="Orders of watched sources. Watched sources that are equal are ordered by key."
)
class WatchedSourceOrder(Enum):
    """Orders of watched sources."""

    KEY = BY_KEY
    KEY_DESC = BY_KEY_DESC
    NAME = _order(SortKey.TITLE, "By name, A to Z.")
    NAME_DESC = _order(SortKey.TITLE, "By name, Z to A.", down=True)


@strawberry.enum(
    description="Orders of lists that were read. Those that are equal are ordered by key."
)
class CoverageOrder(Enum):
    """Orders of lists that were read."""

    KEY = BY_KEY
    KEY_DESC = BY_KEY_DESC
    NAME = _order(SortKey.TITLE, "By name, A to Z.")
    NAME_DESC = _order(SortKey.TITLE, "By name, Z to A.", down=True)


@strawberry.enum(
    description="Orders of announcements. Announcements that are equal are ordered by key."
)
class AnnouncementOrder(Enum):
    """Orders of announcements."""

    KEY = BY_KEY
    KEY_DESC = BY_KEY_DESC
    TITLE = _order(SortKey.TITLE, "By title, A to Z.")
    TITLE_DESC = _order(SortKey.TITLE, "By title, Z to A.", down=True)
    DATE = _order(SortKey.DATE, "By the day on which they were made, the oldest first.")
    DATE_DESC = _order(
        SortKey.DATE, "By the day on which they were made, the newest first.", down=True
    )


@strawberry.enum(description="Orders of figures. Figures that are equal are ordered by key.")
class FigureOrder(Enum):
    """Orders of figures."""

    KEY = BY_KEY
    KEY_DESC = BY_KEY_DESC
    PERIOD = _order(
        SortKey.PERIOD, "By year, the oldest first; reserves, which have no year, come first."
    )
    PERIOD_DESC = _order(
        SortKey.PERIOD,
        "By year, the newest first; reserves, which have no year, come last.",
        down=True,
    )
    PUBLISHED_ON = _order(SortKey.DATE, "By the day of the newest claim, the oldest first.")
    PUBLISHED_ON_DESC = _order(
        SortKey.DATE, "By the day of the newest claim, the newest first.", down=True
    )


@strawberry.enum(
    description="Orders of claims. Claims that are equal are ordered by figure and position."
)
class ClaimOrder(Enum):
    """Orders of claims."""

    FIGURE = _order(SortKey.NAME, "By the key of the figure, ascending.")
    FIGURE_DESC = _order(SortKey.NAME, "By the key of the figure, descending.", down=True)
    PERIOD = _order(
        SortKey.PERIOD, "By year, the oldest first; reserves, which have no year, come first."
    )
    PERIOD_DESC = _order(
        SortKey.PERIOD,
        "By year, the newest first; reserves, which have no year, come last.",
        down=True,
    )
    PUBLISHED_ON = _order(SortKey.PUBLICATION, "By the day of publication, the oldest first.")
    PUBLISHED_ON_DESC = _order(
        SortKey.PUBLICATION, "By the day of publication, the newest first.", down=True
    )


@strawberry.enum(description="Orders of lists that can only be ordered by key.")
class KeyOrder(Enum):
    """Orders of lists that can only be ordered by key."""

    KEY = BY_KEY
    KEY_DESC = BY_KEY_DESC


@strawberry.enum(description="Orders of imports. Their keys sort by time.")
class ImportOrder(Enum):
    """Orders of imports."""

    KEY = _order(SortKey.NAME, "The oldest first.")
    KEY_DESC = _order(SortKey.NAME, "The newest first.", down=True)


@strawberry.enum(description="Orders of changes. Those of one day are ordered by entity.")
class ChangeOrder(Enum):
    """Orders of changes."""

    ENTITY = _order(SortKey.NAME, "By the name of the entity, ascending.")
    ENTITY_DESC = _order(SortKey.NAME, "By the name of the entity, descending.", down=True)
    DAY = _order(
        SortKey.DATE,
        "By the day from which the state at the second moment has held (`heldFrom`), the earliest first;"
        " what has none then comes first.",
    )
    DAY_DESC = _order(SortKey.DATE, "By that day, the latest first.", down=True)


@strawberry.enum(description="Orders of transitions. Those of one day are ordered by entity.")
class TransitionOrder(Enum):
    """Orders of transitions."""

    DAY = _order(SortKey.NAME, "By day, the earliest first.")
    DAY_DESC = _order(SortKey.NAME, "By day, the latest first.", down=True)


@strawberry.enum(description="Orders of disputes. Those that are equal are ordered by control.")
class DisputeOrder(Enum):
    """Orders of disputes."""

    CONTROL = _order(SortKey.NAME, "By the key of the control, ascending.")
    PUBLISHED_ON = _order(SortKey.PUBLICATION, "By the day of publication, the oldest first.")
    PUBLISHED_ON_DESC = _order(
        SortKey.PUBLICATION, "By the day of publication, the newest first.", down=True
    )


@strawberry.enum(description="Orders of the statuses of clauses.")
class ClauseStatusOrder(Enum):
    """Orders of the statuses of clauses."""

    CLAUSE = _order(SortKey.NAME, "By control and clause, then by day.")
    FROM = _order(SortKey.DATE, "By the first day, the earliest first.")
    FROM_DESC = _order(SortKey.DATE, "By the first day, the latest first.", down=True)


@strawberry.enum(description="Orders of memberships.")
class MembershipOrder(Enum):
    """Orders of memberships."""

    ALLIANCE = _order(SortKey.NAME, "By alliance, then by place and day.")
    PLACE = _order(SortKey.TITLE, "By place, then by alliance and day.")


@strawberry.enum(description="Orders of events.")
class EventOrder(Enum):
    """Orders of events."""

    POSITION = _order(SortKey.NAME, "By position, the oldest first.")
    POSITION_DESC = _order(SortKey.NAME, "By position, the newest first.", down=True)


@strawberry.enum(description="Orders of facts. Facts of one day are ordered by position.")
class FactOrder(Enum):
    """Orders of facts."""

    PUBLIC_ON = _order(SortKey.DATE, "By the day from which they count, the oldest first.")
    PUBLIC_ON_DESC = _order(
        SortKey.DATE, "By the day from which they count, the newest first.", down=True
    )


@strawberry.enum(
    description="Orders of editions. Editions of one day are ordered by publisher and edition."
)
class EditionOrder(Enum):
    """Orders of editions."""

    PUBLISHED_ON = _order(SortKey.DATE, "By the day of publication, the oldest first.")
    PUBLISHED_ON_DESC = _order(
        SortKey.DATE, "By the day of publication, the newest first.", down=True
    )


@strawberry.enum(
    description="Orders of the newest recorded facts. Equal ones are ordered by kind, issuer and publisher."
)
class HorizonOrder(Enum):
    """Orders of horizons."""

    GROUP = _order(SortKey.NAME, "By kind, issuer and publisher, ascending.")
    GROUP_DESC = _order(SortKey.NAME, "By kind, issuer and publisher, descending.", down=True)
    NEWEST_FACT_ON = _order(SortKey.DATE, "By the day of the newest fact, the oldest first.")
    NEWEST_FACT_ON_DESC = _order(
        SortKey.DATE, "By the day of the newest fact, the newest first.", down=True
    )


def cursor_name(order: Enum) -> str | None:
    """What cursors call an order, which both directions share; None for that of the names."""
    of: Ordering = order.value
    return None if of.by is SortKey.NAME else order.name.removesuffix("_DESC")


@strawberry.enum(
    description="Orders of candidates. Those of which no day of publication is known come as the oldest."
)
class CandidateOrder(Enum):
    """Orders of candidates."""

    FOUND_AT = _found(QueueOrder.OLDEST_FOUND, "As they were found, the oldest first.")
    FOUND_AT_DESC = _found(QueueOrder.NEWEST_FOUND, "As they were found, the newest first.")
    PUBLISHED_ON = _found(
        QueueOrder.OLDEST_PUBLISHED, "By the day of publication, the oldest first."
    )
    PUBLISHED_ON_DESC = _found(
        QueueOrder.NEWEST_PUBLISHED, "By the day of publication, the newest first."
    )
