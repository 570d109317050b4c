"""`/sources/{key}`: one watched source with its polls and its fetches, the newest first. Pure."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from schema.pages.site.address import Address
from schema.pages.site.feeds import FeedOfPage
from schema.pages.site.page import Page, entity_of
from schema.pages.sources.source_status import is_behind, rhythm, status_sentence
from tracker.errors import NotFound

OUTCOMES = ("FETCHED", "UNCHANGED", "FAILED")


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return the source. Raises NotFound."""
    source = data["asOf"]["watchedSource"]
    if source is None:
        raise NotFound(
            f"no watched source {address.parameters['key']!r} at this moment", path=("key",)
        )
    day = date.fromisoformat(data["asOf"]["validAt"])
    return {
        "title": source["name"],
        "description": f"{source['name']}: {status_sentence(source, day)}.",
        "source": source,
        "status_sentence": status_sentence(source, day),
        "behind": is_behind(source, day),
        "rhythm": rhythm(source["everyHours"]),
        "outcomes": OUTCOMES,
        "positions": [int(poll["position"]) for poll in source["looks"]["nodes"]],
    }


PAGE = Page(
    __name__,
    "/sources/{key}",
    view,
    section="/sources",
    feed=FeedOfPage(
        entity=entity_of("source"), ignored=frozenset({"key", "looksAfter", "outcome"})
    ),
)
