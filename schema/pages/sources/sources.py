"""`/sources`: the sources that are watched, when they were last read, and which can't be. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from schema.pages.site.address import Address
from schema.pages.site.page import Page, TableOfPage
from schema.pages.site.words import written_day
from schema.pages.sources.standing import is_behind, rhythm, standing


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """The sources, and how old what is known is by the day of the page."""
    found = data["asOf"]
    day = date.fromisoformat(found["validAt"])
    sources = found["watchedSources"]["nodes"]
    watched = [one for one in sources if not one["unwatchedOn"]]
    read = [one["lastEndedAt"] for one in watched if one["lastEndedAt"]]
    behind = bool(watched) and all(is_behind(one, day) for one in watched)
    return {
        "title": "Watched sources",
        "description": "Which lists of publishers are looked through, and when they were last read.",
        "rows": [(one, standing(one, day), rhythm(one["everyHours"])) for one in sources],
        "behind": {one["key"] for one in sources if is_behind(one, day)},
        "nothing_read": behind,
        "last_look": written_day(max(read)) if read else None,
    }


PAGE = Page(
    __name__,
    "/sources",
    view,
    section="/sources",
    table=TableOfPage("sources", without=frozenset({"after"})),
)
