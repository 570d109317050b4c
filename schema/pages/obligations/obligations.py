"""`/obligations`: what acts oblige a role to do in a place, by the next due day. Pure."""

from collections.abc import Mapping
from typing import Any

from schema.pages.site.address import Address, entity_path
from schema.pages.site.feeds import FeedOfPage
from schema.pages.site.page import Page, TableOfPage
from tracker.domain.basics.control_vocabulary import ClauseStatus
from tracker.domain.basics.vocabulary import DueStatus, ObligationRole

ROLES = {
    ObligationRole.PRODUCER: "mine, refine or recycle minerals",
    ObligationRole.MANUFACTURER: "make products",
    ObligationRole.IMPORTER: "import goods",
    ObligationRole.EXPORTER: "export goods",
    ObligationRole.TRADER: "trade, store or carry goods",
    ObligationRole.PROJECT: "promote a project",
    ObligationRole.FIRM: "are any other firm",
    ObligationRole.STATE: "are a state or an authority",
}
"""The words after "You" for each role."""
GROUPS = {
    "Due by a day": (DueStatus.DATED,),
    "Due after an event whose day is not recorded": (DueStatus.OPEN,),
    "Due at each occasion, or at all times": (DueStatus.EACH_TIME, DueStatus.AT_ALL_TIMES),
    "Passed or ended": (DueStatus.PASSED, DueStatus.ENDED),
}
"""The sections of the page, with the statuses of each."""
NOT_BINDING = {ClauseStatus.SUSPENDED.name, ClauseStatus.REPEALED.name, ClauseStatus.EXPIRED.name}
"""Statuses of clauses that bind nobody."""


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return the obligations by the kind of their due day."""
    nodes = data["asOf"]["obligations"]["nodes"]
    groups = {
        title: [
            with_act(node) for node in nodes if DueStatus[node["nextDue"]["status"]] in statuses
        ]
        for title, statuses in GROUPS.items()
    }
    return {
        "title": "Your obligations",
        "description": "Obligations of firms and states in recorded acts, with their due days.",
        "change_days": [node["nextDue"]["day"] for node in nodes if node["nextDue"]["day"]],
        "groups": {title: items for title, items in groups.items() if items},
        "roles": {role.name: phrase for role, phrase in ROLES.items()},
        "statuses": {status.name: status.phrase for status in DueStatus},
    }


def with_act(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an obligation with the page of its act, and the statuses of the act if it binds nobody."""
    clauses = (node["instrumentEntity"] or {}).get("clauses", ())
    statuses = {clause["status"] for clause in clauses}
    return {
        **node,
        "act_path": entity_path(node["instrument"]) if node["instrument"] else None,
        "act_statuses": sorted(statuses) if statuses and statuses <= NOT_BINDING else [],
    }


PAGE = Page(
    __name__,
    "/obligations",
    view,
    section="/obligations",
    table=TableOfPage("obligations", without=frozenset({"after"})),
    feed=FeedOfPage(("OBLIGATION",), commodity="commodity", place="place"),
)
