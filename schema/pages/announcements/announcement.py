"""`/announcements/{key}`: one announcement beside those with a different account of it. Pure."""

from collections.abc import Mapping
from typing import Any

from schema.pages.site.address import Address
from schema.pages.site.entities import state_name
from schema.pages.site.feeds import FeedOfPage
from schema.pages.site.page import Page, entity_of
from schema.pages.site.words import publisher_of
from tracker.errors import NotFound


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return the announcement. Raises NotFound."""
    announcement = data["asOf"]["announcement"]
    if announcement is None:
        raise NotFound(
            f"no announcement {address.parameters['key']!r} at this moment", path=("key",)
        )
    return {
        "title": announcement["title"],
        "sources": [publisher_of(announcement["source"])],
        "change_days": [
            day for day in (announcement["date"], announcement["until"]) if day and len(day) == 10
        ],
        "announcement": announcement,
        "about": [
            (entity, state_name(node) or entity)
            for entity, node in zip(
                announcement["about"], announcement["aboutEntities"], strict=True
            )
        ],
        "others": [
            (entity, state_name(node) or entity, node)
            for entity, node in zip(
                announcement["conflictsWith"], announcement["conflictsWithEntities"], strict=True
            )
        ],
    }


PAGE = Page(
    __name__,
    "/announcements/{key}",
    view,
    section="/announcements",
    feed=FeedOfPage(entity=entity_of("announcement")),
)
