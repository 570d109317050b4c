"""`/about`: purpose, sources and licences, limits, citation and verification."""

from collections.abc import Mapping
from typing import Any

from schema.pages.site.address import Address
from schema.pages.site.page import Page, TableOfPage
from tracker.domain.wording.phrases import publisher_phrase

SHOWN_PUBLISHERS = 20
"""Publishers above the fold."""


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return the publishers, those with most facts first; up to 600 fit into the three lists."""
    names = ("publishers", "middlePublishers", "otherPublishers")
    lists = (data["asOf"][name]["nodes"] for name in names)
    rows = {one["publisher"]: one for nodes in lists for one in nodes}.values()
    return {
        "title": "About this tracker",
        "description": "The purpose of this tracker, the sources of its facts, and its limits.",
        "publishers": sorted(rows, key=lambda one: (-one["facts"], one["publisher"])),
        "publisher_name": publisher_phrase,
        "shown_publishers": SHOWN_PUBLISHERS,
    }


PAGE = Page(__name__, "/about", view, table=TableOfPage("horizons"))
