"""The events of an entity, and the resulting versions of its state."""

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta

from schema.assistants.arguments import PagedArguments
from schema.assistants.book import Book
from schema.assistants.parts import Part
from schema.assistants.tool import Data, Item, Node, Nodes, NotThere, Tool, numbers
from schema.pages.site.address import entity_path
from tracker.domain.wording.phrases import listed, word_phrase

MAX_VERSIONS = 40
"""Maximum number of versions in a response, the newest."""
MAX_CLAUSES = 12


class Parameters(PagedArguments, frozen=True, kw_only=True):
    """The selected entity."""

    entity: Annotated[str, Meta(description="export-control/cn-mofcom-2024-46, alliance/quad")]


EVENT = Part(__name__, "EventOfTool", {"sources": [int]}, "sources")
VERSION = Part(__name__, "VersionOfTool", {"says": str})


def page(parameters: Parameters, data: Data) -> tuple[str, Mapping[str, object]]:
    """Return the entity, or its events if it has no page."""
    path = entity_path(parameters.entity)
    return (path, {}) if path else ("/events", {"entity": parameters.entity})


def nodes(data: Data, parameters: Parameters) -> Nodes:
    """Return the events."""
    events = data["asOf"]["events"]
    if not events["totalCount"]:
        message = f"nothing is recorded of {parameters.entity!r} up to this position"
        key = parameters.entity.partition("/")[2] or parameters.entity
        raise NotThere(message, "entity", key)
    return Nodes.of_page(events)


def event(node: Node, book: Book) -> Item:
    """Return an event with its required statements."""
    retracted = node["retractedBy"]
    if retracted:
        book.add_sentence(
            f"The event at {node['position']} was retracted at {retracted['position']}."
        )
    return EVENT.of(node, sources=book.cite(node))


def more(data: Data, parameters: Parameters, book: Book) -> Mapping[str, Any]:
    """Return the versions."""
    history = data["asOf"]["history"]
    for one in history["nodes"]:
        if issuer := one["state"].get("issuer"):
            book.issued_by(issuer["code"])
    versions = history["nodes"][-MAX_VERSIONS:]
    if history["totalCount"] > len(versions):
        book.add_sentence(
            f"Only the newest {len(versions)} of {history['totalCount']} versions are shown."
        )
    if parameters.entity.startswith("alliance/"):
        book.issued_by(parameters.entity.removeprefix("alliance/"))
    return {"versions": [VERSION.of(one, says=state_line(one["state"])) for one in versions]}


def state_line(state: Node) -> str:
    """Return a state in words."""
    match state["__typename"]:
        case "ExportControl":
            clauses = [
                f"clause {one['key']} {word_phrase(one['measure'])} {word_phrase(one['status'])}"
                for one in state["clauses"]
            ]
            return f"{state['title']}: {listed(clauses, most=MAX_CLAUSES)}"
        case "Alliance":
            members = [one["place"]["code"] for one in state["members"] if one["place"]]
            return f"{state['name']}, {word_phrase(state['status'])}: {listed(members, most=40)}"
        case "Figure":
            claims = [
                f"{one['value'] or 'no number'} {one['unit']} by {one['publisher']}, {one['edition']}"
                for one in state["claims"]
            ]
            return listed(claims, most=MAX_CLAUSES)
    return str(state.get("title") or state.get("name") or word_phrase(state["__typename"]))


def line(item: Item) -> str:
    """Return an event in a line."""
    retracted = f" (retracted at {item['retractedBy']})" if "retractedBy" in item else ""
    day = item.get("publicOn") or item["recordedAt"][:10]
    sentence = f"{item['says']}{retracted}{numbers(item['sources'])}"
    return f"{day}, position {item['position']}: {sentence}"


TOOL = Tool(
    __name__,
    arguments=Parameters,
    part=EVENT,
    page=page,
    nodes=nodes,
    item=event,
    line=line,
    more=more,
    further={"versions": [VERSION]},
)
