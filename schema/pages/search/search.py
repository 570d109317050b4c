"""`/search?q=`: entities that say some words, with the part that does, and events. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from schema.pages.site.address import Address
from schema.pages.site.feeds import FeedOfPage
from schema.pages.site.page import Page, TableOfPage

KINDS = ("EXPORT_CONTROL", "ALLIANCE", "ANNOUNCEMENT", "FIGURE", "FIRM", "SOURCE")
MAX_NAMES = 5
"""So many commodities and places are offered by their names."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A text in parts: before the words that match, these, and behind them."""

    field: str
    before: str
    match: str
    after: str
    position: str | None


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """The results; none where nothing is searched for."""
    asked = address.parameters.get("q", "")
    found = data["asOf"].get("search")
    return {
        "title": f"Search: {asked}" if asked else "Search",
        "asked": asked,
        "day": asked if _is_day(asked) else None,
        "kinds": KINDS,
        "results": [
            (node, [excerpt(match) for match in node["matched"]])
            for node in (found["nodes"] if found else [])
        ],
        "events": list(reversed(data["asOf"]["events"]["nodes"])) if found else [],
        "commodities": data.get("commodities", [])[:MAX_NAMES],
        "places": data.get("places", [])[:MAX_NAMES],
    }


def excerpt(match: Mapping[str, Any]) -> Excerpt:
    """A match in its parts; `start` and `end` count characters."""
    text, start, end = match["text"], match["start"], match["end"]
    field = match["field"].strip("/").replace("/", " ")
    return Excerpt(field, text[:start], text[start:end], text[end:], match["position"])


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


PAGE = Page(
    __name__,
    "/search",
    view,
    made={"given": lambda address: bool(address.parameters.get("q"))},
    table=TableOfPage("search", renamed={"q": "text"}, without=frozenset({"after"})),
    feed=FeedOfPage(kind="kinds", commodity="commodity", place="place", search="q"),
)
