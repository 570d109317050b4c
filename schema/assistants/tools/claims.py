"""What every publisher says of a figure, in every edition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType

from schema.assistants.amounts import Amount, amount_fields
from schema.assistants.answers import AnswerPart, ToolAnswer
from schema.assistants.arguments import PagedArguments, YearNumber
from schema.assistants.book import Book
from schema.assistants.tool import Data, Node, Nodes, NotThere, Tool, numbers, unset
from schema.pages.site.words import words
from tracker.domain.vocabulary import Stage, Statistic
from tracker.errors import InvalidInput

MAX_NOTE_CHARACTERS = 200


class Question(PagedArguments, frozen=True, kw_only=True):
    """Which figures."""

    figure: (
        Annotated[str, Meta(description="key of one: rare_earths/CN/production/mine/2023")] | None
    ) = None
    commodity: str | None = None
    place: Annotated[str, Meta(description="CN, WORLD")] | None = None
    statistic: Statistic | None = None
    stage: Stage | None = None
    year: YearNumber | None = None


class Claim(Amount, kw_only=True):
    """A number of a publisher in an edition."""

    published_on: str
    latest: bool | UnsetType = UNSET
    preferred: bool | UnsetType = UNSET
    not_comparable: str | UnsetType = UNSET
    note: str | UnsetType = UNSET
    sources: list[int]


class Spread(AnswerPart, kw_only=True):
    """How far the latest claims of the publishers that can be compared lie apart."""

    minimum: str
    maximum: str
    unit: str
    relative: str | UnsetType = UNSET


class Figure(AnswerPart, kw_only=True):
    """A figure with all claims on it, the oldest first."""

    key: str
    claims: list[Claim]
    preferred_by: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    spread: Spread | UnsetType = UNSET


class ClaimsAnswer(ToolAnswer, kw_only=True):
    """Figures."""

    items: list[Figure]


def variables(asked: Question) -> dict[str, Any]:
    """The variables of the document. Raises InvalidInput for a question about all figures."""
    if not (asked.figure or asked.commodity):
        raise InvalidInput("expected the key of a figure, or a commodity", path=("figure",))
    year = None if asked.year is None else {"from": asked.year, "to": asked.year}
    return {
        "one": asked.figure is not None,
        "figure": asked.figure or "",
        "first": asked.first,
        "after": asked.after,
        "commodity": asked.commodity,
        "place": asked.place,
        "statistic": asked.statistic and asked.statistic.name,
        "stage": asked.stage and asked.stage.name,
        "years": year,
    }


def page(asked: Question, data: Data) -> tuple[str, Mapping[str, object]]:
    """The figure, or the list."""
    if asked.figure is not None:
        return f"/figures/{data['asOf']['figure']['key']}", {}
    given = variables(asked)
    names = ("commodity", "place", "statistic", "stage")
    return "/figures", {**{name: given[name] for name in names}, "years": asked.year}


def nodes(data: Data, asked: Question) -> Nodes:
    """The figures."""
    if asked.figure is not None:
        one = data["asOf"]["figure"]
        if one is None:
            message = f"no claim on {asked.figure!r} is public by {data['asOf']['validAt']}"
            raise NotThere(message, "figure", asked.figure, "FIGURE")
        return Nodes([one], 1)
    return Nodes.of_page(data["asOf"]["figures"])


def figure(node: Node, book: Book) -> Figure:
    """A figure with what must be said of it."""
    key, claims = node["key"], node["claims"]
    beside = node["sideBySide"] or {}
    spread = beside.get("spread")
    reasons = {one["claim"]["position"]: one["reason"] for one in beside.get("notComparable", ())}
    if spread and spread["minimum"] != spread["maximum"]:
        book.say(f"{key}: publishers differ, from {spread['minimum']} to {spread['maximum']}.")
    elif len({one["publisher"] for one in claims}) > 1 and not spread:
        book.say(f"{key}: the claims of its publishers are not comparable.")
    if any(one["preferred"] and one["estimated"] for one in claims):
        book.say(f"{key}: the preferred claim is an estimate of its publisher.")
    if any(one["qualifier"] == "WITHHELD" for one in claims if one["latest"]):
        book.say(f"{key}: a publisher withholds the number, which does not mean nothing.")
    book.published_by(*(one["publisher"] for one in claims))
    choice = node["choice"]
    return Figure(
        key=key,
        claims=[claim(one, reasons.get(one["position"]), book) for one in claims],
        preferred_by=unset(choice and choice["rule"].lower()),
        reason=unset(choice and choice["reason"]),
        spread=Spread(
            minimum=spread["minimum"],
            maximum=spread["maximum"],
            unit=spread["unit"],
            relative=unset(spread["relative"]),
        )
        if spread
        else UNSET,
    )


def claim(node: Node, not_comparable: str | None, book: Book) -> Claim:
    """A claim."""
    note = node["note"] or ""
    edition = " ".join(filter(None, [node["edition"], node["editionVersion"]]))
    return Claim(
        **(amount_fields(node) | {"edition": edition}),
        published_on=node["publishedOn"],
        latest=unset(node["latest"]),
        preferred=unset(node["preferred"]),
        not_comparable=unset(not_comparable),
        note=unset(note[:MAX_NOTE_CHARACTERS]),
        sources=book.cite(node),
    )


def line(item: Figure) -> str:
    """A figure in a line."""
    return f"{item.key}: {'; '.join(map(claim_line, item.claims))}."


def claim_line(item: Claim) -> str:
    """A claim in words."""
    said = {
        "estimated": item.estimated,
        "preferred": item.preferred,
        "restated since": not item.latest,
        f"not comparable: {item.not_comparable}": item.not_comparable,
    }
    remarks = "".join(f", {word}" for word, holds in said.items() if holds)
    return (
        f"{words(item.amount) if not item.value else item.amount} by {item.publisher},"
        f" {item.edition}, {item.published_on}{remarks}{numbers(item.sources)}"
    )


TOOL = Tool(
    __name__,
    title="Claims on a figure",
    description=(
        "What each publisher says of one figure in each edition: the numbers side by side, which claim"
        " is preferred and by what rule, how far they lie apart, which are not comparable and why. Give"
        " `figure`, a key, or a commodity with place, statistic, stage and year."
    ),
    arguments=Question,
    answer=ClaimsAnswer,
    variables=variables,
    page=page,
    nodes=nodes,
    item=figure,
    line=line,
    renamed={"years": "year"},
)
