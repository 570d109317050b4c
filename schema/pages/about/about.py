"""`/about`: what this is, its sources and licences, what it does not know, how to cite and verify."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schema.pages.site.address import Address
from schema.pages.site.page import Page, TableOfPage


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Its publishers, those with most facts first."""
    publishers = data["asOf"]["publishers"]["nodes"]
    return {
        "title": "About this tracker",
        "description": "What this tracker is, where its facts come from, and what it does not know.",
        "publishers": sorted(publishers, key=lambda one: (-one["facts"], one["publisher"])),
    }


PAGE = Page(__name__, "/about", view, table=TableOfPage("horizons"))
