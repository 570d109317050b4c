"""`/places`: restricting places, places named in restrictions, and numbers of alliances. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schema.pages.charts.world_map import COUNTS, draw_world
from schema.pages.overview.restrictions_map import NONE_CONFIRMED, issuers, map_values, most_clauses
from schema.pages.site.address import Address
from schema.pages.site.feeds import FeedOfPage
from schema.pages.site.images import CHART, world_image
from schema.pages.site.page import Page, TableOfPage


@dataclass
class PlaceRow:
    """A place in the table, with clauses in force."""

    code: str
    name: str
    issued: int = 0
    doubts: str = ""
    """Numbers of these that are not confirmed on the date, in words."""
    of_unions: int = 0
    """Number of clauses of its unions."""
    named: int = 0
    """Number of clauses that name it as destination or as origin."""
    alliances: list[str] = field(default_factory=list)
    known_until: str | None = None

    @property
    def is_shown(self) -> bool:
        """Return whether the table has data of it."""
        return bool(self.issued or self.of_unions or self.named or self.alliances)


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return the rows of places, and the map."""
    state = data["asOf"]
    every = issuers(state["byIssuer"], state["unions"])
    rows = place_rows(data)
    drawing = draw_world(map_values(every, address))
    return {
        "title": "Places",
        "description": "Countries and unions: their restrictions, the clauses that name"
        " them, and their alliances.",
        "map": drawing,
        "hatched": NONE_CONFIRMED,
        "charts": {CHART: world_image(drawing, most_clauses(every), COUNTS, NONE_CONFIRMED, state)},
        "scale": COUNTS,
        "rows": rows,
        "others": [one for one in data["places"] if one["code"] not in {row.code for row in rows}],
        "all_counted": state["standing"]["totalCount"] == len(state["standing"]["nodes"])
        and state["memberships"]["totalCount"] == len(state["memberships"]["nodes"]),
    }


def place_rows(data: Mapping[str, Any]) -> list[PlaceRow]:
    """Return a row for each place with data, those that issued most first."""
    state = data["asOf"]
    rows = {one["code"]: PlaceRow(one["code"], one["name"]) for one in data["places"]}
    for issuer in issuers(state["byIssuer"], state["unions"]):
        row = rows[issuer.code]
        row.issued = issuer.count("in force")
        row.doubts = issuer.doubts
        row.of_unions = issuer.in_force - row.issued
    for control in state["standing"]["nodes"]:
        for clause in control["clauses"]:
            for code in {one["code"] for one in (*clause["destinations"], *clause["origins"])}:
                rows[code].named += 1
    for one in state["memberships"]["nodes"]:
        if one["alliance"]["status"] == "ACTIVE":
            rows[one["place"]["code"]].alliances.append(one["alliance"]["name"])
    for one in state["horizon"]:
        if one["issuer"] in rows:
            rows[one["issuer"]].known_until = one["newestFactOn"]
    return sorted(
        (row for row in rows.values() if row.is_shown), key=lambda row: (*_order(row), row.name)
    )


def _order(row: PlaceRow) -> Sequence[int]:
    return -row.issued, -row.named, -len(row.alliances)


PAGE = Page(
    __name__,
    "/places",
    view,
    section="/places",
    table=TableOfPage("clause-counts"),
    feed=FeedOfPage(("EXPORT_CONTROL",), calendar=True),
)
