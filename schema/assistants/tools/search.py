"""Search of entities, commodities and places by words."""

from collections.abc import Mapping
from typing import Any

from schema.assistants.arguments import PagedArguments
from schema.assistants.book import Book
from schema.assistants.kinds import Kind
from schema.assistants.parts import Part
from schema.assistants.tool import Data, Item, Node, Nodes, Tool, as_variable
from schema.pages.site.address import entity_path

MAX_NAMES = 20
"""Maximum number of commodities and places in a response."""
MAX_MATCH_CHARACTERS = 160


class Parameters(PagedArguments, frozen=True, kw_only=True):
    """The search words."""

    text: str
    kind: Kind | None = None
    commodity: str | None = None
    place: str | None = None


HIT = Part(__name__, "FoundEntity", {"matched": str, "page": str})
COMMODITY = Part(__name__, "FoundCommodity", {})
PLACE = Part(__name__, "FoundPlace", {})


def variables(parameters: Parameters) -> dict[str, Any]:
    """Return the kinds as a list."""
    return {"kinds": as_variable([parameters.kind]) if parameters.kind else None}


def page(parameters: Parameters, data: Data) -> tuple[str, Mapping[str, object]]:
    """Return the page of the search."""
    return "/search", {
        "q": parameters.text,
        "kinds": parameters.kind and parameters.kind.upper(),
        "commodity": parameters.commodity,
        "place": parameters.place,
    }


def nodes(data: Data, parameters: Parameters) -> Nodes:
    """Return the entities."""
    return Nodes.of_page(data["asOf"]["search"])


def hit(node: Node, book: Book) -> Item:
    """Return an entity with the best matching text besides its title."""
    matched = [one for one in node["matched"] if one["text"] != node["title"]]
    match = f"{matched[0]['field']}: {matched[0]['text'][:MAX_MATCH_CHARACTERS]}" if matched else ""
    return HIT.of(node, matched=match, page=entity_path(node["entity"]))


def line(item: Item) -> str:
    """Return an entity in a line."""
    matched = f" ({item['matched']})" if "matched" in item else ""
    return f"{item['entity']}: {item['title']}{matched}"


def more(data: Data, parameters: Parameters, book: Book) -> Mapping[str, Any]:
    """Return commodities and places with such names, after the part of the search that is missing."""
    found = data["asOf"]["search"]
    if found["statement"]:
        near = "; ".join(f"{one['entity']}: {one['title']}" for one in found["nearest"])
        book.add_sentence(f"{found['statement']}{near and f' Nearest: {near}.'}")
    return {
        "commodities": [COMMODITY.of(one) for one in data["commodities"][:MAX_NAMES]],
        "places": [PLACE.of(one) for one in data["places"][:MAX_NAMES]],
    }


TOOL = Tool(
    __name__,
    arguments=Parameters,
    part=HIT,
    variables=variables,
    page=page,
    nodes=nodes,
    item=hit,
    line=line,
    more=more,
    further={"commodities": [COMMODITY], "places": [PLACE]},
    renamed={"kinds": "kind", "search": "text"},
)
