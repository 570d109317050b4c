"""`/announcements/{key}`: one announcement beside those with a different account of it. Pure."""

from __future__ import annotations

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
    found = data["asOf"]["announcement"]
    if found is None:
        raise NotFound(
            f"no announcement {address.parameters['key']!r} at this moment", path=("key",)
        )
    return {
        "title": found["title"],
        "sources": [publisher_of(found["source"])],
        "turns": [day for day in (found["date"], found["until"]) if day and len(day) == 10],
        "announcement": found,
        "about": [
            (entity, state_name(node) or entity)
            for entity, node in zip(found["about"], found["aboutEntities"], strict=True)
        ],
        "others": [
            (entity, state_name(node) or entity, node)
            for entity, node in zip(
                found["conflictsWith"], found["conflictsWithEntities"], strict=True
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
