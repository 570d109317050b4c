"""Upcoming changes after a day, as known on it."""

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta

from schema.assistants.arguments import PagedArguments
from schema.assistants.book import Book
from schema.assistants.kinds import Kind
from schema.assistants.parts import Part
from schema.assistants.tool import Data, Item, Node, Nodes, Tool, numbers


class Parameters(PagedArguments, frozen=True, kw_only=True):
    """The selected period."""

    days: Annotated[int, Meta(ge=1, le=36_500, description="so many after `day`")] = 365
    commodity: str | None = None
    place: str | None = None
    kind: Kind | None = None


TRANSITION = Part(__name__, "TransitionOfTool", {"sources": [int]}, "sources")


def page(parameters: Parameters, data: Data) -> tuple[str, Mapping[str, object]]:
    """Return the commodity, the place, or the overview."""
    if parameters.commodity is not None:
        return f"/commodities/{parameters.commodity}", {}
    return (f"/places/{parameters.place}" if parameters.place else "/"), {}


def nodes(data: Data, parameters: Parameters) -> Nodes:
    """Return the transitions."""
    return Nodes.of_page(data["asOf"]["upcoming"])


def transition(node: Node, book: Book) -> Item:
    """Return a transition."""
    issuer = node["after"].get("issuer")
    if issuer:
        book.issued_by(issuer["code"])
    return TRANSITION.of(node, sources=book.cite(node["because"]))


def line(item: Item) -> str:
    """Return a transition in a line."""
    clause = f"/{item['clause']}" if "clause" in item else ""
    return f"{item['day']} {item['entity']}{clause}: {item['says']}{numbers(item['sources'])}"


def more(data: Data, parameters: Parameters, book: Book) -> Mapping[str, Any]:
    """Return no further fields, and state that plans change."""
    nodes = [edge["node"] for edge in data["asOf"]["upcoming"]["edges"]]
    if any(node["basis"] == "STATEMENT" for node in nodes):
        book.add_sentence(
            "A stated end rests on a statement of a government; no legal instrument was found."
        )
    if data["asOf"]["upcoming"]["totalCount"]:
        book.add_sentence(
            "Upcoming changes follow from announcements by this day: they can be postponed or extended."
        )
    return {}


TOOL = Tool(
    __name__,
    arguments=Parameters,
    part=TRANSITION,
    page=page,
    nodes=nodes,
    item=transition,
    line=line,
    more=more,
)
