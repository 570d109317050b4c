"""The rules for a shipment on a day, with duties, open questions and upcoming changes."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from msgspec import Meta, structs

from schema.assistants.arguments import ToolArguments
from schema.assistants.book import Book, clause_sentence, control_sentence
from schema.assistants.parts import Part
from schema.assistants.tool import Data, Item, Node, Nodes, Tool, numbers
from schema.inputs.input_types import to_camel
from schema.inputs.shipment import WORDS, data_of_texts
from tracker.domain.basics.control_vocabulary import Covers, Form
from tracker.domain.wording.phrases import word_phrase

MAX_REASONS = 4
"""Maximum number of reasons and exceptions listed per clause."""
MAX_UPCOMING = 12


class Parameters(ToolArguments, frozen=True, kw_only=True):
    """The shipment."""

    commodity: Annotated[str, Meta(description="tungsten; or hsCode")] | None = None
    hs_code: str | None = None
    code_of: Annotated[str, Meta(description="tariff of a long code")] | None = None
    form: Form | None = None
    covers: Covers | None = None
    origin: Annotated[str, Meta(description="place of production: CN")] | None = None
    export_country: Annotated[str, Meta(description="if not the origin")] | None = None
    route: list[str] | None = None
    destination: str | None = None
    exporter: str | None = None
    importer: str | None = None
    end_user: str | None = None
    end_use: str | None = None
    preference: Annotated[str, Meta(description="USMCA, or none")] | None = None
    value: Annotated[str, Meta(description="USD")] | None = None
    weight: Annotated[str, Meta(description="kg")] | None = None
    metal_weight: str | None = None
    contents: Annotated[list[str], Meta(description="dysprosium:CN:0.2, or none")] | None = None
    answers: Annotated[list[str], Meta(description="QUESTION:yes or QUESTION:no")] | None = None


MOMENT = ("day", "position")
ITEM = Part(
    __name__,
    "ShipmentOfTool",
    {
        "about": str,
        "kind": str,
        "match": str,
        "certainty": str,
        "control": str,
        "clause": str,
        "status": str,
        "reasons": [str],
        "exceptions": [str],
        "restsOn": [str],
        "firstDay": str,
        "lastDay": str,
        "low": str,
        "high": str,
        "steps": [str],
        "question": str,
        "field": str,
        "day": str,
        "sources": [int],
    },
)


def fields_of(parameters: Parameters) -> dict[str, Any]:
    """Return the stated fields of the shipment, by the names of the input."""
    values = structs.asdict(parameters).items()
    return {
        to_camel(name): value for name, value in values if value is not None and name not in MOMENT
    }


def variables(parameters: Parameters) -> dict[str, Any]:
    """Return the variables of the document. Raises InvalidInput."""
    data = data_of_texts(fields_of(parameters))
    return {"input": data | {name: data[name].upper() for name in WORDS.keys() & data.keys()}}


def page(parameters: Parameters, data: Data) -> tuple[str, Mapping[str, object]]:
    """Return the check with the same input."""
    return "/check", {name: _parameter(value) for name, value in fields_of(parameters).items()}


def _parameter(value: Any) -> str:
    """Return a field as a parameter of an address."""
    if isinstance(value, list):
        return ",".join(value)
    return value.name if isinstance(value, Form | Covers) else str(value)


def nodes(data: Data, parameters: Parameters) -> Nodes:
    """Return the verdicts, the duties, the clauses that are not in force, questions and changes."""
    shipment = data["asOf"]["shipment"]
    parts = [*_nodes(shipment)]
    return Nodes(parts, len(parts), narrower="state more of the shipment")


def _nodes(shipment: Node) -> Iterator[Node]:
    for one in shipment["verdicts"]:
        yield {**one, "about": "rule"}
    for trade in ("export", "import"):
        duties = shipment[f"{trade}Duties"]
        if duties["lines"] or duties["steps"]:
            yield {
                "about": "duty",
                "says": " ".join([duties["statement"], *duties["remarks"]]),
                "duties": duties,
            }
    for one in shipment["notInForce"]:
        yield {"about": "not in force", "says": one["obligation"], "clause": one}
    for one in shipment["openQuestions"]:
        yield {"about": "question", "says": one["text"], "question": one}
    for one in shipment["upcoming"][:MAX_UPCOMING]:
        yield {"about": "upcoming", "says": one["summary"], "change": one}


def item(node: Node, book: Book) -> Item:
    """Return a part of the check with its required statements."""
    computed: dict[str, Any] = {"about": node["about"]}
    if clause := node.get("clause"):
        computed |= clause_fields(clause, book)
    elif "kind" in node:
        computed["kind"] = node["kind"].lower()
    if "legalBases" in node:
        bases = {
            f"{one['control']['key']}/{one['clause']['key']}": None for one in node["legalBases"]
        }
        computed["restsOn"] = [*bases]
    if duties := node.get("duties"):
        steps = [step["text"] for step in duties["steps"]]
        computed |= {"low": duties["low"], "high": duties["high"], "steps": steps}
    if question := node.get("question"):
        computed |= {"question": question["id"], "field": question["field"]}
    if change := node.get("change"):
        computed |= {"day": change["day"], "sources": book.cite(change["because"])}
    return ITEM.of(node, **computed)


def clause_fields(node: Node, book: Book) -> dict[str, Any]:
    """Return the fields of a clause with its required statements."""
    control, clause = node["control"], node["clause"]
    control_sentence(control, book)
    clause_sentence(control["key"], clause, book)
    return {
        "kind": node["kind"].lower(),
        "match": node["match"].lower(),
        "certainty": node["certainty"].lower(),
        "control": control["key"],
        "clause": clause["key"],
        "status": clause["status"].lower(),
        "reasons": node["reasons"][:MAX_REASONS],
        "exceptions": node["exceptions"][:MAX_REASONS],
        "firstDay": node["firstDay"],
        "lastDay": node["lastDay"],
        "sources": book.cite(clause["statusBecause"]),
    }


def line(item: Item) -> str:
    """Return a part of the check in a line."""
    if item["about"] == "question":
        return f"question: {item['says']} ({item['field']}, {item['question']})"
    parts = [item.get("kind", item["about"]), *([item["certainty"]] if "certainty" in item else [])]
    if item["about"] == "not in force":
        comes = "firstDay" in item and item["status"] != "expired"
        returns = f", applies from {item['firstDay']}" if comes else ""
        parts.append(f"{item['status']}{returns}")
    said = "; ".join([item["says"], *item.get("steps", ()), *item.get("reasons", ())])
    return f"{word_phrase(', '.join(parts))}: {said}{numbers(item.get('sources', ()))}"


def more(data: Data, parameters: Parameters, book: Book) -> Mapping[str, Any]:
    """Return no further fields, and state the limits of the check."""
    shipment = data["asOf"]["shipment"]
    book.add_sentence(shipment["disclaimer"])
    for firm in shipment["firms"]:
        book.add_sentence(firm["statement"])
    for assumption in shipment["assumptions"]:
        book.add_sentence(f"Assumed: {assumption}")
    for leg in shipment["legs"]:
        if leg["completeness"]["level"] != "COMPLETE":
            book.add_sentence(f"The records may lack acts. {leg['completeness']['statement']}")
    if any(one["match"] == "POSSIBLE" for one in shipment["verdicts"]):
        book.add_sentence("A possible rule applies only if its conditions are met.")
    book.issued_by(*(one["issuer"] for one in shipment["newestActs"]))
    return {}


TOOL = Tool(
    __name__,
    arguments=Parameters,
    part=ITEM,
    variables=variables,
    page=page,
    nodes=nodes,
    item=item,
    line=line,
    more=more,
)
