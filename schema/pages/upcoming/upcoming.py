"""`/upcoming`: changes of the next months that follow from recorded acts, by date. Pure."""

from collections.abc import Mapping
from typing import Any

from schema.pages.overview.status_changes import change_lines, days_of_changes
from schema.pages.site.address import Address
from schema.pages.site.feeds import FeedOfPage
from schema.pages.site.page import Page, TableOfPage

DEFAULT_DAYS = "183"
SPANS = {"92": "3 months", "183": "6 months", "365": "12 months"}
"""Periods that the page offers, by their number of days."""


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return the changes by date."""
    nodes = data["asOf"]["upcoming"]["nodes"]
    days = address.parameters.get("days", DEFAULT_DAYS)
    return {
        "title": "Upcoming changes",
        "description": "Changes of export controls, import measures and alliances that follow from"
        " recorded acts.",
        "change_days": [node["day"] for node in nodes],
        "coming": days_of_changes(change_lines(nodes)),
        "spans": SPANS,
        "days": days,
        "span": SPANS.get(days, f"{days} days"),
    }


PAGE = Page(
    __name__,
    "/upcoming",
    view,
    section="/upcoming",
    table=TableOfPage("upcoming", without=frozenset({"after"})),
    defaults=lambda address: {} if "days" in address.parameters else {"days": DEFAULT_DAYS},
    feed=FeedOfPage(
        commodity="commodity", place="place", calendar=True, ignored=frozenset({"days"})
    ),
)
