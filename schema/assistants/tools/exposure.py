"""Shares of the world's output of a commodity from places that control its export."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta

from schema.assistants.arguments import ToolArguments, YearNumber
from schema.assistants.book import DOUBTS, Book, clause_sentence, control_sentence
from schema.assistants.parts import Part
from schema.assistants.tool import Data, Item, Node, Nodes, Tool, numbers
from tracker.domain.basics.vocabulary import Stage
from tracker.domain.wording.phrases import listed, percent, percent_beside, word_phrase
from tracker.errors import InvalidInput

MAX_CLAUSES = 6
"""Maximum number of clauses listed per place, those that cover most first."""
MAX_LIMITS = 3
MAX_LIMIT_CHARACTERS = 120
REACHES = ["FULL", "PARTLY", "OTHER"]


class Parameters(ToolArguments, frozen=True, kw_only=True):
    """The selected exposure."""

    commodity: str | None = None
    destination: Annotated[str, Meta(description="place that depends: DE")] | None = None
    issuer: Annotated[str, Meta(description="place that controls: CN")] | None = None
    stage: Stage | None = None
    year: (
        Annotated[YearNumber, Meta(description="of the figures; the newest if left out")] | None
    ) = None


APPLIED = Part(
    __name__,
    "AppliedOfTool",
    {
        "control": str,
        "clause": str,
        "measure": str,
        "confirmation": str,
        "limits": [str],
        "restsOn": [str],
        "returnsOn": str,
        "sources": [int],
    },
    "sources",
    shared=True,
)
PLACE = Part(
    __name__, "PlaceOfTool", {"inForce": [APPLIED], "suspended": [APPLIED], "moreClauses": int}
)
SUPPLY = Part(__name__, "SupplyOfTool", {"places": [PLACE], "sources": [int]}, "places sources")
NOT_CONFIRMED = {
    "assumedShare": "is in force by the terms of older acts, not confirmed",
    "contradictedShare": "is contradicted by a recorded statement",
}


def variables(parameters: Parameters) -> dict[str, Any]:
    """Return no further variables. Raises InvalidInput without a filter."""
    if not (parameters.commodity or parameters.destination or parameters.issuer):
        raise InvalidInput("expected a commodity, a destination or an issuer", path=("commodity",))
    return {}


def page(parameters: Parameters, data: Data) -> tuple[str, Mapping[str, object]]:
    """Return the commodity, or the place."""
    if parameters.commodity is None:
        return f"/places/{parameters.destination or parameters.issuer}", {}
    stage = parameters.stage and parameters.stage.name
    toward = {"stage": stage, "year": parameters.year, "toward": parameters.destination}
    return f"/commodities/{parameters.commodity}", toward


def nodes(data: Data, parameters: Parameters) -> Nodes:
    """Return the supplies, the largest controlled share first."""
    exposures = sorted(data["asOf"]["exposure"], key=share_of, reverse=True)
    return Nodes(exposures, len(exposures), narrower="give a commodity, an issuer or a stage")


def share_of(node: Node) -> Decimal:
    """Return the share that orders supplies; below zero if none is known."""
    return Decimal(node["controlledShare"] or -1)


def supply(node: Node, book: Book) -> Item:
    """Return a supply with its required statements."""
    world = node["world"]
    figures = [place["figure"]["preferred"] for place in node["places"] if place["figure"]]
    if node["mixedEditions"]:
        book.add_sentence("Some shares are of several editions or publishers.")
    of, filed = node["commodity"]["key"], node["figuresOf"]
    if filed and filed["key"] != of:
        book.add_sentence(f"The figures of {of} are filed under {filed['key']}.")
    if node["controlledShare"] is None:
        book.add_sentence("A missing share is not known.")
    if Decimal(node["partlyControlledShare"] or 0) > 0:
        book.add_sentence("The controlled amount of a partly controlled share is not known.")
    if Decimal(node["asRecordedShare"] or 0) > 0:
        book.add_sentence(
            f"{node['asRecordedShare']} of the output of {of} is controlled as recorded before this date;"
            " no later record names the clauses."
        )
    for one in node["measures"]:
        for field, meaning in NOT_CONFIRMED.items():
            if Decimal(one[field] or 0) > 0:
                measure = word_phrase(one["measure"])
                book.add_sentence(
                    f"{one[field]} of the output of {of} is under a {measure} that {meaning}."
                )
    places = [controlling(place, book) for place in node["places"]]
    return SUPPLY.of(node, places=places, sources=book.cite(world, *figures[:1]))


def controlling(node: Node, book: Book) -> Item:
    """Return a place with its clauses."""
    requirements = sorted(node["requirements"], key=lambda one: reach(one["clause"]))[:MAX_CLAUSES]
    suspended = sorted(node["suspended"], key=reach)[:MAX_CLAUSES]
    shown = len(requirements) + len(suspended)
    return PLACE.of(
        node,
        inForce=[applied(one["clause"], book, one["legalBases"][1:]) for one in requirements],
        suspended=[applied(one, book) for one in suspended],
        moreClauses=len(node["requirements"]) + len(node["suspended"]) - shown,
    )


def reach(node: Node) -> int:
    """Return the order of a clause by its coverage, the largest first."""
    return REACHES.index(node["reach"])


def applied(node: Node, book: Book, rests_on: Sequence[Node] = ()) -> Item:
    """Return a clause with its required statements, and the other clauses that it rests on."""
    control, clause = node["control"], node["clause"]
    control_sentence(control, book)
    clause_sentence(control["key"], clause, book)
    return APPLIED.of(
        node,
        control=control["key"],
        clause=clause["key"],
        measure=clause["measure"].lower(),
        confirmation=clause["confirmation"].lower(),
        limits=[limit[:MAX_LIMIT_CHARACTERS] for limit in node["limits"][:MAX_LIMITS]],
        restsOn=[f"{one['control']['key']}/{one['clause']['key']}" for one in rests_on],
        returnsOn=clause["returnsOn"],
        sources=book.cite(clause["statusBecause"]),
    )


def supply_name(commodity: str, stage: str | None, form: str | None, year: int | None) -> str:
    """Return a supply in words: `gallium, refinery, 2024`."""
    parts = (
        commodity,
        form and word_phrase(form),
        stage and word_phrase(stage),
        year and str(year),
    )
    return ", ".join(part for part in parts if part)


def line(item: Item) -> str:
    """Return a supply in a line."""
    of = (item.get(name) for name in ("stage", "form", "year"))
    partial = Decimal(item.get("partlyControlledShare", 0))
    whole = item.get("controlledShare")
    share = "not known" if whole is None else percent_beside(whole, [partial])
    partly = f", {percent(partial)} partly" if partial > 0 else ""
    places = "; ".join(map(place_line, item["places"]))
    name, sources = supply_name(item["commodity"], *of), numbers(item["sources"])
    return f"{name}: controlled share {share}{partly}. {places}{sources}"


def place_line(item: Item) -> str:
    """Return a place in words."""
    clauses = [f"{clause_line(one)} in force" for one in item.get("inForce", ())]
    clauses += [f"{clause_line(one)} suspended" for one in item.get("suspended", ())]
    clauses += [f"{item['moreClauses']} more"] if "moreClauses" in item else []
    share = percent(item.get("share"), missing="share not known")
    return f"{item['place']} ({share}): {listed(clauses, most=2 * MAX_CLAUSES)}"


def clause_line(item: Item) -> str:
    """Return a clause in words."""
    limits = f"{item['reach']}{DOUBTS.get(item['confirmation'], '')}"
    return f"{word_phrase(item['measure'])} {item['control']}/{item['clause']} ({limits})"


def more(data: Data, parameters: Parameters, book: Book) -> Mapping[str, Any]:
    """Return no further fields, and note the issuer."""
    places = [place["place"]["code"] for one in data["asOf"]["exposure"] for place in one["places"]]
    book.issued_by(*([parameters.issuer.upper()] if parameters.issuer else []), *places)
    if any(one["stage"] is None for one in data["asOf"]["exposure"]):
        book.add_sentence(
            "Without figures there is no share: a control may cover more supplies than listed."
        )
    return {}


TOOL = Tool(
    __name__,
    arguments=Parameters,
    part=SUPPLY,
    variables=variables,
    page=page,
    nodes=nodes,
    item=supply,
    line=line,
    more=more,
)
