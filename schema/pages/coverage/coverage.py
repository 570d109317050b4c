"""`/coverage`: the lists of acts that were read, and their omissions. Pure."""

from collections.abc import Mapping
from typing import Any

from schema.pages.site.address import Address
from schema.pages.site.page import Page, TableOfPage
from tracker.domain.basics.control_vocabulary import ActKind


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return the lists, with the kinds of acts in words."""
    return {
        "title": "Lists that were read",
        "description": "The lists of acts behind the records: their periods and omissions.",
        "kinds": {kind.name: kind.phrase for kind in ActKind},
    }


PAGE = Page(
    __name__,
    "/coverage",
    view,
    section="/sources",
    table=TableOfPage("coverages", without=frozenset({"after"})),
)
