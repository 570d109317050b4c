"""`/figures`: commodities or products with figures, their editions, and every matching claim. Pure."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from msgspec import Struct

from schema.pages.site.address import Address
from schema.pages.site.amounts import amount, unit
from schema.pages.site.feeds import FeedOfPage
from schema.pages.site.naming import edition_of, kind_of_figure, product, series_title
from schema.pages.site.page import Page, TableOfPage
from schema.pages.site.words import publisher_of
from tracker.domain.basics.vocabulary import Checked, Stage, Statistic


class SupplyRow(Struct, frozen=True):
    """A product with figures."""

    index: int
    """Index among the supplies of the response."""
    supply: Mapping[str, Any]
    name: str
    kind: str
    years: str
    unit: str


class ClaimLine(Struct, frozen=True):
    """A claim in the list of all claims."""

    index: int
    claim: Mapping[str, Any]
    title: str
    words: str
    unit: str
    publisher: str
    edition: str
    checked: str
    status: str


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return the products with figures, and the matching claims."""
    state = data["asOf"]
    stage = address.parameters.get("stage")
    supplies = [one for one in state["supplies"] if stage in (None, one["stage"])]
    of_commodity = "commodity" in address.parameters
    commodities = [(one["key"], one["name"]) for one in data["commodities"]]
    return {
        "title": "Figures and who publishes them",
        "description": "Production, capacity and reserves of minerals: every claim of every edition.",
        "change_days": [edition["publishedOn"] for edition in state["editions"]["nodes"]],
        "sources": sorted(
            {node["publisherName"] or node["publisher"] for node in state["editions"]["nodes"]}
        ),
        "supplies": supply_rows(supplies, state["supplies"]) if of_commodity else (),
        "with_figures": () if of_commodity else commodity_rows(supplies),
        "editions": state["editions"]["nodes"],
        "claims": [_line(index, one) for index, one in enumerate(state["claims"]["nodes"])],
        "commodities": sorted(commodities, key=lambda one: one[1].casefold()),
        "stages": Stage,
        "statistics": Statistic,
    }


def commodity_rows(supplies: Sequence[Any]) -> list[dict[str, Any]]:
    """Return a row for each commodity with figures; products of all commodities make a long page."""
    rows = []
    for _, group in groupby(supplies, key=lambda one: one["commodity"]["key"]):
        products = list(group)
        kinds = (kind_of_figure(one["statistic"], one["stage"]) for one in products)
        rows.append(
            {
                **products[0]["commodity"],
                "kinds": ", ".join(dict.fromkeys(kinds)),
                "years": years_in_words(sorted({of for one in products for of in one["years"]})),
                "figures": sum(one["figures"] for one in products),
                "claims": sum(one["claims"] for one in products),
                "publishers": ", ".join(
                    sorted({of for one in products for of in one["publishers"]})
                ),
            }
        )
    return rows


def supply_rows(shown: Sequence[Any], all: Sequence[Any]) -> list[SupplyRow]:
    """Return the listed supplies, each with its index among all."""
    places = {id(one): index for index, one in enumerate(all)}
    return [
        SupplyRow(
            places[id(one)],
            one,
            product(one["commodity"]["name"], one["form"]),
            kind_of_figure(one["statistic"], one["stage"]),
            years_in_words(one["years"]),
            unit(one),
        )
        for one in shown
    ]


def years_in_words(years: Sequence[int]) -> str:
    """Return years as ranges: `2010, 2019–2025`.

    Reserves have none, because each edition states them again.
    """
    runs = [
        [year for _, year in run]
        for _, run in groupby(enumerate(years), key=lambda pair: pair[1] - pair[0])
    ]
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _line(index: int, claim: Mapping[str, Any]) -> ClaimLine:
    others = "beside it" if claim["latest"] else "restated since"
    return ClaimLine(
        index,
        claim,
        series_title(claim["series"]),
        amount(claim),
        "" if claim["value"] is None else unit(claim),
        publisher_of(claim["source"]),
        edition_of(claim),
        Checked[claim["source"]["checked"]].phrase,
        "in use" if claim["preferred"] else others,
    )


PAGE = Page(
    __name__,
    "/figures",
    view,
    section="/figures",
    feed=FeedOfPage(("FIGURE",), commodity="commodity", place="place"),
    table=TableOfPage("claims", without=frozenset({"after"})),
)
