"""`/sources`: the watched sources, their last polls and their failures. Pure."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from schema.pages.site.address import Address
from schema.pages.site.page import Page, TableOfPage
from schema.pages.sources.source_status import is_behind, rhythm, status_sentence
from tracker.domain.wording.phrases import short_date


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return the sources, with the age of their data as of the date of the page."""
    state = data["asOf"]
    day = date.fromisoformat(state["validAt"])
    sources = state["watchedSources"]["nodes"]
    watched = [one for one in sources if not one["unwatchedOn"]]
    read = [one["lastEndedAt"] for one in watched if one["lastEndedAt"]]
    behind = bool(watched) and all(is_behind(one, day) for one in watched)
    return {
        "title": "Watched sources",
        "description": "The watched lists of publishers, and their last polls.",
        "rows": [(one, status_sentence(one, day), rhythm(one["everyHours"])) for one in sources],
        "behind": {one["key"] for one in sources if is_behind(one, day)},
        "nothing_read": behind,
        "last_look": short_date(max(read)) if read else None,
    }


PAGE = Page(
    __name__,
    "/sources",
    view,
    section="/sources",
    table=TableOfPage("sources", without=frozenset({"after"})),
)
