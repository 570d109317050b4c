"""Differences between two moments, with their events."""

from collections.abc import Mapping
from typing import Annotated, Any

import orjson
from msgspec import Meta

from schema.assistants.arguments import PagedArguments
from schema.assistants.book import Book
from schema.assistants.kinds import Kind
from schema.assistants.parts import Part
from schema.assistants.tool import Data, Item, Node, Nodes, Tool, numbers
from schema.pages.site.entities import state_name
from tracker.domain.wording.phrases import listed
from tracker.errors import InvalidInput

MAX_FIELDS = 12
"""Maximum number of fields listed per entity."""
MAX_EVENTS = 5
"""Maximum number of events listed per entity."""
MAX_VALUE_CHARACTERS = 120
NOT_CONFIRMED = {
    "BY_TERMS": "a clause is in force by its own terms, not confirmed.",
    "CONTRADICTED": "a recorded statement contradicts that a clause is in force.",
}
"""Sentences on clauses in force, by the confirmation of their status."""


class Parameters(PagedArguments, frozen=True, kw_only=True):
    """The two moments; `day` and `position` are the second."""

    from_day: Annotated[str, Meta(description="first day; that of `day` if left out")] | None = None
    from_position: (
        Annotated[
            int, Meta(ge=0, description="records up to this position; `position` if left out")
        ]
        | None
    ) = None
    commodity: str | None = None
    place: str | None = None
    kind: Kind | None = None


FIELD = Part(__name__, "FieldOfTool", {"path": str, "before": str, "after": str}, "path")
CAUSE = Part(__name__, "CauseOfTool", {"sources": [int]}, "sources")
CHANGE = Part(
    __name__,
    "ChangeOfTool",
    {"title": str, "because": [CAUSE], "fields": [FIELD], "moreFields": int},
    "days because fields",
)


def variables(parameters: Parameters) -> dict[str, Any]:
    """Return the variables of the document. Raises InvalidInput for a single moment."""
    if parameters.from_day is None and parameters.from_position is None:
        raise InvalidInput("expected the first moment: fromDay or fromPosition", path=("fromDay",))
    return {
        "fromPosition": None if parameters.from_position is None else str(parameters.from_position)
    }


def page(parameters: Parameters, data: Data) -> tuple[str, Mapping[str, object]]:
    """Return the page of changes."""
    return "/changes", {
        "from": parameters.from_day,
        "fromPosition": parameters.from_position,
        "commodity": parameters.commodity,
        "place": parameters.place,
        "kind": parameters.kind and parameters.kind.upper(),
    }


def nodes(data: Data, parameters: Parameters) -> Nodes:
    """Return the entities that differ."""
    return Nodes.of_page(data["changes"])


def change(node: Node, book: Book) -> Item:
    """Return an entity that differs."""
    issuer = (node["after"] or node["before"] or {}).get("issuer")
    if issuer:
        book.issued_by(issuer["code"])
    if node["change"] == "DISAPPEARED":
        book.add_sentence(f"{node['entity']}: the fact that began it was retracted.")
    for confirmation in node["confirmations"]:
        if confirmation in NOT_CONFIRMED:
            book.add_sentence(f"{node['entity']}: {NOT_CONFIRMED[confirmation]}")
    fields = node["fields"]
    return CHANGE.of(
        node,
        title=state_name(node["after"] or node["before"]),
        because=[CAUSE.of(one, sources=book.cite(one)) for one in node["because"][-MAX_EVENTS:]],
        fields=[field(one) for one in fields[:MAX_FIELDS]],
        moreFields=max(0, len(fields) - MAX_FIELDS),
    )


def field(node: Node) -> Item:
    """Return a field with short values."""
    path, before, after = "/".join(node["path"]), value(node["before"]), value(node["after"])
    return FIELD.of(node, path=path, before=before, after=after)


def value(of: Any) -> str:
    """Return a value as text: JSON if it is not a text."""
    if of is None:
        return ""
    text = of if isinstance(of, str) else orjson.dumps(of).decode()
    return text if len(text) <= MAX_VALUE_CHARACTERS else f"{text[: MAX_VALUE_CHARACTERS - 1]}…"


def line(item: Item) -> str:
    """Return an entity in a line."""
    days = f" on {listed(item['days'])}" if item["days"] else " in what is recorded only"
    causes = item["because"]
    reasons = " ".join(f"{one['says']}{numbers(one['sources'])}" for one in causes)
    fields = "; ".join(
        f"{one['path']}: {one.get('before', 'nothing')} → {one.get('after', 'nothing')}"
        for one in item["fields"][:4]
    )
    return f"{item['entity']} {item['change']}{days}. {reasons} {fields}"


TOOL = Tool(
    __name__,
    arguments=Parameters,
    part=CHANGE,
    variables=variables,
    page=page,
    nodes=nodes,
    item=change,
    line=line,
    renamed={"from": "fromDay", "validAt": "day"},
)
