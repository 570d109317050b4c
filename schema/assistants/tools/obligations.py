"""Obligations of firms and states, by the next due day."""

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta, structs

from schema.assistants.arguments import PagedArguments
from schema.assistants.book import Book
from schema.assistants.parts import Part
from schema.assistants.tool import Data, Item, Node, Nodes, Tool, as_variable, numbers
from schema.inputs.input_types import to_camel
from schema.pages.obligations.obligations import with_act
from tracker.domain.basics.vocabulary import ObligationRole


class Parameters(PagedArguments, frozen=True, kw_only=True):
    """The selected obligations."""

    role: ObligationRole | None = None
    place: Annotated[str, Meta(description="place where they apply: DE")] | None = None
    commodity: str | None = None
    due_before: Annotated[str, Meta(description="only with a due day before this date")] | None = (
        None
    )


OBLIGATION = Part(
    __name__,
    "ObligationOfTool",
    {"due": str, "dueDay": str, "actStatuses": [str], "sources": [int]},
    "sources",
)


def page(parameters: Parameters, data: Data) -> tuple[str, Mapping[str, object]]:
    """Return the list."""
    names = ("role", "place", "commodity", "due_before")
    values = {name: value for name, value in structs.asdict(parameters).items() if name in names}
    return "/obligations", {to_camel(name): as_variable(of) for name, of in values.items()}


def nodes(data: Data, parameters: Parameters) -> Nodes:
    """Return the obligations."""
    return Nodes.of_page(data["asOf"]["obligations"])


def obligation(node: Node, book: Book) -> Item:
    """Return an obligation."""
    book.issued_by(node["issuer"]["code"])
    statuses = with_act(node)["act_statuses"]
    if statuses:
        book.add_sentence("The act of some obligations is not in force: see `actStatuses`.")
    return OBLIGATION.of(
        node,
        due=node["nextDue"]["phrase"],
        dueDay=node["nextDue"]["day"] or "",
        actStatuses=[status.lower() for status in statuses],
        sources=book.cite(*node["because"]),
    )


def line(item: Item) -> str:
    """Return an obligation in a line."""
    threshold = f" Threshold: {item['threshold']}." if "threshold" in item else ""
    return f"{item['says']}{threshold} {item['due']}{numbers(item['sources'])}"


def more(data: Data, parameters: Parameters, book: Book) -> Mapping[str, Any]:
    """Return no further fields, and state that thresholds are not checked."""
    if data["asOf"]["obligations"]["totalCount"]:
        book.add_sentence(
            "Thresholds and exemptions were not checked: they decide whom it obliges."
        )
    return {}


TOOL = Tool(
    __name__,
    arguments=Parameters,
    part=OBLIGATION,
    page=page,
    nodes=nodes,
    item=obligation,
    line=line,
    more=more,
)
