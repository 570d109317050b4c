"""How lists can be ordered: an enum for every kind of item, whose values also say the direction."""

from __future__ import annotations

from enum import Enum
from typing import Any

import strawberry
from strawberry import argument, enum_value

from projections.query.list_statements import By, Order

ORDER_BY = argument(description="In which order.")


def _order(by: By, description: str, *, down: bool = False) -> Any:
    return enum_value(Order(by, down), description=description)


BY_KEY = _order(By.NAME, "By key.")
BY_KEY_DESC = _order(By.NAME, "By key, the last first.", down=True)


@strawberry.enum(description="How export controls are ordered; by key where the rest is equal.")
class ExportControlOrder(Enum):
    """How export controls are ordered."""

    KEY = BY_KEY
    KEY_DESC = BY_KEY_DESC
    TITLE = _order(By.TITLE, "By title, in the order of the alphabet.")
    TITLE_DESC = _order(By.TITLE, "By title, from the end of the alphabet.", down=True)
    ANNOUNCED_ON = _order(By.DATE, "By the day of the announcement, the oldest first.")
    ANNOUNCED_ON_DESC = _order(
        By.DATE, "By the day of the announcement, the newest first.", down=True
    )


@strawberry.enum(description="How alliances are ordered; by key where the rest is equal.")
class AllianceOrder(Enum):
    """How alliances are ordered."""

    KEY = BY_KEY
    KEY_DESC = BY_KEY_DESC
    NAME = _order(By.TITLE, "By name, in the order of the alphabet.")
    NAME_DESC = _order(By.TITLE, "By name, from the end of the alphabet.", down=True)
    FOUNDED_ON = _order(By.DATE, "By the day of the founding, the oldest first.")
    FOUNDED_ON_DESC = _order(By.DATE, "By the day of the founding, the newest first.", down=True)


@strawberry.enum(description="How announcements are ordered; by key where the rest is equal.")
class AnnouncementOrder(Enum):
    """How announcements are ordered."""

    KEY = BY_KEY
    KEY_DESC = BY_KEY_DESC
    TITLE = _order(By.TITLE, "By title, in the order of the alphabet.")
    TITLE_DESC = _order(By.TITLE, "By title, from the end of the alphabet.", down=True)
    DATE = _order(By.DATE, "By the day on which they were made, the oldest first.")
    DATE_DESC = _order(By.DATE, "By the day on which they were made, the newest first.", down=True)


@strawberry.enum(description="How figures are ordered; by key where the rest is equal.")
class FigureOrder(Enum):
    """How figures are ordered."""

    KEY = BY_KEY
    KEY_DESC = BY_KEY_DESC
    PERIOD = _order(By.PERIOD, "By year, the oldest first; reserves, which have none, before them.")
    PERIOD_DESC = _order(By.PERIOD, "By year, the newest first; reserves after them.", down=True)
    PUBLISHED_ON = _order(By.DATE, "By the day of the newest claim, the oldest first.")
    PUBLISHED_ON_DESC = _order(
        By.DATE, "By the day of the newest claim, the newest first.", down=True
    )


@strawberry.enum(
    description="How claims are ordered; by figure and position where the rest is equal."
)
class ClaimOrder(Enum):
    """How claims are ordered."""

    FIGURE = _order(By.NAME, "By figure.")
    FIGURE_DESC = _order(By.NAME, "By figure, the last first.", down=True)
    PERIOD = _order(By.PERIOD, "By year, the oldest first; reserves, which have none, before them.")
    PERIOD_DESC = _order(By.PERIOD, "By year, the newest first; reserves after them.", down=True)
    PUBLISHED_ON = _order(By.PUBLICATION, "By the day of publication, the oldest first.")
    PUBLISHED_ON_DESC = _order(
        By.PUBLICATION, "By the day of publication, the newest first.", down=True
    )


@strawberry.enum(description="How entities of which nothing else is asked are ordered.")
class KeyOrder(Enum):
    """How entities of which nothing else is asked are ordered."""

    KEY = BY_KEY
    KEY_DESC = BY_KEY_DESC


@strawberry.enum(description="How imports are ordered. Their keys sort by time.")
class ImportOrder(Enum):
    """How imports are ordered."""

    KEY = _order(By.NAME, "The oldest first.")
    KEY_DESC = _order(By.NAME, "The newest first.", down=True)


@strawberry.enum(description="How changes are ordered.")
class ChangeOrder(Enum):
    """How changes are ordered."""

    ENTITY = _order(By.NAME, "By entity.")
    ENTITY_DESC = _order(By.NAME, "By entity, the last first.", down=True)


@strawberry.enum(description="How what is to come is ordered; by entity on the same day.")
class TransitionOrder(Enum):
    """How what is to come is ordered."""

    DAY = _order(By.NAME, "By day.")
    DAY_DESC = _order(By.NAME, "By day, the last first.", down=True)


@strawberry.enum(description="How events are ordered.")
class EventOrder(Enum):
    """How events are ordered."""

    POSITION = _order(By.NAME, "By position: as they were recorded.")
    POSITION_DESC = _order(By.NAME, "By position, the newest first.", down=True)


def cursor_name(order: Enum) -> str | None:
    """What cursors call an order, which both directions share; None for that of the names."""
    of: Order = order.value
    return None if of.by is By.NAME else order.name.removesuffix("_DESC")
