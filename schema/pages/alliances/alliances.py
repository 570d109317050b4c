"""`/alliances`: the members on a date, as a matrix of places and alliances. Pure."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from schema.pages.site.address import Address
from schema.pages.site.feeds import FeedOfPage
from schema.pages.site.page import Page, TableOfPage


class Row(Struct, frozen=True):
    """A place with its relation to each alliance: the words of the cells, in order."""

    code: str
    name: str
    cells: tuple[str, ...]
    count: int
    """Number of alliances that it belongs to, itself or through a union."""


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return the matrix of the listed alliances."""
    alliances = data["asOf"]["alliances"]["nodes"]
    columns = [one for one in alliances if one["members"] and one["status"] == "ACTIVE"]
    return {
        "title": "Alliances and their members",
        "description": "Alliances and initiatives on critical minerals, and their members"
        " on a date.",
        "change_days": [node["day"] for node in data["asOf"]["transitions"]["nodes"]],
        "columns": columns,
        "rows": matrix(columns, data["asOf"]["memberships"]["nodes"]),
        "alliances": alliances,
    }


def matrix(alliances: list[Any], through: list[Any]) -> list[Row]:
    """Return a row for each place in any of the alliances, those in most alliances first."""
    columns = {one["key"]: index for index, one in enumerate(alliances)}
    names: dict[str, str] = {}
    cells: dict[str, dict[int, str]] = {}
    for one in alliances:
        for member in one["members"]:
            place = member["place"]
            if place is None:
                continue
            names[place["code"]] = place["name"]
            role = member["role"]
            cells.setdefault(place["code"], {})[columns[one["key"]]] = role.lower()
    for node in through:
        column = columns.get(node["alliance"]["key"])
        if column is not None:
            place = node["place"]
            names[place["code"]] = place["name"]
            cells.setdefault(place["code"], {}).setdefault(column, f"by {node['union']['code']}")
    rows = [
        Row(
            code,
            names[code],
            tuple(memberships.get(i, "") for i in range(len(columns))),
            len(memberships),
        )
        for code, memberships in cells.items()
    ]
    return sorted(rows, key=lambda row: (-row.count, row.name))


PAGE = Page(
    __name__,
    "/alliances",
    view,
    section="/alliances",
    table=TableOfPage("alliances"),
    feed=FeedOfPage(("ALLIANCE",), place="member", calendar=True),
)
