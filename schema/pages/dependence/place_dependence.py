"""`/places/{code}/dependence`: the products that a place imports, and the controls of origins. Pure."""

from collections.abc import Mapping
from typing import Any

from schema.pages.dependence.dependent_products import dependent_products, reliances
from schema.pages.dependence.exposure_lists import PARTS, exposure_lists
from schema.pages.dependence.tables import dependence_tables
from schema.pages.dependence.trade import flow_rows
from schema.pages.site.address import Address
from schema.pages.site.page import Page, TableOfPage
from schema.pages.site.words import publisher_of
from tracker.domain.wording.phrases import listed, many, place_in_text
from tracker.errors import NotFound

MAX_ROWS = 40
"""Maximum number of rows in the first table; the others are folded."""
MAX_NAMES = 3
"""Maximum number of products in the answer."""


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return the imported products, the largest dependence first. Raises NotFound."""
    state, code = data["asOf"], address.parameters["code"]
    place = next((one for one in data["places"] if one["code"] == code), None)
    if place is None:
        raise NotFound(f"no place {code!r}", path=("code",))
    of_place = reliances(state["reliance"]["lines"])
    lists = exposure_lists(state["importExposure"]["lists"])
    flows = state["trade"]["nodes"]
    sources = [
        *(one.claim["source"] for one in of_place),
        *(one.source for one in lists),
        *(one["preferred"]["source"] for one in flows),
    ]
    where = place_in_text(place["code"])
    wholly = [one.name for one in of_place if one.rank == 100]
    covered = [one for one in lists if float(one.listed["upper"]) > 0]
    answer = []
    if of_place:
        answer.append(
            f"Net imports of {where} were all of its consumption of {many(len(wholly), 'product')}:"
            f" {listed(wholly, MAX_NAMES)}."
            if wholly
            else f"The largest net import reliance of {where}: {of_place[0].name},"
            f" {of_place[0].words} in {of_place[0].year}."
        )
    if lists:
        answer.append(
            f"For {len(covered):,} of {many(len(lists), 'product')} with recorded imports of {where}, a part"
            " came, or may have come, from places that control exports of the product to it."
        )
    if lists and not any(one.listed["claim"] for one in lists):
        answer.append(
            f"No published list of origins is recorded for {where}; these lists are trade flows by code."
        )
    return {
        "title": f"{place['name']}: dependence on imports",
        "description": " ".join(answer) or f"No figures on the imports of {where} are recorded.",
        "sources": sorted({publisher_of(source) for source in sources}),
        "place": place,
        "where": where,
        "answer": answer,
        "products": dependent_products(of_place, lists),
        "flows": flow_rows(flows),
        "max_rows": MAX_ROWS,
        "parts": PARTS,
    }


OF_PLACE = {"code": "importer"}
PAGE = Page(
    __name__,
    "/places/{code}/dependence",
    view,
    section="/places",
    table=TableOfPage("import-exposure", OF_PLACE),
    more_tables=dependence_tables(OF_PLACE),
)
