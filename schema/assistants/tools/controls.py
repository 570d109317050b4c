"""Export controls, import restrictions and quotas, with the status of their clauses on a day."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from msgspec import Meta, structs

from schema.assistants.arguments import PagedArguments
from schema.assistants.book import DOUBTS, Book, clause_sentence, control_sentence
from schema.assistants.parts import Part
from schema.assistants.tool import Data, Item, Node, Nodes, NotThere, Tool, as_variable, numbers
from schema.inputs.input_types import to_camel
from schema.pages.site.amounts import measured
from tracker.domain.basics.control_vocabulary import ClauseStatus, Direction, Measure
from tracker.domain.basics.word import Phase
from tracker.domain.wording.phrases import listed, word_phrase

MAX_NAMES = 8
"""Maximum number of firms, places, goods or commodities listed per clause."""
MAX_TEXT_CHARACTERS = 200


class Controls(PagedArguments, frozen=True, kw_only=True):
    """The selected controls."""

    control: Annotated[str, Meta(description="key of one: cn-mofcom-2024-46")] | None = None
    issuer: Annotated[str, Meta(description="place: CN")] | None = None
    commodity: Annotated[str, Meta(description="gallium, rare_earths")] | None = None
    destination: Annotated[str, Meta(description="place that goods go to")] | None = None
    origin: Annotated[str, Meta(description="place that goods come from")] | None = None
    measure: Measure | None = None
    status: ClauseStatus | None = None
    direction: Direction | None = None
    hs_code: str | None = None
    firm: str | None = None
    search: str | None = None


CLAUSE = Part(
    __name__,
    "ClauseOfTool",
    {
        "commodities": [str],
        "covers": str,
        "goods": [str],
        "partly": bool,
        "exempt": str,
        "destinations": [str],
        "origins": [str],
        "exceptions": [str],
        "territory": str,
        "firms": str,
        "rate": str,
        "quota": str,
        "assumed": bool,
        "sources": [int],
    },
    "commodities sources",
)
CONTROL = Part(__name__, "ControlOfTool", {"disputed": bool, "clauses": [CLAUSE]}, "clauses")

NO_FILTERS = frozenset({"day", "position", "first", "after", "control"})
"""Arguments that do not filter the page."""


def variables(parameters: Controls) -> dict[str, Any]:
    """Return the variables for one control."""
    return {"one": parameters.control is not None, "control": parameters.control or ""}


def filters(parameters: Controls) -> dict[str, Any]:
    """Return the filters of the page."""
    values = structs.asdict(parameters).items()
    return {to_camel(name): as_variable(of) for name, of in values if name not in NO_FILTERS}


def page(parameters: Controls, data: Data) -> tuple[str, Mapping[str, object]]:
    """Return the list, or the control."""
    if parameters.control is None:
        return "/controls", filters(parameters)
    return f"/controls/{data['asOf']['exportControl']['key']}", {}


def nodes(data: Data, parameters: Controls) -> Nodes:
    """Return the controls."""
    if parameters.control is not None:
        one = data["asOf"]["exportControl"]
        if one is None:
            raise NotThere(
                f"no control {parameters.control!r} is announced by {data['asOf']['validAt']}, as recorded",
                "control",
                parameters.control,
                "EXPORT_CONTROL",
            )
        return Nodes([one], 1)
    return Nodes.of_page(data["asOf"]["exportControls"])


def control(node: Node, book: Book) -> Item:
    """Return a control with its required statements."""
    key = node["key"]
    book.issued_by(node["issuer"]["code"])
    control_sentence(node, book)
    for dispute in node["disputes"]:
        cited = numbers(book.cite(dispute))
        book.add_sentence(f"{key} is disputed: {dispute['account'][:300]}{cited}")
    return CONTROL.of(
        node,
        disputed=bool(node["disputes"]),
        clauses=[clause(key, one, book) for one in node["clauses"]],
    )


def clause(control: str, node: Node, book: Book) -> Item:
    """Return a clause with its required statements."""
    name = f"{control}, clause {node['key']}"
    clause_sentence(control, node, book)
    if ClauseStatus[node["status"]].phase is Phase.NOT_LAW:
        book.add_sentence(f"{name} is {word_phrase(node['status'])}: it is not law.")
    return CLAUSE.of(
        node,
        commodities=named([one["key"] for one in node["commodities"]]),
        covers="" if node["covers"] == "GOODS" else node["covers"].lower(),
        goods=named([one["name"] for one in node["items"]]),
        partly=bool(node["items"]) and not node["itemsComplete"],
        exempt=exempt(node),
        destinations=named([one["code"] for one in node["destinations"]]),
        origins=named([one["code"] for one in node["origins"]]),
        exceptions=[exception(one) for one in node["exceptions"]],
        territory="" if node["territory"] == "HOME" else node["territory"].lower(),
        firms=firms(node),
        rate=rate(node),
        quota=quota(node),
        assumed=bool(node["assumed"]),
        sources=book.cite(node["statusBecause"]),
    )


def named(names: Sequence[str]) -> list[str]:
    """Return names; of many only the first."""
    if len(names) <= MAX_NAMES:
        return list(names)
    return [*names[:MAX_NAMES], f"{len(names) - MAX_NAMES} more"]


def exempt(node: Node) -> str:
    """Return the exemptions in words."""
    goods = listed([one["name"] for one in node["exemptItems"]], most=MAX_NAMES)
    return "; ".join(filter(None, [goods, node["exemptions"] or ""]))[:MAX_TEXT_CHARACTERS]


def exception(node: Node) -> str:
    """Return places with another rule, in words: `GB: exempt`."""
    places = listed([one["code"] for one in node["places"]], most=MAX_NAMES)
    rule = "exempt" if node["exempt"] else f"{node['ratePercent']} %"
    return f"{places}: {rule}"


def firms(node: Node) -> str:
    """Return the firms that a clause is limited to, in words."""
    if node["entities"]:
        return listed(node["entities"], most=MAX_NAMES)
    return f"{node['entityCount']} firms, not named" if node["entityCount"] else ""


def rate(node: Node) -> str:
    """Return the rate of a tariff, in words."""
    if node["ratePercent"] is None:
        return node["rateText"] or ""
    until = node["rateUpToPercent"]
    return f"{node['ratePercent']} to {until} %" if until else f"{node['ratePercent']} %"


def quota(node: Node) -> str:
    """Return the amount of a quota, in words."""
    if node["quota"] is None:
        return ""
    part = " (one of several that add up)" if node["quotaPart"] == "BATCH" else ""
    period = f" in {node['period']}" if node["period"] else ""
    return f"{measured(node['quota'])}{period}{part}"


def line(item: Item) -> str:
    """Return a control in a line."""
    clauses = "; ".join(clause_line(one) for one in item["clauses"])
    return f"{item['key']} ({item['issuer']}, {item['announcedOn']}) {item['title']}: {clauses}"


def clause_line(item: Item) -> str:
    """Return a clause in words."""
    goods = f"{'some ' if 'partly' in item else ''}{', '.join(item['commodities'])}"
    goods += f" ({word_phrase(item['covers'])})" if "covers" in item else ""
    goods += f" ({', '.join(item['goods'])})" if "goods" in item else ""
    to = f" to {', '.join(item['destinations'])}" if "destinations" in item else ""
    to += f" from {', '.join(item['origins'])}" if "origins" in item else ""
    to += f" (only {item['firms']})" if "firms" in item else ""
    to += f" (only for {item['endUse']})" if "endUse" in item else ""
    to += f" ({'; '.join(item['exceptions'])})" if "exceptions" in item else ""
    to += f" (exempt: {item['exempt']})" if "exempt" in item else ""
    status, is_suspended = item["status"], item["status"] == "suspended"
    days = {
        " since ": item.get("since"),
        " until ": item.get("suspendedUntil" if is_suspended else "inForceUntil"),
        ", returns on ": item.get("returnsOn"),
        ", in force from ": item.get("inForceFrom") if status == "announced" else None,
    }
    when = "".join(f"{word}{day}" for word, day in days.items() if day)
    amounts = "".join(f", {item[name]}" for name in ("rate", "quota") if name in item)
    return (
        f"clause {item['key']}, {word_phrase(item['measure'])} of {goods}{to}{amounts}:"
        f" {word_phrase(status)}{when}{DOUBTS.get(item['confirmation'], '')}{numbers(item['sources'])}"
    )


def more(data: Data, parameters: Controls, book: Book) -> Mapping[str, Any]:
    """Return no further fields. The issuer of the query counts also without a control."""
    if parameters.issuer:
        book.issued_by(parameters.issuer.upper())
    return {}


TOOL = Tool(
    __name__,
    arguments=Controls,
    part=CONTROL,
    variables=variables,
    page=page,
    nodes=nodes,
    item=control,
    line=line,
    more=more,
)
