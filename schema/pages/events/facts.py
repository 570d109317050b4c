"""`/facts`: the facts that count, by date, whenever they were recorded. Pure."""

from collections.abc import Mapping
from typing import Any

from schema.pages.events.events import RENAMED
from schema.pages.site.address import Address
from schema.pages.site.feeds import FeedOfPage
from schema.pages.site.page import Page, TableOfPage
from tracker.domain.events.registry import FACTS


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return a page of the facts that count, the last date first."""
    facts = data["asOf"]["facts"]
    return {
        "title": "Facts by date",
        "description": "The facts that count, by the date on which they became public.",
        "change_days": [fact["publicOn"] for fact in facts["nodes"]],
        "facts": facts["nodes"],
        "types": sorted(FACTS),
    }


PAGE = Page(
    __name__,
    "/facts",
    view,
    section="/events",
    table=TableOfPage("facts", renamed=RENAMED, without=frozenset({"after"})),
    feed=FeedOfPage(
        commodity="commodity",
        place="place",
        types="types",
        entity=lambda address: address.parameters.get("entity"),
        ignored=frozenset({"entity"}),
    ),
)
