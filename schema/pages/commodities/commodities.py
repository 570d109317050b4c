"""`/commodities`: all commodities with their largest producer, concentration and clauses in force. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from schema.pages.charts.status_marks import doubts
from schema.pages.site.address import Address
from schema.pages.site.amounts import amount, unit
from schema.pages.site.feeds import FeedOfPage
from schema.pages.site.naming import kind_of_figure, product
from schema.pages.site.page import Page, TableOfPage


class CommodityRow(Struct, frozen=True):
    """A commodity with its latest production and the clauses that name it."""

    commodity: Mapping[str, Any]
    depth: int
    """Depth in the tree, below the root."""
    production: Mapping[str, Any] | None
    path: str
    """Path of the production in the response."""
    kind: str
    output: str
    unit: str
    first: Mapping[str, Any] | None
    """Country with the largest share."""
    first_path: str
    in_force: int
    in_force_path: str
    """Path of the number of clauses in the response; empty without clauses."""
    others: str
    doubts: str
    """Numbers of clauses in force that are not confirmed on the date, in words."""


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return the rows in the order of the tree."""
    state = data["asOf"]
    rows = list(commodity_rows(data))
    return {
        "title": "Commodities",
        "description": "The producers of critical minerals, the concentration of their"
        " output, and the number of clauses on them.",
        "change_days": [node["publishedOn"] for node in state["editions"]["nodes"]],
        "sources": sorted(
            {node["publisherName"] or node["publisher"] for node in state["editions"]["nodes"]}
        ),
        "rows": rows,
        "controlled": sum(1 for row in rows if row.in_force),
        "supplied": sum(1 for row in rows if row.production and row.production["year"]),
    }


def commodity_rows(data: Mapping[str, Any]) -> Iterator[CommodityRow]:
    """Yield a row for each commodity with figures or clauses, and for those above it."""
    state = data["asOf"]
    productions = {
        one["commodity"]["key"]: (index, one)
        for index, one in enumerate(state["latestProductions"])
    }
    clauses: dict[str, dict[str, tuple[int, int]]] = {}
    for index, count in enumerate(state["clauseCounts"]):
        by_status = clauses.setdefault(count["commodity"]["key"], {})
        by_status[count["status"]] = (index, count["clauses"])
    support = defaultdict[str, dict[str, int]](dict)
    for count in state["support"]:
        support[count["commodity"]["key"]][count["confirmation"]] = count["clauses"]
    reserves = {one["commodity"]["key"] for one in state["supplies"]}
    parents = {one["key"]: one["parentKey"] for one in data["all"]}
    named = productions.keys() | clauses.keys() | reserves
    listed = {above for key in named for above in _line_of(key, parents)}
    order = {key: number for number, key in enumerate(parents)}

    def in_tree(commodity: Mapping[str, Any]) -> list[int]:
        return [order[key] for key in reversed(_line_of(commodity["key"], parents))]

    for commodity in sorted(data["commodities"], key=in_tree):
        if commodity["key"] in listed:
            yield _row(
                commodity,
                len(_line_of(commodity["key"], parents)) - 1,
                productions.get(commodity["key"]),
                clauses.get(commodity["key"], {}),
                doubts(support[commodity["key"]]),
            )


def _line_of(key: str | None, parents: Mapping[str, str | None]) -> list[str]:
    """Return a commodity and those above it."""
    line: list[str] = []
    while key is not None:
        line.append(key)
        key = parents.get(key)
    return line


def _row(
    commodity: Mapping[str, Any],
    depth: int,
    production: tuple[int, Mapping[str, Any]] | None,
    clauses: Mapping[str, tuple[int, int]],
    doubted: str,
) -> CommodityRow:
    index, latest = production or (0, None)
    path = f"asOf.latestProductions.{index}"
    place, first = _first(latest["figures"]) if latest else (0, None)
    world = latest["world"] if latest else None
    at, in_force = clauses.get("IN_FORCE", (0, 0))
    return CommodityRow(
        commodity,
        depth,
        latest,
        path,
        _kind(latest),
        amount(world) if world else _without_world(latest),
        unit(world) if world and world["value"] is not None else "",
        first,
        f"{path}.figures.{place}",
        in_force,
        f"asOf.clauseCounts.{at}.clauses" if in_force else "",
        _others(clauses),
        doubted,
    )


def _kind(latest: Mapping[str, Any] | None) -> str:
    """Return the kind of output: `mine production, 2025`."""
    if latest is None or latest["year"] is None:
        return ""
    kind = product(kind_of_figure("PRODUCTION", latest["stage"]), latest["form"])
    return f"{kind}, {latest['year']}"


def _without_world(latest: Mapping[str, Any] | None) -> str:
    if latest is None:
        return "no figures of output"
    return "no world total" if latest["year"] else "of several products"


def _first(figures: Sequence[Mapping[str, Any]]) -> tuple[int, Mapping[str, Any] | None]:
    """Return the country with the largest share, and its index in the list."""
    for index, one in enumerate(figures):
        if one["share"] is not None and not one["place"]["isAggregate"]:
            return index, one
    return 0, None


def _others(clauses: Mapping[str, tuple[int, int]]) -> str:
    """Return the suspended and announced clauses, in words."""
    words = {"SUSPENDED": "suspended", "ANNOUNCED": "announced"}
    counts = [f"{clauses[status][1]} {word}" for status, word in words.items() if status in clauses]
    return ", ".join(counts)


PAGE = Page(
    __name__,
    "/commodities",
    view,
    section="/commodities",
    table=TableOfPage("commodities"),
    feed=FeedOfPage(("EXPORT_CONTROL", "FIGURE"), calendar=True, hs_code=True),
)
