"""`/events`: the log, newest first, for readers; new events are announced on the open page. Pure."""

from collections.abc import Mapping
from typing import Any

from schema.pages.site.address import Address, href
from schema.pages.site.feeds import FeedOfPage
from schema.pages.site.page import Page, TableOfPage
from tracker.domain.events.registry import FACTS

STREAMED = ("types", "commodity", "place", "entity")
"""Parameters that filter the stream of events too."""
RENAMED = {"commodity": "commodities", "place": "places"}


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return a page of the log, the newest event first."""
    events = data["asOf"]["events"]
    return {
        "title": "The log",
        "description": "Every event of the log, the newest first, with its proof.",
        "change_days": [event["publicOn"] for event in events["nodes"]],
        "events": events["nodes"][::-1],
        "older": _older(events["pageInfo"], address),
        "types": sorted(FACTS),
        "stream": stream(address),
        "counted": "search" not in address.query and "recorded" not in address.query,
    }


def stream(address: Address) -> str | None:
    """Return the address of the stream of new events of a list.

    None if the list has an end: at a position, or on a later page.
    """
    if address.position or address.known or "before" in address.query:
        return None
    return href("/events", {name: address.query.get(name) for name in STREAMED})


def _older(page_info: Mapping[str, Any], address: Address) -> str | None:
    if not page_info["hasPreviousPage"]:
        return None
    return address.narrowed(before=page_info["startCursor"])


PAGE = Page(
    __name__,
    "/events",
    view,
    section="/events",
    table=TableOfPage("events", renamed=RENAMED, without=frozenset({"before"})),
    feed=FeedOfPage(
        commodity="commodity",
        place="place",
        types="types",
        search="search",
        entity=lambda address: address.parameters.get("entity"),
        ignored=frozenset({"entity"}),
    ),
)
