"""`/about`: purpose, sources and licences, limits, citation and verification."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schema.pages.site.address import Address
from schema.pages.site.page import Page, TableOfPage


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return the publishers, those with most facts first."""
    publishers = data["asOf"]["publishers"]["nodes"]
    return {
        "title": "About this tracker",
        "description": "The purpose of this tracker, the sources of its facts, and its limits.",
        "publishers": sorted(publishers, key=lambda one: (-one["facts"], one["publisher"])),
    }


PAGE = Page(__name__, "/about", view, table=TableOfPage("horizons"))
