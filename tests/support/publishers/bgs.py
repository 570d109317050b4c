"""The API of the British Geological Survey for World Mineral Statistics, with pages."""

from collections.abc import Callable
from typing import Any

from tests.support.publishers.publisher import MISSING, Asked, Page, Publisher, as_json

ITEMS = "/collections/world-mineral-statistics/items"
COUNTRIES = ("China", "Chile", "Australia", "Canada", "Japan", "Germany", "France", "Brazil")
ISO = ("CHN", "CHL", "AUS", "CAN", "JPN", "DEU", "FRA", "BRA")


def figures(commodity: str, count: int, statistic: str = "Production") -> list[dict[str, Any]]:
    """Return invented figures, each of a country and a year."""
    return [
        {
            "bgs_commodity_trans": commodity,
            "bgs_sub_commodity_trans": None,
            "bgs_statistic_type_trans": statistic,
            "country_trans": COUNTRIES[n % 8],
            "country_iso2_code": None,
            "country_iso3_code": ISO[n % 8],
            "year": f"{2023 - n // 8}-01-01T00:00:00Z",
            "quantity": 1000.0 + n,
            "units": "tonnes (metric)",
            "concat_figure_notes_text": None,
            "concat_table_notes_text": None,
            "erml_commodity": commodity.title(),
        }
        for n in range(count)
    ]


class Bgs(Publisher):
    """The API: it filters by known fields, and returns pages with the time of the response."""

    def __init__(self, *figures: dict[str, Any]):
        super().__init__()
        self.figures = list(figures)
        self.names: Callable[[str], str] = lambda name: name
        """Function that returns its field names."""
        self.matched: int | None = None
        """Stated number of figures, if it is wrong."""
        self.host: str | None = None
        """Host of its next pages, if it is another."""
        self.shift = 0
        """Shift of later pages, as if figures were added meanwhile."""
        self.answers = 0

    def page(self, asked: Asked) -> Page:
        """Return a page of features."""
        if asked.path != ITEMS:
            return MISSING
        self.answers += 1
        wanted = self._wanted(asked)
        found = [
            (n, figure)
            for n, figure in enumerate(self.figures)
            if all(figure[field] == value for field, value in wanted.items())
        ]
        offset, limit = int(asked.parameter("offset", "0")), int(asked.parameter("limit", "10"))
        start = max(offset - self.shift, 0)
        page = found[start : start + limit]
        query = asked.target.partition("?")[2].replace(
            f"offset={offset}", f"offset={offset + limit}"
        )
        links = [{"rel": "self", "href": asked.base + asked.target}]
        if offset + limit < len(found):
            links.append({"rel": "next", "href": f"{self.host or asked.base}{ITEMS}?{query}"})
        return as_json(
            {
                "type": "FeatureCollection",
                "features": [
                    {
                        "type": "Feature",
                        "id": n,
                        "geometry": None,
                        "properties": {self.names(k): v for k, v in figure.items()},
                    }
                    for n, figure in page
                ],
                "numberMatched": len(found) if self.matched is None else self.matched,
                "numberReturned": len(page),
                "links": links,
                "timeStamp": f"2026-03-02T06:00:{self.answers:02}Z",
            }
        )

    def _wanted(self, asked: Asked) -> dict[str, str]:
        """Return its filter fields with the requested values."""
        query = asked.query
        return {
            field: query[self.names(field)][0]
            for field in ("bgs_commodity_trans", "bgs_statistic_type_trans")
            if self.names(field) in query
        }
