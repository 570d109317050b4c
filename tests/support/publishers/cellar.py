"""A simulated SPARQL endpoint of Cellar: acts of the Official Journal, with the server's limits.

It supports only the queries of these tests.
"""

import re
from dataclasses import dataclass
from typing import Any

from tests.support.publishers.publisher import MISSING, Asked, Page, Publisher, as_json

PATH = "/webapi/rdf/sparql"
MAX_SORTED_ROWS = 10_000
AUTHORITY = "http://publications.europa.eu/resource/authority"
JSON = "application/sparql-results+json"


@dataclass(frozen=True)
class Act:
    """An act with its titles by language."""

    celex: str | None
    titles: dict[str, str]
    day: str = "2026-02-20"
    series: str | None = "L"
    work: str = ""

    def rows(self) -> list[dict[str, str]]:
        """Return its titles as rows."""
        work = self.work or f"http://publications.europa.eu/resource/cellar/{self.celex}"
        rows = []
        for language, title in self.titles.items():
            row = {
                "work": work,
                "day": self.day,
                "language": f"{AUTHORITY}/language/{language}",
                "title": title,
            }
            if self.celex:
                row["celex"] = self.celex
            if self.series:
                row["collection"] = f"{AUTHORITY}/document-collection/OJ-{self.series}"
            rows.append(row)
        return rows


class Cellar(Publisher):
    """A simulated endpoint."""

    def __init__(self, *acts: Act):
        super().__init__()
        self.acts = list(acts)

    def page(self, asked: Asked) -> Page:
        """Return the response to a query."""
        if asked.path != PATH:
            return MISSING
        [query], [form] = asked.form["query"], asked.form["format"]
        assert form == JSON
        rows = self._rows(query)
        if "COUNT(*)" in query:
            return _answer([{"count": {"type": "typed-literal", "value": str(len(rows))}}])
        [limit], [offset] = (re.findall(rf"{name} (\d+)", query) for name in ("LIMIT", "OFFSET"))
        if int(limit) + int(offset) > MAX_SORTED_ROWS:
            error = "Virtuoso 22023 Error SR353: Sorted TOP clause specifies more rows"
            return Page(error.encode(), "text/plain", status=500)
        shown = rows[int(offset) : int(offset) + int(limit)]
        return _answer([{name: _term(value) for name, value in row.items()} for row in shown])

    def _rows(self, query: str) -> list[dict[str, str]]:
        [(first, last)] = re.findall(r'>= "([0-9-]+)".*<= "([0-9-]+)"', query)
        words = {
            language: re.findall(r'CONTAINS\(\?text, "([^"]+)"', group)
            for language, group in re.findall(r"/language/(\w+)> && \((.*?)\)\)", query)
        }
        order = ("day", "work", "language", "title", "celex", "collection")
        return sorted(
            (
                row
                for act in self.acts
                if first <= act.day <= last
                for row in act.rows()
                if any(
                    word in row["title"].lower()
                    for word in words.get(row["language"].rpartition("/")[2], ())
                )
            ),
            key=lambda row: [row.get(name, "") for name in order],
        )


def _term(value: str) -> dict[str, str]:
    return {"type": "uri" if value.startswith("http") else "literal", "value": value}


def _answer(bindings: list[dict[str, Any]]) -> Page:
    page = as_json({"head": {"link": [], "vars": []}, "results": {"bindings": bindings}})
    return Page(page.content, JSON)
