"""The claims of all publishers on a figure, in all editions."""

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta

from schema.assistants.amounts import amount_of
from schema.assistants.arguments import PagedArguments, YearNumber
from schema.assistants.book import Book
from schema.assistants.parts import Part
from schema.assistants.tool import Data, Item, Node, Nodes, NotThere, Tool, as_variable, numbers
from tracker.domain.basics.vocabulary import Stage, Statistic
from tracker.domain.wording.phrases import word_phrase
from tracker.errors import InvalidInput

MAX_NOTE_CHARACTERS = 200


class Parameters(PagedArguments, frozen=True, kw_only=True):
    """The selected figures."""

    figure: (
        Annotated[str, Meta(description="key of one: rare_earths/CN/production/mine/2023")] | None
    ) = None
    commodity: str | None = None
    place: Annotated[str, Meta(description="CN, WORLD")] | None = None
    statistic: Statistic | None = None
    stage: Stage | None = None
    year: YearNumber | None = None


CLAIM = Part(
    __name__,
    "ClaimOfTool",
    {"amount": str, "edition": str, "notComparable": str, "note": str, "sources": [int]},
    "sources",
)
SPREAD = Part(__name__, "SpreadOfTool", {})
FIGURE = Part(
    __name__,
    "FigureOfTool",
    {"claims": [CLAIM], "preferredBy": str, "reason": str, "spread": SPREAD},
    "claims",
)


def variables(parameters: Parameters) -> dict[str, Any]:
    """Return the variables of the document. Raises InvalidInput without a figure or a commodity."""
    if not (parameters.figure or parameters.commodity):
        raise InvalidInput("expected the key of a figure, or a commodity", path=("figure",))
    year = None if parameters.year is None else {"from": parameters.year, "to": parameters.year}
    return {"one": parameters.figure is not None, "figure": parameters.figure or "", "years": year}


def page(parameters: Parameters, data: Data) -> tuple[str, Mapping[str, object]]:
    """Return the figure, or the list."""
    if parameters.figure is not None:
        return f"/figures/{data['asOf']['figure']['key']}", {}
    names = ("commodity", "place", "statistic", "stage")
    values = {name: as_variable(getattr(parameters, name)) for name in names}
    return "/figures", {**values, "years": parameters.year}


def nodes(data: Data, parameters: Parameters) -> Nodes:
    """Return the figures."""
    if parameters.figure is not None:
        one = data["asOf"]["figure"]
        if one is None:
            message = f"no claim on {parameters.figure!r} is public by {data['asOf']['validAt']}"
            raise NotThere(message, "figure", parameters.figure, "FIGURE")
        return Nodes([one], 1)
    return Nodes.of_page(data["asOf"]["figures"])


def figure(node: Node, book: Book) -> Item:
    """Return a figure with its required statements."""
    key, claims = node["key"], node["claims"]
    beside = node["sideBySide"] or {}
    spread = beside.get("spread")
    reasons = {one["claim"]["position"]: one["reason"] for one in beside.get("notComparable", ())}
    if spread and spread["minimum"] != spread["maximum"]:
        book.add_sentence(
            f"{key}: publishers differ, from {spread['minimum']} to {spread['maximum']}."
        )
    elif len({one["publisher"] for one in claims}) > 1 and not spread:
        book.add_sentence(f"{key}: the claims of its publishers are not comparable.")
    if any(one["preferred"] and one["estimated"] for one in claims):
        book.add_sentence(f"{key}: the preferred claim is an estimate of its publisher.")
    if any(one["qualifier"] == "WITHHELD" for one in claims if one["latest"]):
        book.add_sentence(f"{key}: a publisher withholds the number, which does not mean zero.")
    book.published_by(*(one["publisher"] for one in claims))
    choice = node["choice"] or {"rule": "", "reason": None}
    return FIGURE.of(
        node,
        claims=[claim(one, reasons.get(one["position"]), book) for one in claims],
        preferredBy=choice["rule"].lower(),
        reason=choice["reason"],
        spread=SPREAD.of(spread) if spread else None,
    )


def claim(node: Node, not_comparable: str | None, book: Book) -> Item:
    """Return a claim."""
    return CLAIM.of(
        node,
        amount=amount_of(node),
        edition=" ".join(filter(None, [node["edition"], node["editionVersion"]])),
        notComparable=not_comparable,
        note=(node["note"] or "")[:MAX_NOTE_CHARACTERS],
        sources=book.cite(node),
    )


def line(item: Item) -> str:
    """Return a figure in a line."""
    return f"{item['key']}: {'; '.join(map(claim_line, item['claims']))}."


def claim_line(item: Item) -> str:
    """Return a claim in words."""
    not_comparable = item.get("notComparable")
    parts = {
        "estimated": item.get("estimated"),
        "preferred": item.get("preferred"),
        "restated since": not item.get("latest"),
        f"not comparable: {not_comparable}": not_comparable,
    }
    remarks = "".join(f", {word}" for word, holds in parts.items() if holds)
    return (
        f"{item['amount'] if 'value' in item else word_phrase(item['amount'])} by {item['publisher']},"
        f" {item['edition']}, {item['publishedOn']}{remarks}{numbers(item['sources'])}"
    )


TOOL = Tool(
    __name__,
    arguments=Parameters,
    part=FIGURE,
    variables=variables,
    page=page,
    nodes=nodes,
    item=figure,
    line=line,
    renamed={"years": "year"},
)
