"""Queries at a moment, one for each kind of statement."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

from projections.query.as_of import AsOf
from projections.query.list_statements import ListShape, Ordering, SortKey, count_statement
from projections.query.lists import Filter, KeyRange
from projections.query.moment import Moment
from tracker.domain.actors.alliance import AllianceState
from tracker.domain.actors.announcement import AnnouncementState
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.figures.figure import FigureState

Question = Callable[[AsOf, Moment], Awaitable[Any]]
RARE = ["rare_earths", "dysprosium", "terbium", "neodymium"]
REE = "rare_earths/CN/production/mine/2023"


async def count_on_an_early_day(as_of: AsOf, at: Moment) -> Any:
    """Count a publisher's figures as on a day with few records."""
    statement = count_statement(ListShape("entities_by_day", ()))
    return await as_of._pool.fetchval(statement, "figure", at.valid_at, at.position, ["usgs"])


QUESTIONS: dict[str, Question] = {
    "a control": lambda as_of, at: as_of.state(ExportControlState, "cn-mofcom-2024-46", at),
    "a figure": lambda as_of, at: as_of.state(FigureState, REE, at),
    "controls": lambda as_of, at: as_of.states(ExportControlState, at, limit=20),
    "controls of an issuer on a commodity in force": lambda as_of, at: as_of.states(
        ExportControlState,
        at,
        Filter(commodities=["gallium"], places=["CN"], status="in_force"),
        limit=20,
    ),
    "controls on a group": lambda as_of, at: as_of.states(
        ExportControlState, at, Filter(commodities=RARE), limit=20
    ),
    "alliances of a member": lambda as_of, at: as_of.states(
        AllianceState, at, Filter(places=["JP"]), limit=20
    ),
    "announcements after one": lambda as_of, at: as_of.lists.page(
        AnnouncementState,
        at,
        Filter(places=["US"]),
        span=KeyRange(after=("announcement/a",), limit=20),
    ),
    "figures of a group": lambda as_of, at: as_of.states(
        FigureState, at, Filter(commodities=RARE, category="production"), limit=20
    ),
    "production": lambda as_of, at: as_of.figures(["rare_earths"], [2023], at),
    "supplies of a group": lambda as_of, at: as_of.supplies.find(at, RARE),
    "reserves": lambda as_of, at: as_of.figures(["lithium"], [None], at),
    "claims of a publisher": lambda as_of, at: as_of.lists.claims(
        at, Filter(publishers=["usgs"]), span=KeyRange(after=(f"figure/{REE}", 0), limit=20)
    ),
    "how many controls": lambda as_of, at: as_of.lists.count(ExportControlState, at),
    "how many claims on a commodity": lambda as_of, at: as_of.lists.count_claims(
        at, Filter(commodities=["gallium"])
    ),
    "controls in force in a time": lambda as_of, at: as_of.lists.page(
        ExportControlState,
        at,
        Filter(
            in_force=(date(2025, 1, 1), None),
            verified=False,
            level="memory",
            primary=False,
            checked="page",
        ),
        Ordering(SortKey.DATE, down=True),
        KeyRange(limit=20),
    ),
    "controls by their words": lambda as_of, at: as_of.lists.page(
        ExportControlState, at, Filter(search="gallium", places=["CN"]), span=KeyRange(limit=20)
    ),
    "how many announcements by their words": lambda as_of, at: as_of.lists.count(
        AnnouncementState, at, Filter(search="quad minerals")
    ),
    "the last figures of some years": lambda as_of, at: as_of.lists.page(
        FigureState,
        at,
        Filter(commodities=RARE, period=(2020, 2023), stage="mine"),
        Ordering(SortKey.PERIOD),
        KeyRange(limit=20, from_end=True),
    ),
    "controls under a licence between two titles": lambda as_of, at: as_of.lists.page(
        ExportControlState,
        at,
        Filter(commodities=RARE, measure="licence", dated=(None, at.valid_at)),
        Ordering(SortKey.TITLE),
        KeyRange(after=("a", "export-control/a"), before=("z", "export-control/z"), closed=True),
    ),
    "figures of a place": lambda as_of, at: as_of.lists.page(
        FigureState, at, Filter(commodities=["gallium"], places=["CN"]), span=KeyRange(limit=20)
    ),
    "the newest claims that somebody looked at": lambda as_of, at: as_of.lists.claims(
        at,
        Filter(
            publishers=["usgs"],
            published=(date(2020, 1, 1), at.valid_at),
            verified=True,
            level="secondary",
            primary=True,
            checked="data_file",
        ),
        Ordering(SortKey.PUBLICATION, down=True),
        KeyRange(after=("2024-01-31", f"figure/{REE}", 0), limit=20),
    ),
    "controls with other accounts": lambda as_of, at: as_of.states(
        ExportControlState, at, Filter(disputed=True)
    ),
    "how many controls by how they were looked at": lambda as_of, at: as_of.lists.count(
        ExportControlState, at, Filter(primary=True, checked="page")
    ),
    "how many claims by how they were looked at": lambda as_of, at: as_of.lists.count_claims(
        at, Filter(commodities=["gallium"], primary=False, checked="page")
    ),
    "how many announcements of a publisher": lambda as_of, at: as_of.lists.count(
        AnnouncementState,
        at,
        Filter(publishers=["usgs"], published=(None, at.valid_at), primary=False),
    ),
    "how many figures on an early day": count_on_an_early_day,
    "digest": lambda as_of, at: as_of.digest(at),
}
