"""Export controls, import restrictions and quotas, and where their clauses stand on a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType

from schema.assistants.answers import AnswerPart, ToolAnswer
from schema.assistants.arguments import PagedArguments
from schema.assistants.book import Book
from schema.assistants.sentences import say_of_clause, say_of_control
from schema.assistants.tool import Data, Node, Nodes, NotThere, Tool, numbers, unset
from schema.pages.site.amounts import measured
from schema.pages.site.words import listed, words
from tracker.domain.vocabulary import ClauseStatus, Direction, Measure

MAX_NAMES = 8
"""Firms, places, goods or commodities of a clause that are named one by one."""
MAX_TEXT_CHARACTERS = 200
NO_LAW = {"PROPOSED", "RECOMMENDED", "NEGOTIATED"}


class Controls(PagedArguments, frozen=True, kw_only=True):
    """Which controls."""

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


class Clause(AnswerPart, kw_only=True):
    """A clause on the day."""

    key: str
    measure: str
    status: str
    confirmation: str
    commodities: list[str]
    since: str | UnsetType = UNSET
    covers: str | UnsetType = UNSET
    forms: list[str] | UnsetType = UNSET
    goods: list[str] | UnsetType = UNSET
    partly: bool | UnsetType = UNSET
    exempt: str | UnsetType = UNSET
    destinations: list[str] | UnsetType = UNSET
    origins: list[str] | UnsetType = UNSET
    exceptions: list[str] | UnsetType = UNSET
    territory: str | UnsetType = UNSET
    end_use: str | UnsetType = UNSET
    firms: str | UnsetType = UNSET
    in_force_from: str | UnsetType = UNSET
    in_force_until: str | UnsetType = UNSET
    suspended_from: str | UnsetType = UNSET
    suspended_until: str | UnsetType = UNSET
    returns_on: str | UnsetType = UNSET
    repealed_from: str | UnsetType = UNSET
    decision_due: str | UnsetType = UNSET
    rate: str | UnsetType = UNSET
    quota: str | UnsetType = UNSET
    retroactive: bool | UnsetType = UNSET
    assumed: bool | UnsetType = UNSET
    sources: list[int]


class Control(AnswerPart, kw_only=True):
    """An instrument with the clauses that match."""

    key: str
    title: str
    issuer: str
    direction: str
    announced_on: str
    instrument: str | UnsetType = UNSET
    disputed: bool | UnsetType = UNSET
    clauses: list[Clause]


class ControlsAnswer(ToolAnswer, kw_only=True):
    """Controls."""

    items: list[Control]


FILTERS = ("issuer", "commodity", "destination", "origin", "measure", "status", "direction")
OTHERS = {"hs_code": "hsCode", "firm": "firm", "search": "search"}


def variables(asked: Controls) -> dict[str, Any]:
    """The variables of the document."""
    return {
        "one": asked.control is not None,
        "control": asked.control or "",
        "first": asked.first,
        "after": asked.after,
        **filters(asked),
    }


def filters(asked: Controls) -> dict[str, Any]:
    """What the list is narrowed by, as the API and the page have it."""
    given = {name: getattr(asked, name) for name in FILTERS}
    for name in ("measure", "status", "direction"):
        given[name] = given[name] and given[name].name
    return {**given, **{name: getattr(asked, own) for own, name in OTHERS.items()}}


def page(asked: Controls, data: Data) -> tuple[str, Mapping[str, object]]:
    """The list, or the control."""
    if asked.control is None:
        return "/controls", filters(asked)
    return f"/controls/{data['asOf']['exportControl']['key']}", {}


def nodes(data: Data, asked: Controls) -> Nodes:
    """The controls."""
    if asked.control is not None:
        one = data["asOf"]["exportControl"]
        if one is None:
            raise NotThere(
                f"no control {asked.control!r} is announced by {data['asOf']['validAt']}, as recorded",
                "control",
                asked.control,
                "EXPORT_CONTROL",
            )
        return Nodes([one], 1)
    return Nodes.of_page(data["asOf"]["exportControls"])


def control(node: Node, book: Book) -> Control:
    """A control with what must be said of it."""
    key = node["key"]
    book.issued_by(node["issuer"]["code"])
    say_of_control(node, book)
    for dispute in node["disputes"]:
        cited = numbers(book.cite(dispute))
        book.say(f"{key} is disputed: {dispute['account'][:300]}{cited}")
    return Control(
        key=key,
        title=node["title"],
        issuer=node["issuer"]["code"],
        direction=node["direction"].lower(),
        announced_on=node["announcedOn"],
        instrument=unset(node["instrument"]),
        disputed=unset(bool(node["disputes"])),
        clauses=[clause(key, one, book) for one in node["clauses"]],
    )


def clause(control: str, node: Node, book: Book) -> Clause:
    """A clause with what must be said of it."""
    name = f"{control}, clause {node['key']}"
    say_of_clause(control, node, book)
    if node["status"] in NO_LAW:
        book.say(f"{name} is {words(node['status'])}: it is not law.")
    return Clause(
        key=node["key"],
        measure=node["measure"].lower(),
        status=node["status"].lower(),
        confirmation=node["confirmation"].lower(),
        commodities=named([one["key"] for one in node["commodities"]]),
        since=unset(node["statusSince"]),
        covers=unset(node["covers"] != "GOODS" and node["covers"].lower()),
        forms=unset([form.lower() for form in node["forms"]]),
        goods=unset(named([one["name"] for one in node["items"]])),
        partly=unset(bool(node["items"]) and not node["itemsComplete"]),
        exempt=unset(exempt(node)),
        destinations=unset(named([one["code"] for one in node["destinations"]])),
        origins=unset(named([one["code"] for one in node["origins"]])),
        exceptions=unset([exception(one) for one in node["exceptions"]]),
        territory=unset(node["territory"] != "HOME" and node["territory"].lower()),
        end_use=unset(node["endUse"]),
        firms=unset(firms(node)),
        in_force_from=unset(node["inForceFrom"]),
        in_force_until=unset(node["inForceUntil"]),
        suspended_from=unset(node["suspendedFrom"]),
        suspended_until=unset(node["suspendedUntil"]),
        returns_on=unset(node["returnsOn"]),
        repealed_from=unset(node["repealedFrom"]),
        decision_due=unset(node["decisionDue"]),
        rate=unset(rate(node)),
        quota=unset(quota(node)),
        retroactive=unset(node["retroactive"]),
        assumed=unset(bool(node["assumed"])),
        sources=book.cite(node["statusBecause"]),
    )


def named(names: Sequence[str]) -> list[str]:
    """Names, of many only the first."""
    if len(names) <= MAX_NAMES:
        return list(names)
    return [*names[:MAX_NAMES], f"{len(names) - MAX_NAMES} more"]


def exempt(node: Node) -> str:
    """What is exempt, in words."""
    goods = listed([one["name"] for one in node["exemptItems"]], most=MAX_NAMES)
    return "; ".join(filter(None, [goods, node["exemptions"] or ""]))[:MAX_TEXT_CHARACTERS]


def exception(node: Node) -> str:
    """Places with another rule, in words: `GB: exempt`."""
    places = listed([one["code"] for one in node["places"]], most=MAX_NAMES)
    rule = "exempt" if node["exempt"] else f"{node['ratePercent']} %"
    return f"{places}: {rule}"


def firms(node: Node) -> str:
    """The firms that a clause is limited to, in words."""
    if node["entities"]:
        return listed(node["entities"], most=MAX_NAMES)
    return f"{node['entityCount']} firms, not named" if node["entityCount"] else ""


def rate(node: Node) -> str:
    """The rate of a tariff, in words."""
    if node["ratePercent"] is None:
        return node["rateText"] or ""
    until = node["rateUpToPercent"]
    return f"{node['ratePercent']} to {until} %" if until else f"{node['ratePercent']} %"


def quota(node: Node) -> str:
    """The amount of a quota, in words."""
    if node["quota"] is None:
        return ""
    part = " (one of several that add up)" if node["quotaPart"] == "BATCH" else ""
    period = f" in {node['period']}" if node["period"] else ""
    return f"{measured(node['quota'])}{period}{part}"


def line(item: Control) -> str:
    """A control in a line."""
    clauses = "; ".join(clause_line(one) for one in item.clauses)
    return f"{item.key} ({item.issuer}, {item.announced_on}) {item.title}: {clauses}"


def clause_line(item: Clause) -> str:
    """A clause in words."""
    goods = f"{'some ' if item.partly else ''}{', '.join(item.commodities)}"
    goods += f" ({words(item.covers)})" if item.covers else ""
    goods += f" ({', '.join(item.goods)})" if item.goods else ""
    to = f" to {', '.join(item.destinations)}" if item.destinations else ""
    to += f" from {', '.join(item.origins)}" if item.origins else ""
    to += f" (only {item.firms})" if item.firms else ""
    to += f" (only for {item.end_use})" if item.end_use else ""
    to += f" ({'; '.join(item.exceptions)})" if item.exceptions else ""
    to += f" (exempt: {item.exempt})" if item.exempt else ""
    since = f" since {item.since}" if item.since else ""
    ends = {
        " until ": item.suspended_until if item.status == "suspended" else item.in_force_until,
        ", returns on ": item.returns_on,
        ", in force from ": item.in_force_from if item.status == "announced" else UNSET,
    }
    until = "".join(f"{word}{day}" for word, day in ends.items() if day)
    amounts = "".join(f", {one}" for one in (item.rate, item.quota) if one)
    return (
        f"clause {item.key}, {words(item.measure)} of {goods}{to}{amounts}:"
        f" {words(item.status)}{since}{until}{numbers(item.sources)}"
    )


def more(data: Data, asked: Controls, book: Book) -> Mapping[str, Any]:
    """Nothing more; the issuer that was asked about counts also where it has nothing."""
    if asked.issuer:
        book.issued_by(asked.issuer.upper())
    return {}


TOOL = Tool(
    __name__,
    title="Export controls",
    description=(
        "Export controls, import restrictions, tariffs and quotas on critical minerals, with the status"
        " of each clause on a day: in force, suspended, announced, expired… Narrow by issuer, commodity,"
        " destination, measure, status; or give `control`, a key. `partly`: it reaches only the"
        " `goods` that it names. An empty answer is no proof that there is no control."
    ),
    arguments=Controls,
    answer=ControlsAnswer,
    variables=variables,
    page=page,
    nodes=nodes,
    item=control,
    line=line,
    more=more,
)
