"""`/tariffs/{place}/{code}`: a line of a tariff with its rates as printed. Pure."""

from collections.abc import Mapping
from typing import Any

from schema.pages.site.address import Address
from schema.pages.site.page import Page
from schema.pages.site.words import publisher_of
from tracker.domain.figures.tariff import dotted


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return the line with its title."""
    line = data["asOf"]["tariffLine"]
    code, general = dotted(line["code"]), line["general"]
    return {
        "title": f"{code}: {line['texts'][-1].rstrip(':')}",
        "title_code": code,
        "description": f"General rate {general['text'] if general else 'blank'}. {line['statement']}",
        "sources": sorted({publisher_of(event["source"]) for event in line["because"]}),
        "line": line,
    }


PAGE = Page(__name__, "/tariffs/{place}/{code}", view, section="/commodities")
