"""`/announcements`: announcements, the newest first, by words, actor, kind and commodity. Pure."""

from collections.abc import Mapping
from typing import Any

from schema.pages.site.address import Address
from schema.pages.site.feeds import FeedOfPage
from schema.pages.site.page import Page, TableOfPage
from tracker.domain.basics.vocabulary import AnnouncementKind


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return the announcements of a page of the list."""
    nodes = data["asOf"]["announcements"]["nodes"]
    return {
        "title": "Announcements",
        "description": "Announcements of states, alliances and firms about critical minerals.",
        "change_days": [node["date"] for node in nodes if len(node["date"]) == len("2025-01-01")],
        "announcements": nodes,
        "kinds": [kind.name for kind in AnnouncementKind],
    }


PAGE = Page(
    __name__,
    "/announcements",
    view,
    section="/announcements",
    table=TableOfPage("announcements", without=frozenset({"after"})),
    feed=FeedOfPage(("ANNOUNCEMENT",), commodity="commodity", place="actor"),
)
