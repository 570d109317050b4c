"""Imports of a place from origins with export controls, and its net import reliance."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from msgspec import Meta

from projections.analysis.import_exposure import OriginStatus
from schema.assistants.amounts import amount_of
from schema.assistants.arguments import ToolArguments
from schema.assistants.book import Book, clause_sentence, control_sentence
from schema.assistants.parts import Part
from schema.assistants.tool import Data, Item, Node, Nodes, Tool, numbers
from tracker.domain.basics.control_vocabulary import Measure
from tracker.domain.wording.phrases import listed, word_phrase

MAX_CLAUSES = 6
"""Maximum number of clauses listed per origin."""
MAX_YEARS = 5
"""Maximum number of years of reliance, the newest ones."""


class Parameters(ToolArguments, frozen=True, kw_only=True):
    """The selected imports."""

    importer: Annotated[str, Meta(description="US")]
    commodity: str
    form: Annotated[str, Meta(description="product: metal")] | None = None
    measures: list[Measure] | None = None
    figures: Annotated[str, Meta(description="edition: MCS 2026")] | None = None


ORIGIN = Part(
    __name__, "OriginOfTool", {"part": str, "clauses": [str], "beside": [str], "sources": [int]}
)
LIST = Part(
    __name__,
    "ListOfTool",
    {"years": str, "origins": [ORIGIN], "unnamedSuppliers": [str], "sources": [int]},
    "origins sources",
)
RELIANCE = Part(__name__, "RelianceOfTool", {"product": str, "amount": str, "sources": [int]})


def page(parameters: Parameters, data: Data) -> tuple[str, Mapping[str, object]]:
    """Return the commodity."""
    return f"/commodities/{parameters.commodity}", {"toward": parameters.importer}


def nodes(data: Data, parameters: Parameters) -> Nodes:
    """Return the lists of origins."""
    lists = data["asOf"]["importExposure"]["lists"]
    return Nodes(lists, len(lists), narrower="give a form")


def list_of_origins(node: Node, book: Book) -> Item:
    """Return a list with its required statements."""
    for limit in node["limits"]:
        book.add_sentence(limit)
    first, last = node["firstYear"], node["lastYear"]
    years = str(last) if first == last else f"{first} to {last}"
    cited = [node["claim"], *(flow["preferred"] for flow in node["flows"])]
    if node["figuresPublicLater"]:
        book.add_sentence("The list was published after this day.")
    if node["controlledSinceFigures"]:
        book.add_sentence(
            f"Some controls are younger than the figures, which show imports of {years}."
        )
    book.published_by(node["publisher"])
    suppliers = [one["place"]["code"] for one in node["unnamedSuppliers"]]
    book.issued_by(*suppliers)
    return LIST.of(
        node,
        years=years,
        origins=[origin(one, book) for one in node["origins"]],
        unnamedSuppliers=suppliers,
        sources=book.cite(*cited),
    )


def origin(node: Node, book: Book) -> Item:
    """Return an origin with its clauses."""
    controls, place = node["controls"], node["place"]["code"]
    in_force = [one["clause"] for one in controls["requirements"]][:MAX_CLAUSES]
    beside = controls["beside"][:MAX_CLAUSES]
    if in_force or beside:
        book.issued_by(place)
    cited = [one["clause"]["statusBecause"] for one in (*in_force, *beside)]
    return ORIGIN.of(
        node,
        part=amount_of(node["quantity"]),
        clauses=[clause_name(one, book) for one in in_force],
        beside=[clause_name(one, book) for one in beside],
        sources=book.cite(*cited),
    )


def clause_name(node: Node, book: Book) -> str:
    """Return a clause in words, and note its required statements."""
    control, clause = node["control"], node["clause"]
    control_sentence(control, book)
    clause_sentence(control["key"], clause, book)
    returns = f", returns on {clause['returnsOn']}" if clause["returnsOn"] else ""
    return f"{word_phrase(clause['measure'])} {control['key']}/{clause['key']}{returns}"


def line(item: Item) -> str:
    """Return a list in a line."""
    origins = "; ".join(map(origin_line, item["origins"]))
    product = word_phrase(item["form"]) if "form" in item else item.get("hsCode", "")
    form = f", {product}" if product else ""
    bounds = (
        f"lower bound {item['lower']}, tight {item['tight']}, upper {item['upper']} {item['unit']}"
    )
    unnamed = f"; unnamed {item['unnamed']}" if item["unnamed"] != "0" else ""
    controlling = listed(item.get("unnamedSuppliers", ()), most=MAX_CLAUSES)
    others = f", where {controlling} control and produce" if controlling else ""
    return (
        f"{item['commodity']}{form}, {item['edition']}, {item['years']}: {bounds} under control. "
        f"{origins}{unnamed}{others}{numbers(item['sources'])}"
    )


def origin_line(item: Item) -> str:
    """Return an origin in words."""
    clauses = listed(item.get("clauses", ()), most=MAX_CLAUSES)
    beside = listed(item.get("beside", ()), most=MAX_CLAUSES)
    return (
        f"{item['place']} {item['part']} ({OriginStatus(item['status']).phrase})"
        f"{f': {clauses}' if clauses else ''}{f'; not in force: {beside}' if beside else ''}"
    )


def more(data: Data, parameters: Parameters, book: Book) -> Mapping[str, Any]:
    """Return the net import reliance of the newest years, and the statements about it."""
    points = [*_newest_points(data["asOf"]["reliance"]["lines"])]
    if points:
        book.add_sentence(
            "Net import reliance is net, parts of origins are of gross imports: never multiply them."
        )
    if any(point["basisChanged"] for _, point in points):
        book.add_sentence("Years with basisChanged are not comparable with the year before.")
    if not data["asOf"]["importExposure"]["lists"]:
        book.add_sentence("No list of origins is recorded: the origins are not known.")
    return {
        "reliance": [
            RELIANCE.of(
                point,
                product=product,
                amount=amount_of(point["claim"]),
                sources=book.cite(point["claim"]),
            )
            for product, point in points
        ]
    }


def _newest_points(lines: Iterable[Node]) -> Iterable[tuple[str, Node]]:
    for one in lines:
        product = f"{one['commodity']['key']}, {word_phrase(one['form'])}" if one["form"] else ""
        for point in one["points"][-MAX_YEARS:]:
            yield product or one["commodity"]["key"], point


TOOL = Tool(
    __name__,
    arguments=Parameters,
    part=LIST,
    page=page,
    nodes=nodes,
    item=list_of_origins,
    line=line,
    more=more,
    further={"reliance": [RELIANCE]},
)
